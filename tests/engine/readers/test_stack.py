"""Tests of `engine.readers.stack`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from engine.errors import FileError, InputError
from engine.readers import open_images
from engine.readers.stack import guess_dims
from engine.simulate import ep4
from tests.engine.readers.micrograph_files import NM, SERIES, dm_image, write_dm3

CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "lzw", "predictor": True},
        {"tile": (16, 16)},
        {"bigtiff": True},
        {"imagej": True},
    ],
    ids=str,
)
def test_a_multi_page_file_is_a_stack_of_channels(tmp_path: Path, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack", **options)
    images = open_images(tmp_path / "a.tif", chunks={"y": 7})
    assert images["values"].dims == ("channel", "y", "x")
    assert images["values"].dtype == np.uint16
    np.testing.assert_array_equal(images["values"].values, CUBE)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_folder_of_pages_is_a_stack_in_natural_order(tmp_path: Path, compression: str | None) -> None:
    for n in (0, 1, 2):
        tifffile.imwrite(tmp_path / f"page_{9 + n}.tif", CUBE[n], compression=compression)
    images = open_images(tmp_path)
    np.testing.assert_array_equal(images["values"].values, CUBE)
    np.testing.assert_array_equal(images["values"].data[2, 3:5].compute(), CUBE[2, 3:5])


def test_a_cut_off_stack_gives_one_sentence(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack")
    raw = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(raw[:-500])
    with pytest.raises((FileError, InputError), match=r"a\.tif"):
        open_images(tmp_path / "a.tif").load()


@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((31, 512, 512), ("channel", "y", "x")),
        ((512, 500, 31), ("y", "x", "channel")),
        ((145, 145, 200), ("y", "x", "channel")),
        ((200, 145, 145), ("channel", "y", "x")),
        ((20, 300, 40), ("channel", "y", "x")),
        ((100, 80, 60), ("channel", "y", "x")),
        ((64, 64, 64), ("channel", "y", "x")),
        ((480, 640), ("y", "x")),
    ],
)
def test_axes_without_names_follow_the_stated_rule(shape: tuple[int, ...], dims: tuple[str, ...]) -> None:
    assert guess_dims(shape)[0] == dims


def test_a_single_pair_of_maps_is_a_stack_of_one_wavelength(ep4_folder: Path) -> None:
    ep4.write_table(ep4_folder / "m.ds.dat", [(633.0, 50.0, "d0.png", "p0.png")])
    assert dict(open_images(ep4_folder).sizes) == {"wavelength": 1, "y": 6, "x": 5}


def test_a_dm_file_of_energies_is_a_stack_over_energy(tmp_path: Path) -> None:
    steps = (*NM[:2], (2.0, "eV"))
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES, name="EFTEM", steps=steps)])
    images = open_images(tmp_path / "a.dm3")
    assert images["values"].dims == ("energy", "y", "x")
    np.testing.assert_array_equal(images["energy"], [0, 2, 4])
    np.testing.assert_array_equal(images["values"].values, SERIES)
