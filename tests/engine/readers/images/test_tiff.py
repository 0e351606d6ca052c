"""Tests of `engine.readers.images.tiff`."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.preprocess.intensity import intensity
from engine.readers import open_images
from engine.readers.images import tiff

CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


tiff_load = tiff.load_planes


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
