"""One image or series in a microscope's file, before it is brought into the data model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine.errors import FileError, InputError
from engine.readers.source import Planes, Source, lazy, load_planes, stamp, tile_chunks
from engine.schema import IMAGE, PIXEL

Scales = Mapping[str, tuple[float, str]]
"""Step and its units, of dims."""

MOST_IMAGES: Final = 10**6


@dataclass(frozen=True)
class Part:
    """An image or series: lazy values, what their axes are, and how far apart pixels lie in what units."""

    data: da.Array
    dims: tuple[str, ...]
    scales: Scales
    title: str = ""
    notes: tuple[str, ...] = ()
    first_energy: float = field(default=0.0)
    """Where a series over energies begins, in the units of its scale."""


def series(path: Path, *, offsets: Sequence[int], shape: tuple[int, int], dtype: np.dtype[Any]) -> da.Array:
    """Equal images that lie plainly in a file, dims (image, y, x), one chunk an image; read as they lie.

    Parameters
    ----------
    path
        The file.
    offsets
        Where each begins, in bytes.
    shape, dtype
        Rows and columns, and the numbers as stored; float16 is given as float32.

    Raises
    ------
    FileError
        If the file ends before.
    InputError
        If there is no pixel, or are too many images.
    """
    if not offsets or min(shape) < 1 or len(offsets) > MOST_IMAGES:
        sizes = " × ".join(map(str, (len(offsets), *shape)))
        raise InputError(f"{path.name} says that it holds {sizes} pixels; that is damaged or no image")
    n_bytes = int(shape[0]) * int(shape[1]) * dtype.itemsize
    if min(offsets) < 0 or max(offsets) + n_bytes > path.stat().st_size:
        raise FileError(f"{path.name} ends before its last value; copy the file again")
    planes = Planes((path,) * len(offsets), tuple(map(int, offsets)), dtype, int(shape[1]))
    whole_shape = (len(offsets), int(shape[0]), int(shape[1]))
    source = Source(load_planes, path, planes, whole_shape, dtype.newbyteorder("="), stamp(path))
    array = lazy(source, chunks=(1, *tile_chunks(whole_shape[1:], dtype.itemsize, spectral=None)))
    return array.astype(np.float32) if array.dtype == np.float16 else array


def drop_single_axes(data: da.Array) -> tuple[da.Array, tuple[str, ...]]:
    """Return a series with its dims; one of a single image is that image."""
    return (data[0], PIXEL) if data.shape[0] == 1 else (data, (IMAGE, *PIXEL))
