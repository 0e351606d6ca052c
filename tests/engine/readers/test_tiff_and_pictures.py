"""TIFF files and folders, and pictures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import xarray as xr
from PIL import Image

from engine.errors import FileError, InputError
from engine.preprocess.intensity import intensity
from engine.readers import describe, open_images
from engine.readers.images import tiff
from engine.simulate import ep4

Said = Callable[[xr.Dataset], list[str]]
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


def test_a_single_page_is_a_plain_image_and_a_coloured_one_has_channels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE[0])
    np.testing.assert_array_equal(open_images(tmp_path / "a.tif")["values"].values, CUBE[0])
    colours = CUBE.transpose(1, 2, 0).astype(np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", colours, photometric="rgb")
    np.testing.assert_array_equal(open_images(tmp_path / "b.tif")["values"].values, CUBE.astype(np.uint8))


def test_imagej_and_ome_pixel_sizes_are_taken_and_a_resolution_for_printers_is_not(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "i.tif", CUBE, imagej=True, resolution=(4, 2), metadata={"unit": "um"})
    sizes = {"PhysicalSizeX": 5.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 5.0, "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(tmp_path / "o.ome.tif", CUBE, metadata={"axes": "CYX", **sizes})
    tifffile.imwrite(
        tmp_path / "p.tif", CUBE, photometric="minisblack", resolution=(72, 72), resolutionunit=2
    )
    found = [describe(open_images(tmp_path / name))["pixel_size"] for name in ("i.tif", "o.ome.tif", "p.tif")]
    assert found == [{"y": 0.5, "x": 0.25, "units": "µm"}, {"y": 5.0, "x": 5.0, "units": "nm"}, None]


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_folder_of_pages_is_a_stack_in_natural_order(tmp_path: Path, compression: str | None) -> None:
    for n in (0, 1, 2):
        tifffile.imwrite(tmp_path / f"page_{9 + n}.tif", CUBE[n], compression=compression)
    images = open_images(tmp_path)
    np.testing.assert_array_equal(images["values"].values, CUBE)
    np.testing.assert_array_equal(images["values"].data[2, 3:5].compute(), CUBE[2, 3:5])


def test_odd_pages_of_a_folder_are_left_out_with_a_warning(tmp_path: Path, warnings_of: Said) -> None:
    tifffile.imwrite(tmp_path / "a1.tif", CUBE[0])
    tifffile.imwrite(tmp_path / "a2.tif", CUBE[1, :5])
    tifffile.imwrite(tmp_path / "a3.tif", CUBE, photometric="minisblack")
    (tmp_path / "a4.tif").write_bytes(b"II*\0broken")
    tifffile.imwrite(tmp_path / "a5.tif", CUBE[2])
    images = open_images(tmp_path)
    np.testing.assert_array_equal(images["values"].values, CUBE[[0, 2]])
    assert sorted(sentence.split()[0] for sentence in warnings_of(images)) == ["a2.tif", "a3.tif", "a4.tif"]


def test_a_folder_of_other_things_too_is_a_collection_and_without_images_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE[0])
    (tmp_path / "notes.txt").write_text("x")
    images = open_images(tmp_path)
    assert images.attrs["reader"] == "collection"
    np.testing.assert_array_equal(images["intensity"].values, CUBE[:1])
    (tmp_path / "a.tif").unlink()
    with pytest.raises(InputError, match="no format that Mapstack knows; there are: results, ellipsometry"):
        open_images(tmp_path)


def test_opening_an_uncompressed_stack_reads_no_pixels_and_a_page_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack")
    read: list[int] = []
    monkeypatch.setattr(tiff, "load_planes", lambda *arguments: read.append(1) or tiff_load(*arguments))
    images = open_images(tmp_path / "a.tif")
    assert read == []
    images["values"].data[1].compute()
    assert len(read) == 1


tiff_load = tiff.load_planes


def test_a_cut_off_stack_gives_one_sentence(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack")
    raw = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(raw[:-500])
    with pytest.raises((FileError, InputError), match=r"a\.tif"):
        open_images(tmp_path / "a.tif").load()


def test_pictures_open_grey_as_an_image_and_coloured_as_channels(tmp_path: Path, warnings_of: Said) -> None:
    grey, colours = CUBE[0].astype(np.uint8), CUBE.transpose(1, 2, 0).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(colours).convert("RGBA").save(tmp_path / "colours.png")
    Image.fromarray(CUBE[1]).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(open_images(tmp_path / "grey.png")["values"].values, grey)
    images = open_images(tmp_path / "colours.png")
    np.testing.assert_array_equal(images["values"].values, CUBE.astype(np.uint8))
    assert "transparency was left out" in warnings_of(images)[0]
    np.testing.assert_array_equal(open_images(tmp_path / "deep.png")["values"].values, CUBE[1])


def test_a_picture_of_one_bit_is_of_the_dtype_that_it_says(tmp_path: Path) -> None:
    Image.fromarray(CUBE[0] % 3 == 0).save(tmp_path / "a.png")
    images = open_images(tmp_path / "a.png")
    assert images["values"].values.dtype == images["values"].dtype == np.uint8
    np.testing.assert_array_equal(images["values"].values, CUBE[0] % 3 == 0)


def test_a_tiff_with_a_palette_keeps_its_numbers_and_says_their_colours(tmp_path: Path) -> None:
    numbers = (CUBE[0] % 6).astype(np.uint8)
    picture = Image.fromarray(numbers)
    picture.putpalette([255, 0, 0, 0, 128, 7] * 3)
    picture.save(tmp_path / "a.tif")
    images = open_images(tmp_path / "a.tif")
    np.testing.assert_array_equal(images["values"].values, numbers)
    assert json.loads(images.attrs["palette"])[:6] == [[255, 0, 0], [0, 128, 7]] * 3
    luma = np.array([0.299 * 255, 0.587 * 128 + 0.114 * 7])[numbers % 2]
    np.testing.assert_allclose(intensity(images), luma, rtol=1e-6)


def test_one_map_of_an_ellipsometer_is_refused_as_a_picture(tmp_path: Path) -> None:
    ep4.write_map(tmp_path / "a.png", np.ones((4, 5), np.float32))
    with pytest.raises(InputError, match="open the folder that it lies in"):
        open_images(tmp_path / "a.png")
