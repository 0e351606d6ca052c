"""Typed access to a result's classes and attributes, for whatever kind it is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema import columns as c
from engine.schema.names import CLASSES, LABEL, OBJECT, OBJECT_TABLE, WARNINGS
from engine.schema.result_parts import table


def names_of(result: xr.DataTree) -> dict[int, str]:
    """Return the class names of a result by label."""
    classes = table(result, CLASSES)
    return {int(i): str(n) for i, n in zip(classes[LABEL].values, classes[c.NAME].values, strict=True)}


def colors_of(result: xr.DataTree) -> dict[int, str]:
    """Return the class colours of a result, as `#rrggbb`, by label."""
    classes = table(result, CLASSES)
    return {int(i): str(n) for i, n in zip(classes[LABEL].values, classes[c.COLOR].values, strict=True)}


def warnings_of(images: xr.Dataset | xr.DataTree) -> list[str]:
    """Return the warnings that a reader or an analysis noted, one sentence each."""
    return list(json.loads(str(images.attrs.get(WARNINGS, "[]"))))


def with_class_column(result: xr.DataTree, column: str, values: Mapping[int, str]) -> xr.DataTree:
    """Return a result with other texts in one column of its table of classes.

    Parameters
    ----------
    result
        A result with classes; it is not changed.
    column
        Name of the column.
    values
        The new texts by label, for every class.
    """
    edited = result.copy()
    classes = table(edited, CLASSES)
    ordered = np.array([values[int(label)] for label in classes[LABEL].values])
    edited[CLASSES] = xr.DataTree(classes.assign({column: (LABEL, ordered, classes[column].attrs)}))
    return edited


def check_class(classes: Mapping[int, Any], label: int) -> int:
    """Return the label if it is one of the classes.

    Parameters
    ----------
    classes
        Anything by label.
    label
        The label that was asked for.

    Raises
    ------
    InputError
        If there is no such class.
    """
    if label not in classes:
        raise InputError(f"there is no class {label}; the classes are {', '.join(map(str, classes))}")
    return label


def check_objects(result: xr.DataTree, objects: Sequence[int], *, what: str = "object") -> np.ndarray:
    """Return the numbers of objects, each once, if all are in the table.

    Parameters
    ----------
    result
        A result with a table of objects.
    objects
        The numbers that were asked for.
    what
        Word for one of them, for the message.

    Raises
    ------
    InputError
        If one is not in the table.
    """
    numbers = table(result, OBJECT_TABLE)[OBJECT].values
    missing = sorted(set(objects) - set(numbers.tolist()))
    if missing:
        listed = ", ".join(map(str, missing[:5]))
        raise InputError(
            f"there is no {what} {listed}; the result has {numbers.size}, give numbers of its table"
        )
    return np.unique(np.asarray(objects, np.int64))


def replace_name(result: xr.DataTree, label: int, name: str) -> dict[int, str]:
    """Return the class names of a result by label, one of them replaced.

    Parameters
    ----------
    result
        A result with classes.
    label
        The class.
    name
        Its new name.

    Raises
    ------
    InputError
        If there is no such class, or the name is empty.
    """
    names = names_of(result)
    if not name.strip():
        raise InputError(f"class {label} was given an empty name; give it a word")
    names[check_class(names, label)] = name.strip()
    return names
