"""Rename and recolour classes, for every kind of result that has some."""

import re

import xarray as xr

from engine.errors import InputError
from engine.schema import columns as c
from engine.schema.accessors import check_class, colors_of, replace_name, with_class_column


def rename(result: xr.DataTree, images: xr.Dataset, *, label: int, name: str) -> xr.DataTree:  # noqa: ARG001
    """Give a class another name.

    Parameters
    ----------
    result
        A result with classes.
    images
        Not needed; every edit gets them.
    label
        The class.
    name
        Its new name.

    Raises
    ------
    InputError
        If there is no such class, or the name is empty.
    """
    return with_class_column(result, c.NAME, replace_name(result, label, name))


def recolour(result: xr.DataTree, images: xr.Dataset, *, label: int, color: str) -> xr.DataTree:  # noqa: ARG001
    """Give a class another colour.

    Parameters
    ----------
    result
        A result with classes.
    images
        Not needed; every edit gets them.
    label
        The class.
    color
        Its new colour as `#rrggbb`.

    Raises
    ------
    InputError
        If there is no such class, or the colour is no colour.
    """
    colors = colors_of(result)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise InputError(f"{color!r} is no colour; give it as #rrggbb")
    colors[check_class(colors, label)] = color
    return with_class_column(result, c.COLOR, colors)
