"""A folder of FITS frames of one shape, as a stack of images; files of labels beside them are no frames."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers.fits import fits_reader
from engine.readers.fits.headers import Hdu, is_packed, survey
from engine.readers.guard import clear_errors, inside
from engine.readers.source import Source, lazy, stack_sources
from engine.readers.stack import Coordinate, dumps, with_coordinates
from engine.schema import IMAGE, PIXEL, image_variables

FRAME: Final = re.compile(r"[^.].*\.(fits?|fts)(\.gz|\.fz)?", re.IGNORECASE)
LABELS_OF_FRAME: Final = re.compile(r"(?P<frame>.+)_(truth|labels?)\.[a-z.]+", re.IGNORECASE)
"""Names of files that hold the labels of a frame, and that frame's stem."""
DEPTH: Final = 2
"""Folders within the folder that are looked into."""

_MOST_TOLD: Final = 10


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is a folder with FITS frames in it.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return not head and path.is_dir() and bool(frames_in(path))


def frames_in(path: Path) -> list[Path]:
    """Return the frames of a folder and its subfolders, in the order of their names."""
    return [file for file in files(path) if is_frame(file)]


def is_frame(file: Path) -> bool:
    """Return whether a file is FITS by its name, and not called the labels of a frame."""
    return bool(FRAME.fullmatch(file.name)) and not LABELS_OF_FRAME.fullmatch(file.name)


def files(path: Path) -> list[Path]:
    """Return the frames of a folder and the labels beside them, in any format: all that is trained on."""
    found = []
    for folder, below, names in os.walk(path):
        here = Path(folder)
        below[:] = [name for name in below if not name.startswith(".")]
        if len(here.relative_to(path).parts) >= DEPTH:
            below.clear()
        found += [here / name for name in names if FRAME.fullmatch(name) or LABELS_OF_FRAME.fullmatch(name)]
    return sorted(file for file in found if inside(file, path))


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:
    """Open the frames of a folder lazily, dims (image, y, x); coordinate `file` says which is which.

    Frames of several amplifiers are put together; `key` is that of each file otherwise. Attrs are those
    that all frames share; of the header, the cards that all share.

    Parameters
    ----------
    path
        The file or folder.
    key
        Part of it that `::KEY` picks; None for the whole.
    chunks : mapping of str to int, optional
        Pixels of a tile along `y` and `x`.

    Raises
    ------
    FileError
        If a frame is damaged.
    InputError
        If the frames differ in shape, or one holds no single image.
    """
    found = frames_in(path)
    if not found:
        raise InputError(f"{path.name} holds no FITS frame; give a folder of frames")
    opened = [_frame(file, key, chunks) for file in found]
    frames = [frame for frame, _ in opened]
    name = image_variables(frames[0])[0]
    planes = [frame[name] for frame in frames]
    _check_shapes(path, found, planes)
    places = [file.relative_to(path).as_posix() for file in found]
    data = _stack_frames(path, planes, tuple(source for _, source in opened))
    stacked = xr.Dataset({name: ((IMAGE, *PIXEL), data, planes[0].attrs)})
    file_names = (IMAGE, np.array(places, dtype=str), {"units": "1", "long_name": "file"})
    images = with_coordinates(stacked, _shared_coordinates(frames)).assign_coords(file=file_names)
    return images.assign_attrs(_shared_attrs(frames), warnings=dumps(_notes(frames, places)))


def _frame(file: Path, key: str | None, chunks: Mapping[str, int] | None) -> tuple[xr.Dataset, Source]:
    """Return one frame, its amplifiers put together where it has several, and what it is read from."""
    with clear_errors(file), fits_reader.name_file_in_errors(file):
        hdus, notes = survey(file)
        if key is None and are_amplifiers(hdus):
            key = fits_reader.MOSAIC
        return fits_reader.images_of(file, hdus, notes, key=key, chunks=chunks)


def _stack_frames(path: Path, planes: Sequence[xr.DataArray], sources: tuple[Source, ...]) -> da.Array:
    """Return frames as one array.

    Of those that are not packed, a part is read without the rest of its frame.
    """
    if len({source.dtype for source in sources}) > 1 or any(is_packed(source.path) for source in sources):
        return da.stack([plane.data for plane in planes])
    return lazy(stack_sources(path, sources), chunks=((1,) * len(sources), *planes[0].data.chunks))


def has_amplifiers(file: Path) -> bool:
    """Return whether a file holds no image of its own but those of a detector's amplifiers."""
    return are_amplifiers(survey(file)[0])


def are_amplifiers(hdus: Sequence[Hdu]) -> bool:
    """Return whether all images of a file are those of a detector's amplifiers, and there are several."""
    images = [hdu for hdu in hdus if hdu.is_image]
    return len(images) > 1 and all("DETSEC" in hdu.cards for hdu in images)


def _check_shapes(path: Path, found: Sequence[Path], planes: Sequence[xr.DataArray]) -> None:
    shapes: dict[tuple[int, ...], Path] = {}
    for file, plane in zip(found, planes, strict=True):
        shapes.setdefault(plane.shape, file)
    told = ", ".join(f"{file.name} {' × '.join(map(str, shape))}" for shape, file in list(shapes.items())[:3])
    if len(shapes) > 1:
        raise InputError(
            f"{path.name} holds frames of different shapes ({told}); give a folder of frames of one shape"
        )
    if planes[0].dims != PIXEL:
        raise InputError(f"{path.name} holds stacks, not frames ({told}); open them one by one")


def _shared_coordinates(frames: Sequence[xr.Dataset]) -> dict[str, Coordinate]:
    """Return the coordinates of y and x that are the same in all frames."""
    found = [{dim: (frame[dim].values, str(frame[dim].attrs["units"])) for dim in PIXEL} for frame in frames]
    return {
        dim: (values, units)
        for dim, (values, units) in found[0].items()
        if all(np.array_equal(other[dim][0], values) and other[dim][1] == units for other in found)
    }


def _shared_attrs(frames: Sequence[xr.Dataset]) -> dict[str, Any]:
    """Return the attrs that are the same in all frames, and the cards of the header that are."""
    first = frames[0].attrs
    kept = {name: value for name, value in first.items() if all(f.attrs.get(name) == value for f in frames)}
    cards = str(first.get("header", "")).split("\n")
    for frame in frames:
        others = set(str(frame.attrs.get("header", "")).split("\n"))
        cards = [card for card in cards if card in others]
    return {**kept, "header": "\n".join(cards)}


def _notes(frames: Sequence[xr.Dataset], places: Sequence[str]) -> list[str]:
    """Return the sentences for the user, each with the frames that it is about where these are not all."""
    about: dict[str, list[str]] = {}
    for frame, place in zip(frames, places, strict=True):
        for sentence in json.loads(frame.attrs["warnings"]):
            about.setdefault(sentence, []).append(place)
    told = [
        sentence if len(where) == len(frames) else f"{_join_names(where)}: {sentence}"
        for sentence, where in about.items()
    ]
    n_more = len(told) - _MOST_TOLD
    return told[:_MOST_TOLD] + ([f"There are {n_more} more warnings of single frames."] if n_more > 0 else [])


def _join_names(places: Sequence[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
