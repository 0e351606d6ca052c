"""Our own stored results, read as images: labels and confidence as they lie at the root of the store."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import xarray as xr

from engine.errors import InputError
from engine.readers.arrays.zarr_stores import arrays_of, check_store, coords_of, dims_of, lazy_array
from engine.readers.guard import clear_errors
from engine.readers.stack import dumps, with_coordinates
from engine.schema import LABELS, PIXEL

MARKS: Final = ("mapstack_version", "recipe")
"""Root attrs that every result has."""

_ATTRS_BYTES: Final = 2**26


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is a store that Mapstack wrote.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return not head and path.is_dir() and set(MARKS) <= set(_attributes(path))


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open the maps of a stored result, lazily with the store's tiles.

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
        If a key is given: tables are read with `engine.load`.
    """
    if key is not None:
        raise InputError(f"{path.name} is a result, {key!r} cannot be opened as images; leave the key out")
    check_store(path)
    arrays = {name: array for name, array in arrays_of(path).items() if "/" not in name}
    maps = {name: array for name, array in arrays.items() if dims_of(array) == PIXEL}
    coords = {
        dim: (variable.values, str(variable.attrs["units"]) or "px")
        for name in list(maps)[:1]
        for dim, variable in coords_of(arrays, name, PIXEL).items()
    }
    images = xr.Dataset(
        {
            name: (PIXEL, lazy_array(path, name, array, PIXEL), _plain(array.attrs.asdict(), name))
            for name, array in maps.items()
        }
    )
    note = "This is a stored result: its labels and confidence are shown, not the measurement they come from."
    return with_coordinates(images, coords).assign_attrs(warnings=dumps([note]))


def _plain(attrs: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the attrs of a stored map without those that only say how it is stored."""
    kept = {key: value for key, value in attrs.items() if key not in ("_FillValue", "coordinates")}
    return {"units": "1", "long_name": name, **kept}


def open_labels(path: str | Path) -> xr.DataArray:
    """Open the label map of a stored result, with its flag attributes.

    Raises
    ------
    InputError
        If the folder is no result or has no labels.
    """
    where = Path(path)
    with clear_errors(where):
        if not accepts(where, b"") or LABELS not in (images := read(where, key=None, chunks=None)):
            raise InputError(
                f"{where.name} is no result with labels; give a folder written by 'mapstack run'"
            )
        return images[LABELS]


def _attributes(path: Path) -> dict[str, Any]:
    """Root attrs of a Zarr v3 group, empty if it is none."""
    document = path / "zarr.json"
    try:
        if document.stat().st_size > _ATTRS_BYTES:
            return {}
        attributes = json.loads(document.read_text(encoding="utf-8")).get("attributes")
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
    return attributes if isinstance(attributes, dict) else {}
