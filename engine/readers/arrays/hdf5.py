"""HDF5: arrays in a tree, read by slices; whatever would lead out of the file's folder is refused.

HDF5 can hold links to other files, data stored in other files, and virtual data sets made of other files.
Such a file could show its reader any file the server may read, so all links are looked at first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers.guard import inside, judge
from engine.readers.source import Source, Window, lazy, stamp, tile_chunks
from engine.readers.stack import DIM_NAMES, arrange_named, guess_dims, pick, stack
from engine.schema import PIXEL

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
NUMBERS: Final = "fiub"
CHUNK_BYTES: Final = 2**31
DEPTH: Final = 8


@dataclass(frozen=True)
class Array:
    """One data set of numbers with 2 or 3 axes."""

    path: Path
    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: tuple[int, ...] | None
    dims: tuple[str, ...]
    """Names that the file gives its axes, empty if it names not all of them."""

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class Survey:
    """The arrays of a file that may be read, and why others may not."""

    arrays: Mapping[str, Array]
    refused: Mapping[str, str]


def accepts(path: Path, head: bytes) -> bool:  # noqa: ARG001 - by content alone
    """Return whether this is HDF5.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(MAGIC)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open a data set lazily; `key` is its path in the file where there are several.

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
        If there is none, several and no key, or what is asked for lies outside the file's folder.
    """
    array = choose(survey(path), key=key, path=path)
    if array.dims:
        variable = xr.Variable(array.dims, lazy_array(array, spectral=spectral_axis(array.dims)))
        return arrange_named(xr.Dataset({array.name: variable}), key=None, file_name=path.name)
    dims, notes = guess_dims(array.shape)
    data = lazy_array(array, spectral=spectral_axis(dims))
    return stack(data, dims=dims, name=array.name, notes=notes)


def spectral_axis(dims: tuple[str, ...]) -> int | None:
    """Return the number of the first axis that is neither y nor x by our names."""
    return next((n for n, dim in enumerate(dims) if DIM_NAMES.get(dim.lower()) not in PIXEL), None)


def choose(found: Survey, *, key: str | None, path: Path) -> Array:
    """Return the array to open.

    Parameters
    ----------
    found : Survey
        Arrays and links of the file.
    key : str, optional
        Part of the file that was asked for; None for the whole.
    path : Path
        The file.

    Raises
    ------
    InputError
        If it is refused, absent or not the only one.
    """
    refused = (
        dict(found.refused)
        if key is None
        else {n: r for n, r in found.refused.items() if n == key.strip("/")}
    )
    if refused and (key is not None or not found.arrays):
        name, reason = next(iter(refused.items()))
        raise InputError(f"{path.name}::{name} {reason}; copy the data into one file and open that")
    wide = {name: array for name, array in found.arrays.items() if min(array.shape) > 1}
    return found.arrays[pick(wide if key is None and wide else found.arrays, key=key, file_name=path.name)[0]]


def lazy_array(array: Array, *, spectral: int | None) -> da.Array:
    """Dask array of a data set, in tiles made of its own chunks.

    Parameters
    ----------
    array : Array
        Data set of the file.
    spectral : int, optional
        Number of the spectral axis; None where there is none.
    """
    source = Source(_load, array.path, array.key, array.shape, array.dtype, stamp(array.path))
    chunks = tile_chunks(array.shape, array.dtype.itemsize, spectral=spectral, stored=array.stored)
    return lazy(source, chunks=chunks)


def _load(path: Path, key: str, window: Window) -> np.ndarray:
    import h5py
    import hdf5plugin  # noqa: F401 - registers the compression filters that detectors use

    with h5py.File(path, "r", locking="best-effort") as file:
        return np.asarray(file[key][window])


def survey(path: Path, *, depth: int = 0) -> Survey:
    """Look at all data sets and links of a file without following any link.

    Soft links are not arrays of their own: what they lead to is found under its own name.

    Parameters
    ----------
    path : Path
        The file.
    depth : int
        Groups below groups that are looked at.
    """
    import h5py

    arrays: dict[str, Array] = {}
    refused: dict[str, str] = {}

    def look_at_link(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            refused[name] = "leads to another file"

    def look_at(name: str, found: Any) -> None:
        if not isinstance(found, h5py.Dataset):
            return
        reason = _leaves(found, path, depth)
        if reason:
            refused[name] = reason
        elif found.ndim in (2, 3) and found.dtype.kind in NUMBERS and min(found.shape) > 0:
            arrays[name] = _array(path, name, found)

    with h5py.File(path, "r", locking="best-effort") as file:
        file.visititems_links(look_at_link)
        file.visititems(look_at)
    return Survey(arrays, refused)


def _array(path: Path, name: str, found: Any) -> Array:
    declared = int(found.size) * found.dtype.itemsize
    virtual_bytes = declared if found.is_virtual else 0
    judge(path, declared=declared, stored=int(found.id.get_storage_size()) + virtual_bytes, whole=False)
    if found.chunks and int(np.prod(found.chunks, dtype=object)) * found.dtype.itemsize > CHUNK_BYTES:
        raise InputError(
            f"{path.name}::{name} is stored in chunks of more than 2 GB; store it in smaller ones"
        )
    labels = tuple(str(dim.label).strip() for dim in found.dims)
    known = labels if all(labels) and len(set(labels)) == len(labels) else ()
    native = found.dtype.newbyteorder("=")
    return Array(path, name, tuple(map(int, found.shape)), native, found.chunks, known)


def _leaves(found: Any, path: Path, depth: int) -> str:
    """Why a data set may not be read, empty if it may."""
    if found.external:
        return "keeps its data in another file"
    if not found.is_virtual:
        return ""
    sources = {(str(source.file_name), str(source.dset_name)) for source in found.virtual_sources()}
    for name, key in sorted(sources):
        where = path if name == "." else path.parent / name
        if "%" in name or Path(name).is_absolute() or not inside(where, path.parent) or not where.is_file():
            return "is put together from files outside its folder"
        if where == path:
            continue
        if depth >= DEPTH or key.strip("/") not in survey(where, depth=depth + 1).arrays:
            return "is put together from data that may not be read"
    return ""
