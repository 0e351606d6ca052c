"""NetCDF: variables whose dims have names, lazily by slices; variables of equal dims are opened together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers import hdf5
from engine.readers.source import tile_chunks
from engine.readers.stack import DIM_NAMES, from_named
from engine.schema import PIXEL

CLASSIC: Final = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
SUFFIXES: Final = (".nc", ".nc4", ".cdf", ".netcdf")


def accepts(path: Path, head: bytes) -> bool:
    """Whether this is NetCDF: classic by content, version 4 by name and content."""
    return head.startswith(CLASSIC) or (head.startswith(hdf5.MAGIC) and path.suffix.lower() in SUFFIXES)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open variables lazily; `key` names one where their dims differ. A classic file is read as a whole.

    Raises
    ------
    InputError
        If there is no variable of 2 or 3 dims, several that differ and no key, or a part lies elsewhere.
    """
    with path.open("rb") as file:
        is_classic = file.read(4) in CLASSIC
    if is_classic:
        dataset = xr.open_dataset(path, engine="scipy", mmap=False, decode_times=False)
    else:
        _refuse_leaving(path)
        dataset = xr.open_dataset(path, engine="h5netcdf", decode_times=False)
    return from_named(tiled(dataset), key=key, file_name=path.name)


def _refuse_leaving(path: Path) -> None:
    refused = hdf5.survey(path).refused
    for name, reason in refused.items():
        raise InputError(f"{path.name}::{name} {reason}; copy the data into one file and open that")


def tiled(dataset: xr.Dataset) -> xr.Dataset:
    """Dataset whose variables of 2 and 3 dims are lazy, in tiles made of their stored chunks."""
    made: dict[Any, xr.Variable] = {}
    for name, found in dataset.data_vars.items():
        if found.ndim in (2, 3) and 0 not in found.shape:
            dims = tuple(map(str, found.dims))
            stored = found.encoding.get("chunksizes") or found.encoding.get("preferred_chunks")
            sizes = tuple(stored[d] for d in dims) if isinstance(stored, Mapping) else stored
            spectral = _spectral(dims)
            itemsize = np.dtype(found.dtype).itemsize
            wanted = tile_chunks(found.shape, itemsize, spectral=spectral, stored=sizes)
            made[name] = found.variable.chunk(dict(zip(dims, wanted, strict=True)))
    return dataset.assign(made)


def _spectral(dims: tuple[str, ...]) -> int | None:
    """Number of the axis that is neither y nor x by name; the first where names say nothing."""
    if len(dims) == 2:
        return None
    return next((n for n, dim in enumerate(dims) if DIM_NAMES.get(dim.lower()) not in PIXEL), 0)
