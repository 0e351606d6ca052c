"""A folder of FITS frames of one shape, as a stack of images; files of labels beside them are no frames."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers import fits
from engine.readers.fits_headers import survey
from engine.readers.stack import with_coordinates
from engine.schema import IMAGE, PIXEL, image_variables

FRAME: Final = re.compile(r".+\.(fits?|fts)(\.gz|\.fz)?", re.IGNORECASE)
LABELS_OF_FRAME: Final = re.compile(r"(?P<frame>.+)_(truth|labels?)\.[a-z.]+", re.IGNORECASE)
"""Names of files that hold the labels of a frame, and that frame's stem."""
DEPTH: Final = 2
"""Folders within the folder that are looked into."""


def accepts(path: Path, head: bytes) -> bool:
    """Whether this is a folder with FITS frames in it."""
    return not head and path.is_dir() and bool(frames_in(path))


def frames_in(path: Path) -> list[Path]:
    """The frames of a folder and its subfolders, in the order of their names."""
    return [file for file in files(path) if not LABELS_OF_FRAME.fullmatch(file.name)]


def files(path: Path) -> list[Path]:
    """The frames of a folder and the labels in FITS beside them: all that a lesson comes from."""
    found = []
    for folder, below, names in os.walk(path):
        here = Path(folder)
        if len(here.relative_to(path).parts) >= DEPTH:
            below.clear()
        found += [here / name for name in names if FRAME.fullmatch(name)]
    return sorted(found)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:
    """Open the frames of a folder lazily, dims (image, y, x); coordinate `file` says which is which.

    Frames of several amplifiers are put together; `key` is that of each file otherwise.

    Raises
    ------
    InputError
        If the frames differ in shape, or one cannot be opened.
    """
    found = frames_in(path)
    frames = [_frame(file, key, chunks) for file in found]
    names = image_variables(frames[0])
    shapes = {tuple(frame[names[0]].shape): file for frame, file in zip(frames, found, strict=True)}
    if len(shapes) > 1 or len(next(iter(shapes))) != 2:
        told = ", ".join(
            f"{file.name} {'×'.join(map(str, shape))}" for shape, file in list(shapes.items())[:3]
        )
        raise InputError(
            f"{path.name} holds frames of different shapes ({told}); give a folder of frames of one shape"
        )
    first = frames[0][names[0]]
    data = da.stack([frame[names[0]].data for frame in frames])
    stacked = xr.Dataset({names[0]: ((IMAGE, *PIXEL), data, first.attrs)})
    images = with_coordinates(stacked, {})
    places = np.array([file.relative_to(path).as_posix() for file in found], dtype=str)
    kept = {
        name: value
        for name, value in frames[0].attrs.items()
        if all(frame.attrs.get(name) == value for frame in frames)
    }
    return images.assign_coords(file=(IMAGE, places, {"units": "1", "long_name": "file"})).assign_attrs(kept)


def _frame(file: Path, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:
    """One frame, its amplifiers put together where it has several."""
    if key is None and has_amplifiers(file):
        key = fits.MOSAIC
    return fits.read(file, key=key, chunks=chunks)


def has_amplifiers(file: Path) -> bool:
    """Whether a file holds no image of its own but those of a detector's amplifiers."""
    hdus, _ = survey(file)
    images = [hdu for hdu in hdus if hdu.is_image]
    return len(images) > 1 and all("DETSEC" in hdu.cards for hdu in images)
