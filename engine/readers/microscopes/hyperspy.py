"""HyperSpy's `.hspy`: an HDF5 tree of experiments whose axes have names, scales and units."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.readers.arrays import hdf5
from engine.readers.arrays.hdf5 import Array
from engine.readers.stack import Coordinate, axis, pick, stack
from engine.schema import CHANNEL, ENERGY, IMAGE, WAVELENGTH, X, Y

SPECTRAL_UNITS: Final = {"eV": ENERGY, "nm": WAVELENGTH}
"""What an axis of values with these units is."""


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is an HDF5 file called `.hspy`.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(hdf5.MAGIC) and path.suffix.lower() == ".hspy"


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open an experiment lazily: a spectrum image, a stack of images or an image.

    Energies are given in eV; `key` is the experiment's name where there are several.

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
        If there is no such experiment, or it is neither image nor stack.
    """
    arrays = {
        name.split("/")[1]: array
        for name, array in hdf5.survey(path).arrays.items()
        if name.startswith("Experiments/") and name.endswith("/data") and name.count("/") == 2
    }
    experiment = pick(arrays, key=key, file_name=path.name)[0]
    array = arrays[experiment]
    axes = _axes(path, array)
    dims = _dims(axes, path, experiment)
    coords = {
        dim: made for dim, facts in zip(dims, axes, strict=True) if (made := _coordinate(facts)) is not None
    }
    spectral = next((n for n, dim in enumerate(dims) if dim not in (Y, X)), None)
    data = hdf5.lazy_array(array, spectral=spectral)
    return stack(data, dims=dims, coords=coords).assign_attrs(title=experiment)


def _axes(path: Path, array: Array) -> list[dict[str, Any]]:
    """Return facts about each axis, in the order of the array's axes."""
    import h5py

    group = array.key.rpartition("/")[0]
    with h5py.File(path, "r", locking="best-effort") as file:
        found = [file.get(f"{group}/axis-{n}") for n in range(len(array.shape))]
        facts = [dict(item.attrs) if item is not None else {} for item in found]
    for one, size in zip(facts, array.shape, strict=True):
        one["length"] = size
    return facts


def _dims(axes: list[dict[str, Any]], path: Path, experiment: str) -> tuple[str, ...]:
    """Name each axis: the values of a map of spectra, or the steps of a stack, are the spectral one."""
    moving = [bool(facts.get("navigate", False)) for facts in axes]
    if len(axes) == 2 and moving.count(True) != 1:
        return Y, X
    if len(axes) == 3 and moving.count(True) in (1, 2):
        odd = moving.index(moving.count(True) == 1)
        made = _coordinate(axes[odd])
        stacked = IMAGE if moving[odd] else CHANNEL
        name = stacked if made is None or moving[odd] else SPECTRAL_UNITS.get(made[1], CHANNEL)
        rest = iter((Y, X))
        return tuple(name if n == odd else next(rest) for n in range(3))
    raise InputError(
        f"{path.name}::{experiment} is neither an image nor a stack of images; give one with y and x"
    )


def _coordinate(facts: dict[str, Any]) -> Coordinate | None:
    units = facts.get("units", "")
    spelled = units.decode("utf-8", "replace") if isinstance(units, bytes) else str(units)
    scale, offset = (float(np.asarray(facts.get(name, default)).ravel()[0]) for name, default in _SCALING)
    return axis(facts["length"], scale=scale, offset=offset, units=spelled)


_SCALING: Final = (("scale", 0.0), ("offset", 0.0))
