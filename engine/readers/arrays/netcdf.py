"""NetCDF: variables whose dims have names, lazily by slices; variables of equal dims are opened together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers.arrays import hdf5
from engine.readers.source import Source, Window, lazy, stamp, tile_chunks, whole
from engine.readers.stack import arrange_named

CLASSIC: Final = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
SUFFIXES: Final = (".nc", ".nc4", ".cdf", ".netcdf")


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is NetCDF: classic by content, version 4 by name and content.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(CLASSIC) or (head.startswith(hdf5.MAGIC) and path.suffix.lower() in SUFFIXES)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open variables lazily; `key` names one where their dims differ. A classic file is read as a whole.

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
        If there is no variable of 2 or 3 dims, several that differ and no key, or a part lies elsewhere.
    """
    with path.open("rb") as file:
        is_classic = file.read(4) in CLASSIC
    if not is_classic:
        _refuse_leaving(path)
    with _open_dataset(path, is_classic) as dataset:
        coords = {name: found.load() for name, found in dataset.coords.items() if found.ndim == 1}
        images = {
            name: (found.dims, _lazy(path, is_classic, found), found.attrs)
            for name, found in dataset.data_vars.items()
            if found.ndim in (2, 3) and 0 not in found.shape
        }
    return arrange_named(xr.Dataset(images, coords=coords), key=key, file_name=path.name)


def _open_dataset(path: Path, is_classic: bool) -> xr.Dataset:
    if is_classic:
        return xr.open_dataset(path, engine="scipy", backend_kwargs={"mmap": False}, decode_times=False)
    return xr.open_dataset(path, engine="h5netcdf", decode_times=False)


def _refuse_leaving(path: Path) -> None:
    """Refuse a file any part of which lies elsewhere, and one that claims far more than it holds."""
    for name, reason in hdf5.survey(path).refused.items():
        raise InputError(f"{path.name}::{name} {reason}; copy the data into one file and open that")


def _lazy(path: Path, is_classic: bool, found: xr.DataArray) -> da.Array:
    dims = tuple(map(str, found.dims))
    spectral = None if len(dims) == 2 else (hdf5.spectral_axis(dims) or 0)
    part = (str(found.name), is_classic)
    source = Source(_load, path, part, found.shape, np.dtype(found.dtype), stamp(path))
    if is_classic:
        return whole(source, spectral=spectral)
    stored = found.encoding.get("chunksizes")
    tiles = tile_chunks(found.shape, found.dtype.itemsize, spectral=spectral, stored=stored)
    return lazy(source, chunks=tiles)


def _load(path: Path, part: tuple[str, bool], window: Window) -> np.ndarray:
    name, is_classic = part
    with _open_dataset(path, is_classic) as dataset:
        return np.asarray(dataset[name].variable[window].values)
