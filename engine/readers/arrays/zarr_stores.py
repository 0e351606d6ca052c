"""Zarr folders, versions 2 and 3: an array or a group of arrays, lazily in tiles made of their chunks."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.guard import inside, judge
from engine.readers.source import Source, Window, lazy, tile_chunks
from engine.readers.stack import DIM_NAMES, arrange_named, guess_dims, pick, stack
from engine.schema import PIXEL

DOCUMENTS: Final = ("zarr.json", ".zarray", ".zgroup")
CHUNK_BYTES: Final = 2**31
NUMBERS: Final = "fiub"
DEPTH: Final = 8


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is the folder of a Zarr store.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return not head and path.is_dir() and any((path / name).is_file() for name in DOCUMENTS)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open an array of a store lazily; `key` is its path where there are several.

    Arrays of the same named dims belong together and are opened together.

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
        If there is no image, several and no key, or a bomb.
    """
    n_bytes = check_store(path)
    arrays = arrays_of(path)
    images = {name: a for name, a in arrays.items() if a.ndim in (2, 3) and a.dtype.kind in NUMBERS}
    dims = {name: dims_of(array) for name, array in images.items()}
    together = len(set(dims.values())) == 1 and () not in dims.values()
    picked = pick(images, key=key, file_name=path.name, together=together)
    for name in picked:
        _judge(path, name, images[name], n_bytes)
    if dims[picked[0]]:
        made = {
            _leaf(name): (dims[name], lazy_array(path, name, images[name], dims[name])) for name in picked
        }
        dataset = xr.Dataset(made, coords=coords_of(arrays, picked[0], dims[picked[0]]))
        for name in picked:
            dataset[_leaf(name)].attrs.update(images[name].attrs.asdict())
        return arrange_named(dataset, key=None, file_name=path.name)
    ours, notes = guess_dims(images[picked[0]].shape)
    data = lazy_array(path, picked[0], images[picked[0]], ours)
    return stack(data, dims=ours, name=_leaf(picked[0]) or "values", notes=notes)


def check_store(path: Path) -> int:
    """Return the bytes of a store's files; no file of it may lie elsewhere.

    Raises
    ------
    FileError
        If a link leads out of the store.
    """
    n_bytes = 0
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            where = Path(folder, name)
            if where.is_symlink() and not inside(where, path):
                raise FileError(
                    f"{path.name} holds a link that leads out of it: {name}; copy what it leads to"
                )
        n_bytes += sum(os.lstat(Path(folder, name)).st_size for name in names)
    return n_bytes


def arrays_of(path: Path) -> dict[str, Any]:
    """Return all arrays of a store by their path in it."""
    import zarr

    opened = zarr.open(str(path), mode="r")
    if isinstance(opened, zarr.Array):
        return {"": opened}
    members = opened.members(max_depth=DEPTH)
    return {name: member for name, member in members if isinstance(member, zarr.Array)}


def _judge(path: Path, name: str, array: Any, n_bytes: int) -> None:
    judge(path, declared=int(array.nbytes), stored=n_bytes, whole=False)
    if int(np.prod(array.chunks, dtype=object)) * array.dtype.itemsize > CHUNK_BYTES:
        raise InputError(
            f"{path.name}::{name} is stored in chunks of more than 2 GB; store it in smaller ones"
        )


def dims_of(array: Any) -> tuple[str, ...]:
    """Return the names of an array's axes, empty if it has none."""
    named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    return tuple(map(str, named)) if len(named) == array.ndim and None not in named else ()


def coords_of(arrays: Mapping[str, Any], picked: str, dims: tuple[str, ...]) -> dict[str, Any]:
    """Return the coordinates that lie beside an array, named as its dims.

    Parameters
    ----------
    arrays : mapping of str to array
        Arrays of the store by name.
    picked : str
        Name of the array.
    dims : tuple of str
        Names of the dims.
    """
    folder = picked.rpartition("/")[0]
    beside = {dim: arrays.get(f"{folder}/{dim}" if folder else dim) for dim in dims}
    return {
        dim: xr.Variable((dim,), np.asarray(found[:]), {"units": str(found.attrs.get("units", ""))})
        for dim, found in beside.items()
        if found is not None and found.ndim == 1 and found.dtype.kind in NUMBERS
    }


def lazy_array(path: Path, name: str, array: Any, dims: tuple[str, ...]) -> da.Array:
    """Dask array of an array of a store, in tiles made of its own chunks.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its name.
    array : zarr.Array
        The array of the store.
    dims : tuple of str
        Names of the dims.
    """
    spectral = next((n for n, dim in enumerate(dims) if DIM_NAMES.get(dim.lower()) not in PIXEL), None)
    spectral = (0 if spectral is None else spectral) if len(dims) == 3 else None
    dtype = array.dtype.newbyteorder("=")
    source = Source(_load, path, name, tuple(map(int, array.shape)), dtype)
    tiles = tile_chunks(source.shape, dtype.itemsize, spectral=spectral, stored=tuple(map(int, array.chunks)))
    return lazy(source, chunks=tiles)


def _load(path: Path, name: str, window: Window) -> np.ndarray:
    import zarr

    opened: Any = zarr.open(str(path), path=name or None, mode="r")
    return np.asarray(opened[window])


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]
