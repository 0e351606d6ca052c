"""The data model: how images, label maps and results are laid out, and checks for it.

This is the one place where the name of a dimension or a stored variable is spelled.

Images
    `xarray.Dataset`; the last dims of every image variable are `(y, x)`, before them at most one of
    `SPECTRAL`. The spectral dim is one chunk, a chunk of `(y, x)` is a tile. NaN = no data. Optional
    `mask(y, x)`, True = excluded, and `weights(y, x)`, >= 0. Every variable and coordinate has `units`.
Label map
    unsigned `labels(y, x)`; 0 = no label, classes from 1, named in CF `flag_values`/`flag_meanings`.
Result
    `xarray.DataTree` with `labels` and `confidence` at the root and one group a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from engine.errors import InputError

Y: Final = "y"
X: Final = "x"
PIXEL: Final = (Y, X)
WAVELENGTH: Final = "wavelength"
ANGLE: Final = "angle"
ENERGY: Final = "energy"
CHANNEL: Final = "channel"
IMAGE: Final = "image"
SPECTRAL: Final = (WAVELENGTH, ANGLE, ENERGY, CHANNEL, IMAGE)

DELTA: Final = "delta"
PSI: Final = "psi"
MASK: Final = "mask"
WEIGHTS: Final = "weights"

LABELS: Final = "labels"
CONFIDENCE: Final = "confidence"
OBJECTS: Final = "objects"
LABEL: Final = "label"
OBJECT: Final = "object"
CHANGE: Final = "change"
CLASSES: Final = "classes"
SPECTRA: Final = "spectra"
ENTROPY: Final = "entropy"
OBJECT_TABLE: Final = "object_table"
IMAGE_TABLE: Final = "image_table"
FRACTIONS: Final = "fractions"
FEATURES: Final = "features"
AUDIT: Final = "audit"
PICTURES: Final = "pictures"
KNOWN: Final = "known"
TILES: Final = "tiles"
EXAMPLE: Final = "example"
RANK: Final = "rank"
WARNINGS: Final = "warnings"
RUNTIME: Final = "runtime"
RETRAINED: Final = "retrained"
"""Attr of a result that was judged anew: how good the correction is on parents that it did not see."""

STATISTICS: Final = ("mean", "std", "median", "mad", "q05", "q95", "count")
LUMA: Final = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the intensity of a colour picture (ITU-R BT.601)."""
PERIODS: Final = {DELTA: 360.0}
"""Variables that are angles on a circle, and the circle's length in the variable's units."""


@dataclass(frozen=True)
class Variable:
    """What one stored variable must look like."""

    name: str
    dims: tuple[str, ...]
    kind: str
    units: str
    doc: str


RESULT_VARIABLES: Final = (
    Variable(LABELS, PIXEL, "u", "1", "class of each pixel, 0 = no data"),
    Variable(CONFIDENCE, PIXEL, "f", "1", "best minus second class, 0 to 1"),
    Variable(ENTROPY, PIXEL, "f", "1", "entropy of the class probabilities, 0 to 1: all alike"),
    Variable(OBJECTS, PIXEL, "u", "1", "instance of each pixel, 0 = none"),
)


def image_variables(images: xr.Dataset) -> list[str]:
    """Names of the variables that hold pixel values: all with dims `(..., y, x)` but mask and weights."""
    return [
        str(name)
        for name, variable in images.data_vars.items()
        if name not in (MASK, WEIGHTS) and variable.dims[-2:] == PIXEL
    ]


def spectral_dim(images: xr.Dataset) -> str | None:
    """Name of the spectral dim that the image variables share, None for plain images."""
    found = {str(d) for name in image_variables(images) for d in images[name].dims if d not in PIXEL}
    return found.pop() if found else None


def is_ellipsometry(images: xr.Dataset) -> bool:
    """Whether the images are ellipsometric: both Delta and Psi are there."""
    return DELTA in images.data_vars and PSI in images.data_vars


def check(images: xr.Dataset) -> xr.Dataset:
    """Return the images unchanged if they follow the data model.

    Raises
    ------
    InputError
        If there is no image variable, dims are wrong, or mask and weights do not fit.
    """
    names = image_variables(images)
    if not names:
        raise InputError(
            f"no image variable with last dims (y, x) among {sorted(map(str, images.data_vars))};"
            " give each image the dims (y, x) or (wavelength, y, x)"
        )
    leading = {images[name].dims[:-2] for name in names}
    if len(leading) > 1 or len(next(iter(leading))) > 1 or not set(next(iter(leading))) <= set(SPECTRAL):
        raise InputError(
            f"image variables have the leading dims {sorted(map(str, leading))};"
            f" expected the same for all, at most one of {', '.join(SPECTRAL)}"
        )
    for name in names:
        if images[name].dtype.kind not in "fiub":
            raise InputError(f"image variable {name!r} holds {images[name].dtype} values; expected numbers")
    for name in (MASK, WEIGHTS):
        if name in images and images[name].dims != PIXEL:
            raise InputError(f"{name!r} has the dims {images[name].dims}; expected (y, x)")
    return images


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
    """Class names by value, from the CF flag attributes."""
    values = np.atleast_1d(labels.attrs.get("flag_values", [])).tolist()
    meanings = str(labels.attrs.get("flag_meanings", "")).split()
    return dict(zip(values, meanings, strict=False))


def pixel_map(result: xr.DataTree, name: str) -> xr.DataArray:
    """Return a `(y, x)` variable of a result's root.

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

    Raises
    ------
    InputError
        If the result has none of that name.
    """
    if name not in result.children:
        raise InputError(f"the result has no table {name!r}; it has {', '.join(result.children) or 'none'}")
    return result.children[name].to_dataset(inherit=False)  # columns y and x are no coordinates of the maps
