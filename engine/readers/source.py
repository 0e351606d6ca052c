"""An array in a file that is read by windows: what Dask is given instead of pixels.

A `Source` holds paths, offsets and keys only; a format brings the function that reads one window. The file
is opened anew for each window with plain reads: nothing is mapped into memory, nothing stays open, and a
source can be sent to a worker.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine.blocks import TILE_BYTES
from engine.errors import FileError
from engine.readers.guard import clear_errors

Window = tuple[slice, ...]
"""One slice with start and stop, and step 1, for each axis."""

Load = Callable[[Path, Any, Window], np.ndarray]
"""Reads a window of a part of a file."""

MOST_TILE_BYTES: Final = 8 * TILE_BYTES
"""A stored chunk that would make larger tiles than this is read several times, in bands."""


@dataclass(frozen=True)
class Source:
    """An array on disk: `load(path, part, window)` reads a part of it."""

    load: Load
    path: Path
    part: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stamp: tuple[int, int] = field(default=(0, 0))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        window, rest = split_index(index, self.shape)
        if any(part.stop <= part.start for part in window):
            return np.asarray(np.empty([part.stop - part.start for part in window], self.dtype)[rest])
        with clear_errors(self.path):
            if self.stamp != (0, 0) and stamp(self.path) != self.stamp:
                raise FileError(f"{self.path.name} has changed since it was opened; open it again")
            return np.asarray(self.load(self.path, self.part, window)[rest])


def stamp(path: Path) -> tuple[int, int]:
    """Return the size in bytes and time of change in ns: whether a file is still the one that was opened."""
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def split_index(index: Any, shape: tuple[int, ...]) -> tuple[Window, tuple[Any, ...]]:
    """Split an index into the window to read and the index to apply to what was read.

    Parameters
    ----------
    index
        Slices, integers, and at most one array of integers, as Dask asks for them.
    shape
        Of the whole array.

    Examples
    --------
    >>> split_index((3, slice(None, None, -2)), (5, 4))
    ((slice(3, 4, None), slice(1, 4, None)), (0, slice(None, None, -2)))
    """
    given = index if isinstance(index, tuple) else (index,)
    items = (*given, *(slice(None),) * (len(shape) - len(given)))
    parts = [_split_item(item, size) for item, size in zip(items, shape, strict=True)]
    return tuple(window for window, _ in parts), tuple(rest for _, rest in parts)


def _split_item(item: Any, size: int) -> tuple[slice, Any]:
    """Window along one axis, and what to take of it."""
    if isinstance(item, slice):
        picked = range(*item.indices(size))
        ends = (min(picked[0], picked[-1]), max(picked[0], picked[-1]) + 1) if len(picked) else (0, 0)
        return slice(*ends), slice(None, None, item.step)
    numbers = np.arange(size)[item]
    first = int(np.min(numbers, initial=size - 1))
    last = int(np.max(numbers, initial=-1))
    return slice(first, last + 1), numbers - first if numbers.ndim else 0


def lazy(source: Source, *, chunks: tuple[int | tuple[int, ...], ...]) -> da.Array:
    """Dask array of a source; selecting before computing reads only what is selected.

    Parameters
    ----------
    source : Source
        Array on disk.
    chunks : tuple
        Sizes of the chunks along each dim.
    """
    meta = np.empty((0,) * source.ndim, source.dtype)
    return da.from_array(source, chunks=chunks, meta=meta)  # with fancy=False Dask would not fuse selections


def tile_chunks(
    shape: tuple[int, ...],
    itemsize: int,
    *,
    spectral: int | None,
    stored: tuple[int, ...] | None = None,
) -> tuple[int, ...]:
    """Chunks of about `TILE_BYTES` with the spectral axis whole, made of whole stored chunks.

    Parameters
    ----------
    shape, itemsize
        Of the array as it is stored.
    spectral
        Number of the spectral axis, None for a plain image.
    stored
        Chunks of the file; without them rows lie one after the other, and tiles are row bands.
    """
    y, x = (axis for axis in range(len(shape)) if axis != spectral)
    pixel_bytes = itemsize * (shape[spectral] if spectral is not None else 1)
    n_pixels = max(1, TILE_BYTES // pixel_bytes)
    step_y, step_x = (stored[y], stored[x]) if stored else (1, shape[x])
    width = min(shape[x], max(1, n_pixels // step_y // step_x) * step_x)
    height = min(shape[y], max(1, n_pixels // width // step_y) * step_y)
    while height > 1 and height * width * pixel_bytes > MOST_TILE_BYTES:
        height = -(-height // 2)
    return tuple(height if a == y else width if a == x else shape[a] for a in range(len(shape)))


def whole(source: Source, *, spectral: int | None) -> da.Array:
    """Dask array of a source that can only be read as a whole: read once, then cut into tiles (views).

    Parameters
    ----------
    source : Source
        Array on disk.
    spectral : int, optional
        Number of the spectral axis; None where there is none.
    """
    array = lazy(source, chunks=source.shape)
    return array.rechunk(tile_chunks(source.shape, source.dtype.itemsize, spectral=spectral))


def stack_sources(path: Path, sources: tuple[Source, ...]) -> Source:
    """Return the sources of one shape and type as one array, the number of the source first.

    Parameters
    ----------
    path : Path
        The file.
    sources : tuple of Source
        Arrays on disk.
    """
    first = sources[0]
    return Source(_load_pile, path, sources, (len(sources), *first.shape), first.dtype)


def _load_pile(_path: Path, sources: tuple[Source, ...], window: Window) -> np.ndarray:
    picked, *rest = window
    return np.stack([source[tuple(rest)] for source in sources[picked]])


@dataclass(frozen=True)
class Planes:
    """Places of equal planes of `(y, x)` values in files."""

    paths: tuple[Path, ...]
    offsets: tuple[int, ...]
    dtype: np.dtype[Any]
    n_columns: int


def load_planes(_path: Path, planes: Planes, window: Window) -> np.ndarray:
    """Read a window `(plane, y, x)` by byte ranges, native byte order.

    Parameters
    ----------
    _path : Path
        The file.
    planes : Planes
        Places of the planes in files.
    window
        Rows and columns to read.
    """
    picked, rows, columns = window
    itemsize, step = planes.dtype.itemsize, planes.n_columns * planes.dtype.itemsize
    is_narrow = 2 * (columns.stop - columns.start) <= planes.n_columns
    first, last = (columns.start, columns.stop) if is_narrow else (0, planes.n_columns)
    out = np.empty((picked.stop - picked.start, rows.stop - rows.start, last - first), planes.dtype)
    for band, path, offset in zip(out, planes.paths[picked], planes.offsets[picked], strict=True):
        start = offset + rows.start * step + first * itemsize
        read_rows(path, start, band, step=step if is_narrow else None)
    if not planes.dtype.isnative:
        out = out.byteswap(inplace=True).view(planes.dtype.newbyteorder("="))
    return out if is_narrow else out[:, :, columns]


def read_rows(path: Path, offset: int, out: np.ndarray, *, step: int | None = None) -> None:
    """Fill a contiguous array with the bytes at an offset, or each of its rows, `step` bytes apart.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Position in the file in bytes.
    out : ndarray
        Array that is filled.
    step : int, optional
        Bytes from one row to the next; without it the array lies in one piece.

    Raises
    ------
    FileError
        If the file ends before.
    """
    with path.open("rb", buffering=0) as file:
        for n, piece in enumerate([out] if step is None else out):
            file.seek(offset + n * (step or 0))
            view = memoryview(piece.reshape(-1).view(np.uint8).data)
            n_read = 0
            while n_read < len(view) and (n_more := file.readinto(view[n_read:])):
                n_read += n_more
            if n_read < len(view):
                raise FileError(f"{path.name} ends before its last value; copy the file again")
