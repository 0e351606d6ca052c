"""Maps and tables of a result: label maps with the names of their classes, and access with clear errors."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema.names import LABELS


def label_map(labels: xr.DataArray, names: Mapping[int, str]) -> xr.DataArray:
    """Attach CF flag attributes to a map of labels.

    Parameters
    ----------
    labels : DataArray, dims (y, x), unsigned
        0 = no label; the others are keys of `names`.
    names : mapping of int to str
        Class names by value, not necessarily consecutive; blanks become `_` in `flag_meanings`.
    """
    values = np.array(sorted(names), dtype=labels.dtype)
    meanings = " ".join("_".join(names[i].split()) or f"class_{i}" for i in sorted(names))
    attrs = {"long_name": "class", "units": "1", "flag_values": values, "flag_meanings": meanings}
    return labels.rename(LABELS).assign_attrs(attrs)


def labels_dtype(n_classes: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest unsigned dtype that holds the labels 0...n_classes."""
    return np.dtype(np.min_scalar_type(n_classes))


def class_names(labels: xr.DataArray) -> dict[int, str]:
    """Return the class names by value, from the CF flag attributes."""
    values = np.atleast_1d(labels.attrs.get("flag_values", [])).tolist()
    meanings = str(labels.attrs.get("flag_meanings", "")).split()
    return dict(zip(values, meanings, strict=False))


def pixel_map(result: xr.DataTree, name: str) -> xr.DataArray:
    """Return a `(y, x)` variable of a result's root.

    Parameters
    ----------
    result : DataTree
        The result.
    name : str
        Name of the map.

    Raises
    ------
    InputError
        If the result has none of that name.
    """
    if name not in result.data_vars:
        there = ", ".join(map(str, result.data_vars)) or "no maps"
        raise InputError(f"the result has no {name!r}; it has {there}")
    return result.dataset[name]


def table(result: xr.DataTree, name: str) -> xr.Dataset:
    """Return a table of a result, such as its classes.

    Parameters
    ----------
    result : DataTree
        The result.
    name : str
        Name of the table's group.

    Raises
    ------
    InputError
        If the result has none of that name.
    """
    if name not in result.children:
        raise InputError(f"the result has no table {name!r}; it has {', '.join(result.children) or 'none'}")
    return result.children[name].to_dataset(inherit=False)  # columns y and x are no coordinates of the maps
