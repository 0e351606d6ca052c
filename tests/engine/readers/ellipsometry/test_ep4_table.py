"""Tests of `engine.readers.ellipsometry.ep4_table`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import xarray as xr
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.errors import InputError
from engine.readers import open_images
from engine.readers.labels.labelled_folder import list_labelled_images
from engine.readers.labels.particle_labels import read_particle_labels, write_particle_labels
from engine.simulate import ep4
from tests.engine.readers.sem_texts import FEI, HITACHI, write

Said = Callable[[xr.Dataset], list[str]]


def rewrite_table(folder: Path, change: Callable[[str], str | bytes]) -> None:
    table = folder / "m.ds.dat"
    changed = change(table.read_text(encoding="latin-1"))
    table.write_bytes(changed if isinstance(changed, bytes) else changed.encode("latin-1"))


def test_the_table_itself_opens_the_same_images(ep4_folder: Path) -> None:
    by_table, by_folder = open_images(ep4_folder / "m.ds.dat"), open_images(ep4_folder)
    xr.testing.assert_equal(by_table, by_folder)


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


def test_of_several_tables_the_first_is_opened_and_the_others_are_named(
    ep4_folder: Path, warnings_of: Said
) -> None:
    ep4.write_table(ep4_folder / "z.ds.dat", [(700.0, 50.0, "d2.png", "p2.png")])
    images = open_images(ep4_folder)
    assert images.attrs["title"] == "m"
    assert "m.ds.dat was opened, not z.ds.dat" in warnings_of(images)[0]
    assert open_images(ep4_folder / "z.ds.dat")["wavelength"].values.tolist() == [700.0]


TEXT = """Particle Location:
(112, 87)
(3, 900.5)
Radius Size:
21
8
Defect Label:
yes
null
Image Size:
(1024, 512)
"""


def written(folder: Path, text: str) -> Path:
    (folder / "a.txt").write_text(text)
    return folder / "a.txt"


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    rows=st.lists(
        st.tuples(NUMBERS, NUMBERS, st.floats(1e-3, 1e6), st.sampled_from(["yes", "no", "null"])), max_size=5
    )
)
def test_every_table_survives_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.txt"
    columns = list(zip(*rows, strict=True)) or [()] * 4
    kinds = ("f8", "f8", "f8", "<U4")
    table = xr.Dataset(
        {
            name: ("object", np.array(values, dtype=kind))
            for name, values, kind in zip(("y", "x", "radius", "defect"), columns, kinds, strict=True)
        }
    )
    write_particle_labels(path, table, size=(7, 9))
    again = read_particle_labels(path)
    xr.testing.assert_equal(again, table)
    assert again.attrs["image_size"] == (7, 9)


@pytest.mark.parametrize(
    "text", ["", "\n \n", TEXT[: TEXT.index("(")] + "Radius Size:\nDefect Label:\nImage Size:\n64\n"]
)
def test_a_micrograph_without_particles_has_an_empty_table(tmp_path: Path, text: str) -> None:
    table = read_particle_labels(written(tmp_path, text))
    assert table.sizes == {"object": 0}
    assert table["defect"].dtype.kind == "U"


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("defect", ["yes", "perhaps"], "defect is 'perhaps'; expected one of yes, no, null"),
        ("radius", [3.0, 0.0], "no place or no size"),
        ("x", [np.nan, 0.0], "no place or no size"),
        ("y", None, "the table has no y"),
    ],
)
def test_a_table_that_could_not_be_read_again_is_not_written(
    tmp_path: Path, column: str, values: list | None, said: str
) -> None:
    table = read_particle_labels(written(tmp_path, TEXT))
    changed = table.drop_vars(column) if values is None else table.assign({column: ("object", values)})
    with pytest.raises(InputError, match=said):
        write_particle_labels(tmp_path / "b.txt", changed, size=(1, 1))
    assert not (tmp_path / "b.txt").exists()


def test_a_file_of_tables_says_so(tmp_path: Path) -> None:
    fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1])]).writeto(tmp_path / "t.fits")
    with pytest.raises(InputError, match=r"t\.fits holds 1 tables and no image; give"):
        open_images(tmp_path / "t.fits")
    fits.PrimaryHDU().writeto(tmp_path / "e.fits")
    with pytest.raises(InputError, match=r"e\.fits holds no image"):
        open_images(tmp_path / "e.fits")


GREY = np.random.default_rng(0).integers(0, 255, (40, 60)).astype(np.uint8)


def save(path: Path, values: np.ndarray = GREY, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, values, **options)
    else:
        Image.fromarray(values).save(path, **options)
    return path


def test_the_table_knows_how_pictures_were_taken(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", tag=34682, text=FEI)
    write(tmp_path / "b.png", beside=HITACHI)
    save(tmp_path / "c.png")
    table = list_labelled_images(tmp_path)
    np.testing.assert_allclose(table["pixel_size"], [225.0, 19.84375, np.nan])
    np.testing.assert_allclose(table["magnification"], [62500.0, 5000.0, np.nan])
    np.testing.assert_allclose(table["voltage"], [5.0, 15.0, np.nan])
    assert table["detector"].values.tolist() == ["TLD", "SE(U)", ""]
    assert table["pixel_size"].attrs["units"] == "nm"
