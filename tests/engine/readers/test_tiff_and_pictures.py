"""TIFF files and folders, and pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
import xarray as xr

from engine.readers import open_images

Said = Callable[[xr.Dataset], list[str]]


CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


def test_a_single_page_is_a_plain_image_and_a_coloured_one_has_channels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE[0])
    np.testing.assert_array_equal(open_images(tmp_path / "a.tif")["values"].values, CUBE[0])
    colours = CUBE.transpose(1, 2, 0).astype(np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", colours, photometric="rgb")
    np.testing.assert_array_equal(open_images(tmp_path / "b.tif")["values"].values, CUBE.astype(np.uint8))


def test_odd_pages_of_a_folder_are_left_out_with_a_warning(tmp_path: Path, warnings_of: Said) -> None:
    tifffile.imwrite(tmp_path / "a1.tif", CUBE[0])
    tifffile.imwrite(tmp_path / "a2.tif", CUBE[1, :5])
    tifffile.imwrite(tmp_path / "a3.tif", CUBE, photometric="minisblack")
    (tmp_path / "a4.tif").write_bytes(b"II*\0broken")
    tifffile.imwrite(tmp_path / "a5.tif", CUBE[2])
    images = open_images(tmp_path)
    np.testing.assert_array_equal(images["values"].values, CUBE[[0, 2]])
    assert sorted(sentence.split()[0] for sentence in warnings_of(images)) == ["a2.tif", "a3.tif", "a4.tif"]
