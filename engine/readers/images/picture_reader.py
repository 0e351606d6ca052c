"""Pictures: PNG, JPEG and BMP, a grey one as an image, a coloured one as red, green and blue channels."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers.ellipsometry import accurion_map
from engine.readers.guard import judge
from engine.readers.microscopes.sem_metadata import find_text_beside, read_metadata
from engine.readers.source import Source, Window, stamp, whole
from engine.readers.stack import stack
from engine.schema import CHANNEL, PIXEL

FORMATS: Final[Mapping[bytes, str]] = {accurion_map.SIGNATURE: "PNG", b"\xff\xd8\xff": "JPEG", b"BM": "BMP"}
"""First bytes of a file, and Pillow's name of the format."""

GREY: Final[Mapping[str, str]] = {"1": "u1", "L": "u1", "P": "u1", "I;16": "u2", "I": "i4", "F": "f4"}
"""Modes with one value a pixel, and its dtype; of a palette (P) the numbers: often they are labels."""

DEEP_COLOURS: Final = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR.{8}\x10[\x02\x04\x06]", re.DOTALL)
"""Head of a PNG with 16 bits a channel and more channels than one."""


def accepts(path: Path, head: bytes) -> bool:  # noqa: ARG001 - by content alone
    """Return whether this is a picture.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(tuple(FORMATS))


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open a picture, decoded as a whole when it is first needed.

    Attr `palette` of the images: the red, green and blue of each number of a picture with a palette, as JSON.
    Coordinates in nm, and attrs as of a TIFF, where an electron microscope wrote a text beside it.

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
    InputError
        If it is a bomb, a key is given, or it is one map of an ellipsometer (whose picture is only rounded).
    """
    from PIL import Image

    if key is not None:
        raise InputError(f"{path.name} is a picture and has no part {key!r}; leave the key out")
    _refuse_map(path)
    with Image.open(path, formats=list(FORMATS.values())) as picture:
        width, height = picture.size
        mode, colours = picture.mode, picture.getpalette()
    is_grey = mode in GREY
    shape = (height, width) if is_grey else (height, width, 3)
    dtype = np.dtype(GREY.get(mode, "u1"))
    declared = int(np.prod(shape, dtype=object)) * dtype.itemsize
    judge(path, declared=declared, stored=path.stat().st_size, whole=True)
    source = Source(_load, path, is_grey, shape, dtype, stamp(path))
    data = whole(source, spectral=None if is_grey else 2)
    taken = read_metadata(path, width=width)
    dims, notes = PIXEL if is_grey else (*PIXEL, CHANNEL), [*_notes(path, mode), *taken.notes]
    images = stack(data, dims=dims, coords=taken.coords(height, width), notes=notes)
    images = images.assign_attrs(taken.attrs())
    return images.assign_attrs({"palette": json.dumps(_triples(colours))} if mode == "P" and colours else {})


def files(path: Path) -> list[Path]:
    """Return the files that the images come from, with a microscope's text beside the picture."""
    text = find_text_beside(path)
    return [path] if text is None else [path, text]


def _notes(path: Path, mode: str) -> list[str]:
    """Return what of the picture was left out."""
    with path.open("rb") as file:
        is_deep = DEEP_COLOURS.match(file.read(32)) is not None
    transparent = ["The picture's transparency was left out."] if mode in ("RGBA", "LA", "PA") else []
    return transparent + (["Of the picture's 16 bits a channel, 8 were kept."] if is_deep else [])


def _triples(values: list[int]) -> list[list[int]]:
    return [values[n : n + 3] for n in range(0, len(values) - 2, 3)]


def _refuse_map(path: Path) -> None:
    """Refuse a map of an ellipsometer: what its picture shows is rounded and has no holes."""
    with path.open("rb") as file:
        is_png = file.read(len(accurion_map.SIGNATURE)) == accurion_map.SIGNATURE
    if is_png and accurion_map.find_map(path).has_floats:
        raise InputError(f"{path.name} is one map of an ellipsometer; open the folder that it lies in")


def _load(path: Path, is_grey: bool, window: Window) -> np.ndarray:
    from PIL import Image

    with Image.open(path, formats=list(FORMATS.values())) as picture:
        dtype = GREY.get(picture.mode, "u1")
        values = np.asarray(picture if is_grey else picture.convert("RGB"))
    return values[window].astype(dtype, copy=False)
