"""EP4 folders: values, axes, facts, laziness, and what happens to broken ones."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from engine.errors import FileError, InputError, MapstackError
from engine.readers import describe, open_images, source
from engine.readers.ellipsometry import accurion_map, ep4_maps
from engine.readers.ellipsometry import ep4_folder as reader
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


def test_the_table_itself_opens_the_same_images(ep4_folder: Path) -> None:
    by_table, by_folder = open_images(ep4_folder / "m.ds.dat"), open_images(ep4_folder)
    xr.testing.assert_equal(by_table, by_folder)


@pytest.mark.parametrize("index", [np.s_[1], np.s_[:, 2:4, 1:3], np.s_[::-1, 5, ::-2], np.s_[2, ::2, 4]])
def test_any_selection_equals_the_selection_of_the_written_values(
    ep4_folder: Path, ep4_values: Any, index: Any
) -> None:
    lazy = open_images(ep4_folder, chunks={"y": 4})["delta"].data
    np.testing.assert_array_equal(lazy[index].compute(), ep4_values["delta"][index])


def test_opening_a_large_folder_reads_no_pixels_and_a_view_of_one_map_only_its_rows(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ep4_maps, "VERIFY_BYTES", 0)
    read: list[tuple[str, int]] = []

    def counting(path: Path, offset: int, out: np.ndarray) -> None:
        read.append((path.name, out.nbytes))
        source.read_rows(path, offset, out)

    monkeypatch.setattr(accurion_map, "read_rows", counting)
    images = open_images(ep4_folder, chunks={"y": 2})
    assert read == []
    images["psi"].data[1, :2].compute()
    assert read == [("p1.png", 2 * 5 * 4)]


def test_opening_reads_only_the_beginning_of_each_file(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ep4_maps, "VERIFY_BYTES", 0)
    monkeypatch.setattr(accurion_map, "verify", lambda _: pytest.fail("a checksum needs all values"))
    found = accurion_map.find_map(ep4_folder / "d0.png")
    assert found.shape == (6, 5)
    assert found.has_floats


def test_a_scan_of_the_angle_of_incidence_has_the_dim_angle(ep4_folder: Path) -> None:
    rows = [(632.8, 60.0 - 5 * n, f"d{n}.png", f"p{n}.png") for n in range(3)]
    ep4.write_table(ep4_folder / "m.ds.dat", rows)
    images = open_images(ep4_folder)
    assert images["delta"].dims == ("angle", "y", "x")
    assert images["angle"].values.tolist() == [50.0, 55.0, 60.0]
    assert images["angle"].attrs["units"] == "deg"
    assert float(images["delta"][2, 0, 0]) == 100.25


def test_a_scan_of_both_opens_one_angle_and_names_the_others(ep4_folder: Path, warnings_of: Said) -> None:
    rows = [(500.0, 50, "d0.png", "p0.png"), (510.0, 50, "d1.png", "p1.png"), (500.0, 60, "d2.png", "p2.png")]
    ep4.write_table(ep4_folder / "m.ds.dat", rows)
    assert open_images(ep4_folder).sizes["wavelength"] == 2
    assert "50, 60 deg" in warnings_of(open_images(ep4_folder))[0]
    assert float(open_images(f"{ep4_folder}::60")["delta"][0, 0, 0]) == 160.25
    with pytest.raises(InputError, match="no maps were measured at an angle of '70'; there are: 50, 60 deg"):
        open_images(f"{ep4_folder}::70")


def test_only_the_8_bit_picture_is_opened_with_0_as_no_data_and_a_warning(
    ep4_folder: Path, warnings_of: Said
) -> None:
    Image.fromarray(np.array([[0, 7, 255]] * 6, np.uint8).repeat(2, axis=1)[:, :5]).save(
        ep4_folder / "p1.png"
    )
    images = open_images(ep4_folder)
    assert images["psi"].dtype == np.float32
    np.testing.assert_array_equal(images["psi"].values[1, 0], [np.nan, np.nan, 7, 7, 255])
    assert "1 of 6 maps hold only the 8-bit picture" in warnings_of(images)[0]
    assert describe(images)["nan_share"] == pytest.approx(13 / 30)


def _damage(path: Path, at: int, value: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= value
    path.write_bytes(raw)


def test_a_wrong_checksum_drops_the_pair_with_a_warning(ep4_folder: Path, warnings_of: Said) -> None:
    path = ep4_folder / "d1.png"
    _damage(path, accurion_map.find_map(path).offset + 3, 0x10)
    images = open_images(ep4_folder)
    assert images["wavelength"].values.tolist() == [500.0, 520.0]
    assert "510 nm" in warnings_of(images)[0]
    assert "checksum of its values is wrong" in warnings_of(images)[0]


def test_in_a_large_folder_a_wrong_checksum_is_found_when_any_part_of_the_map_is_read(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ep4_maps, "VERIFY_BYTES", 0)
    path = ep4_folder / "d1.png"
    _damage(path, accurion_map.find_map(path).offset + 3, 0x10)
    images = open_images(ep4_folder)
    with pytest.raises(FileError, match=r"the map d1.png is damaged"):
        images["delta"].data[1, -1].compute()
    facts = describe(images)
    assert facts["nan_share"] is None
    assert "d1.png is damaged" in facts["warnings"][0]


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


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "C:\\secret.png", "..\\secret.png", "link.png"]
)
def test_a_listed_path_that_leaves_the_folder_is_not_opened(
    ep4_folder: Path, warnings_of: Said, name: str
) -> None:
    ep4.write_map(ep4_folder.parent / "secret.png", np.full((6, 5), 42, np.float32))
    (ep4_folder / "link.png").symlink_to(ep4_folder.parent / "secret.png")
    rewrite_table(ep4_folder, lambda text: text.replace("d1.png", name))
    images = open_images(ep4_folder)
    assert images["wavelength"].values.tolist() == [500.0, 520.0]
    assert "lies outside the folder" in warnings_of(images)[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("500.0", "500,0").replace("\n", "\n\n"),
        lambda text: text.split("\n")[0] + "\n" + text.split("\n", 2)[2],
        lambda text: text.replace("zone", "z\xf6ne"),
    ],
    ids=["crlf", "cr", "bom", "utf-16", "comma and blank lines", "no units", "latin-1"],
)
def test_odd_tables_are_read_all_the_same(ep4_folder: Path, ep4_values: Any, change: Any) -> None:
    rewrite_table(ep4_folder, change)
    np.testing.assert_array_equal(open_images(ep4_folder)["delta"].values, ep4_values["delta"])


def test_names_with_umlauts_are_found_in_latin_1_and_utf_8(ep4_folder: Path) -> None:
    (ep4_folder / "d1.png").rename(ep4_folder / "dä.png")
    for encoding in ("latin-1", "utf-8"):
        text = (ep4_folder / "m.ds.dat").read_bytes().decode(encoding).replace("d1.png", "dä.png")
        (ep4_folder / "m.ds.dat").write_bytes(text.encode(encoding))
        assert open_images(ep4_folder).sizes["wavelength"] == 3
        (ep4_folder / "m.ds.dat").write_bytes(text.replace("dä.png", "d1.png").encode())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _: "", "is empty"),
        (lambda text: "\n".join(text.split("\n")[:2]), "lists no maps"),
        (lambda text: text.replace("Delta", "Image"), "has no column delta"),
        (lambda text: text.replace(".png", ".jpg"), "no pair of maps of m.ds.dat can be opened"),
        (lambda _: bytes(range(256)), "has no column"),
    ],
)
def test_a_folder_of_which_nothing_can_be_opened_is_refused_with_the_reason(
    ep4_folder: Path, change: Any, sentence: str
) -> None:
    rewrite_table(ep4_folder, change)
    with pytest.raises(MapstackError, match=sentence):
        open_images(ep4_folder)


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


def test_a_float_chunk_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    floats = struct.pack(">H", 2) + struct.pack(">III", 4 * 10**9, 10**5, 10**4) + bytes(64)
    data = b".ACCURION_RAWDATA\0" + floats
    chunk = struct.pack(">I", len(data)) + b"tEXt" + data + struct.pack(">I", zlib.crc32(b"tEXt" + data))
    path = tmp_path / "bomb.png"
    path.write_bytes(accurion_map.SIGNATURE + chunk)
    with pytest.raises(FileError, match="claims 100000 × 10000 values"):
        accurion_map.find_map(path)


def test_files_are_the_table_the_sheet_and_the_listed_maps(ep4_folder: Path) -> None:
    (ep4_folder / "notes.txt").write_text("not of the measurement")
    names = {path.name for path in reader.files(ep4_folder)}
    assert names == {"m.ds.dat", "m.dsinfo.xml", *(f"{kind}{n}.png" for kind in "dp" for n in range(3))}


def test_a_map_deleted_after_opening_is_named(ep4_folder: Path) -> None:
    images = open_images(ep4_folder)
    (ep4_folder / "p2.png").unlink()
    with pytest.raises(FileError, match=r"p2\.png cannot be read"):
        images["psi"].compute()


def test_of_several_tables_the_first_is_opened_and_the_others_are_named(
    ep4_folder: Path, warnings_of: Said
) -> None:
    ep4.write_table(ep4_folder / "z.ds.dat", [(700.0, 50.0, "d2.png", "p2.png")])
    images = open_images(ep4_folder)
    assert images.attrs["title"] == "m"
    assert "m.ds.dat was opened, not z.ds.dat" in warnings_of(images)[0]
    assert open_images(ep4_folder / "z.ds.dat")["wavelength"].values.tolist() == [700.0]


def test_repeats_at_one_wavelength_and_angle_are_channels(ep4_folder: Path, warnings_of: Said) -> None:
    ep4.write_table(ep4_folder / "m.ds.dat", [(500.0, 50.0, f"d{n}.png", f"p{n}.png") for n in range(3)])
    images = open_images(ep4_folder)
    assert images["delta"].dims == ("channel", "y", "x")
    assert images.sizes["channel"] == 3
    assert "taken as channels" in warnings_of(images)[0]


def test_a_single_pair_of_maps_is_a_stack_of_one_wavelength(ep4_folder: Path) -> None:
    ep4.write_table(ep4_folder / "m.ds.dat", [(633.0, 50.0, "d0.png", "p0.png")])
    assert dict(open_images(ep4_folder).sizes) == {"wavelength": 1, "y": 6, "x": 5}


def test_a_folder_without_a_sheet_opens_with_a_warning(ep4_folder: Path, warnings_of: Said) -> None:
    (ep4_folder / "m.dsinfo.xml").unlink()
    assert "no *.dsinfo.xml beside the table" in warnings_of(open_images(ep4_folder))[0]
