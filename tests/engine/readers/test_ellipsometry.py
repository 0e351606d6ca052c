"""EP4 folders: values, axes, facts, laziness, and what happens to broken ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from engine.errors import FileError
from engine.readers import open_images
from engine.simulate import ep4

Said = Callable[[xr.Dataset], list[str]]


def rewrite_table(folder: Path, change: Callable[[str], str | bytes]) -> None:
    table = folder / "m.ds.dat"
    changed = change(table.read_text(encoding="latin-1"))
    table.write_bytes(changed if isinstance(changed, bytes) else changed.encode("latin-1"))


def test_values_dims_units_and_coordinates_are_those_written(ep4_folder: Path, ep4_values: Any) -> None:
    images = open_images(ep4_folder)
    np.testing.assert_array_equal(images["delta"].values, ep4_values["delta"])
    np.testing.assert_array_equal(images["psi"].values, ep4_values["psi"])
    assert images["delta"].dims == ("wavelength", "y", "x")
    assert images["delta"].dtype == np.float32
    assert images["wavelength"].values.tolist() == [500.0, 510.0, 520.0]
    units = [images[name].attrs["units"] for name in ("delta", "psi", "wavelength", "y", "x")]
    assert units == ["deg", "deg", "nm", "px", "px"]
    assert all(variable.attrs["long_name"] for variable in images.variables.values())


def test_the_sheet_of_facts_gives_comment_and_objective(ep4_folder: Path) -> None:
    attrs = open_images(ep4_folder).attrs
    assert (attrs["comment"], attrs["objective"], attrs["title"]) == ("Flake 7", "Nikon_20x", "m")


@pytest.mark.parametrize("index", [np.s_[1], np.s_[:, 2:4, 1:3], np.s_[::-1, 5, ::-2], np.s_[2, ::2, 4]])
def test_any_selection_equals_the_selection_of_the_written_values(
    ep4_folder: Path, ep4_values: Any, index: Any
) -> None:
    lazy = open_images(ep4_folder, chunks={"y": 4})["delta"].data
    np.testing.assert_array_equal(lazy[index].compute(), ep4_values["delta"][index])


def test_a_map_replaced_after_opening_is_refused_not_shown(ep4_folder: Path) -> None:
    images = open_images(ep4_folder)
    ep4.write_map(ep4_folder / "d0.png", np.zeros((9, 9), np.float32))
    with pytest.raises(FileError, match=r"d0.png has changed since the folder was opened"):
        images["delta"].compute()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda path: path.unlink(), "the map 'd1.png' is missing"),
        (lambda path: path.write_bytes(b""), "is not a PNG"),
        (lambda path: path.write_bytes(path.read_bytes()[:150]), "is cut off"),
        (lambda path: path.write_bytes(b"II*\0" + bytes(90)), "is not a PNG"),
        (lambda path: ep4.write_map(path, np.ones((4, 5), np.float32)), "has 4 × 5 pixels, not 6 × 5"),
        (lambda path: Image.new("RGBA", (5, 6)).save(path), "is not an 8-bit grey one"),
        (lambda path: (path.unlink(), path.mkdir()), "is missing"),
    ],
)
def test_a_bad_map_drops_its_pair_and_the_rest_opens(
    ep4_folder: Path, warnings_of: Said, harm: Callable[[Path], Any], sentence: str
) -> None:
    harm(ep4_folder / "d1.png")
    images = open_images(ep4_folder)
    assert images["wavelength"].values.tolist() == [500.0, 520.0]
    assert np.isfinite(images["psi"].values).all()
    assert len(warnings_of(images)) == 1
    assert sentence in warnings_of(images)[0]


def test_names_with_umlauts_are_found_in_latin_1_and_utf_8(ep4_folder: Path) -> None:
    (ep4_folder / "d1.png").rename(ep4_folder / "dä.png")
    for encoding in ("latin-1", "utf-8"):
        text = (ep4_folder / "m.ds.dat").read_bytes().decode(encoding).replace("d1.png", "dä.png")
        (ep4_folder / "m.ds.dat").write_bytes(text.encode(encoding))
        assert open_images(ep4_folder).sizes["wavelength"] == 3
        (ep4_folder / "m.ds.dat").write_bytes(text.replace("dä.png", "d1.png").encode())


def test_rows_without_a_wavelength_and_short_rows_are_left_out_with_a_warning(
    ep4_folder: Path, warnings_of: Said
) -> None:
    rewrite_table(ep4_folder, lambda text: text.replace("510.0", "abc") + "530.0\t1\n")
    images = open_images(ep4_folder)
    assert images.sizes["wavelength"] == 2
    assert [sentence.split()[0] for sentence in warnings_of(images)] == ["Row", "1"]


def test_a_repeated_wavelength_is_taken_once(ep4_folder: Path, warnings_of: Said) -> None:
    rewrite_table(ep4_folder, lambda text: text.replace("510.0", "500.0"))
    images = open_images(ep4_folder)
    assert images["wavelength"].values.tolist() == [500.0, 520.0]
    assert float(images["delta"][0, 0, 0]) == 100.25
    assert "1 repeated rows" in warnings_of(images)[0]


def test_radians_become_degrees(ep4_folder: Path, ep4_values: Any) -> None:
    rewrite_table(ep4_folder, lambda text: text.replace("deg\tdeg\n", "rad\trad\n", 1))
    expected = np.rad2deg(ep4_values["psi"])
    np.testing.assert_allclose(open_images(ep4_folder)["psi"].values, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "sheet",
    [
        b"<DS_info_out>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x><comment>&b;</comment></x>',
        b"",
    ],
)
def test_a_broken_or_hostile_sheet_is_only_a_warning(
    ep4_folder: Path, warnings_of: Said, sheet: bytes
) -> None:
    (ep4_folder / "m.dsinfo.xml").write_bytes(sheet)
    images = open_images(ep4_folder)
    assert "comment" not in images.attrs
    assert "objective are not known" in warnings_of(images)[0]


def test_a_sheet_with_bytes_that_are_not_utf_8_is_read(ep4_folder: Path) -> None:
    sheet = '<?xml version="1.0" encoding="UTF-8"?><x><comment>30\xb0 \x01tilt</comment></x>'
    (ep4_folder / "m.dsinfo.xml").write_bytes(sheet.encode("latin-1"))
    assert open_images(ep4_folder).attrs["comment"] == "30° tilt"


def test_infinite_values_count_as_no_data(ep4_folder: Path) -> None:
    ep4.write_map(ep4_folder / "d0.png", np.full((6, 5), np.inf, np.float32))
    assert np.isnan(open_images(ep4_folder)["delta"].values[0]).all()


def test_a_map_deleted_after_opening_is_named(ep4_folder: Path) -> None:
    images = open_images(ep4_folder)
    (ep4_folder / "p2.png").unlink()
    with pytest.raises(FileError, match=r"p2\.png cannot be read"):
        images["psi"].compute()
