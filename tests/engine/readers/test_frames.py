"""Folders of frames, their labels, the sky they show, and the one intensity of whatever a file holds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits

import engine
from engine.errors import FileError, InputError
from engine.preprocess.intensity import intensity
from engine.simulate.mosaic import Mosaic

Said = Callable[[xr.Dataset], list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_what_is_wrong_with_one_frame_is_said_with_its_name(folder: Path, warnings_of: Said):
    frame = folder / "easy" / "frame_001.fits"
    with fits.open(frame, mode="append") as file:
        file.append(fits.ImageHDU(np.zeros((64, 64), np.int16)))
    frame.write_bytes(frame.read_bytes()[:-5000])
    assert "easy/frame_001.fits: HDU 1 is cut off; copy the file again." in warnings_of(engine.open(folder))
    frame.write_bytes(frame.read_bytes()[:4000])
    with pytest.raises(FileError, match=r"frame_001\.fits"):
        engine.open(folder)


def test_what_holds_several_images_has_no_single_intensity():
    stack = xr.Dataset({"delta": (("wavelength", "y", "x"), np.zeros((11, 4, 4)))})
    with pytest.raises(InputError, match="there are 11 wavelengths; give a single frame"):
        intensity(stack)
