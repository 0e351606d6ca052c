"""Tests of `engine.readers.fits.image_units`."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import engine
from engine.readers.fits import image_units
from engine.readers.fits.image_units import Image as Image_
from engine.readers.fits.image_units import load
from engine.simulate.mosaic import Mosaic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_a_part_of_one_frame_reads_that_part_of_that_file(folder: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[str, tuple[slice, ...]]] = []

    def watched(path: Path, image: Image_, window: tuple[slice, ...]) -> np.ndarray:
        seen.append((path.name, window))
        return load(path, image, window)

    monkeypatch.setattr(image_units, "load", watched)
    images = engine.open(folder / "hard")
    assert seen == []
    part = images["values"][1, 3:9, 4:20].values
    np.testing.assert_array_equal(part, fits.getdata(folder / "hard" / "frame_001.fits")[3:9, 4:20])
    assert seen == [("frame_001.fits", (slice(3, 9, None), slice(4, 20, None)))]
