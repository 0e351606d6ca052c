"""The table of classes: name, colour, pixels, share, area and confidence."""

from collections.abc import Mapping
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks, palette
from engine.schema import CONFIDENCE, LABEL, PIXEL
from engine.statistics import class_kernels
from engine.statistics.tile_passes import label_rows

LENGTHS: Final = ("nm", "µm", "um", "mm", "m")
"""Units of coordinates in which an area can be given."""


def class_table(
    labels: xr.DataArray,
    confidence: xr.DataArray,
    *,
    names: Mapping[int, str],
    colors: Mapping[int, str] | None = None,
) -> xr.Dataset:
    """Return one row a class: `name color` at once, `count fraction area confidence` lazily.

    `fraction` is the share of all pixels that are in a class, `area` is in the square of the coordinates'
    unit (px² where that is no length), `confidence` the mean over the class' pixels. A class without
    pixels has count, fraction and area 0 and the confidence NaN.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned
    confidence : DataArray (y, x)
    names
        Class names by label value; the rows are in ascending order of the value.
    colors
        Colours as `#rrggbb` by label value; the palette's where there is none.
    """
    values = sorted(names)
    given = colors or {}
    paint = [given.get(v, c) for v, c in zip(values, palette.class_colors(len(values)), strict=True)]
    size, unit = pixel_area(labels)
    data = _measure_classes(labels, confidence, values, size)
    columns = {
        "name": (LABEL, np.array([str(names[v]) for v in values], dtype=str), {"long_name": "class name"}),
        "color": (LABEL, np.array(paint, dtype=str), {"long_name": "colour"}),
        "count": (LABEL, data[0].astype(np.int64), {"units": "1", "long_name": "pixels"}),
        "fraction": (LABEL, data[1], {"units": "1", "long_name": "share of the labelled pixels"}),
        "area": (LABEL, data[2], {"units": f"{unit}²", "long_name": "area"}),
        CONFIDENCE: (LABEL, data[3], {"units": "1", "long_name": "mean confidence"}),
    }
    coords = {LABEL: (LABEL, np.asarray(values, int), {"units": "1", "long_name": "class"})}
    return xr.Dataset(columns, coords)


def pixel_area(labels: xr.DataArray) -> tuple[float, str]:
    """Return the area of a pixel and its unit of length; 1 px without coordinates of a length."""
    units = {labels.coords[d].attrs.get("units") if d in labels.coords else None for d in PIXEL}
    unit = units.pop()
    if units or unit not in LENGTHS:
        return 1.0, "px"
    return float(np.prod([abs(_step(labels.coords[d].values)) for d in PIXEL])), str(unit)


def _step(centres: np.ndarray) -> float:
    return float(centres[-1] - centres[0]) / (centres.size - 1) if centres.size > 1 else 1.0


def _measure_classes(
    labels: xr.DataArray, confidence: xr.DataArray, values: list[int], size: float
) -> da.Array:
    """Return count, fraction, area and confidence, `(4, class)`, in one pass."""
    sums = blocks.reduce_tiles(
        _tile_sums,
        _add_sums,
        blocks.as_tiles(labels),
        blocks.as_tiles(confidence),
        rows=label_rows(values),
        n_rows=len(values),
    )
    table = dask.delayed(_columns, pure=False)(sums, size)
    return da.from_delayed(table, (4, len(values)), dtype=float)


def _tile_sums(labels: Any, confidence: Any, *, rows: np.ndarray, n_rows: int) -> np.ndarray:
    sums: np.ndarray = class_kernels.class_sums(np.asarray(labels), np.asarray(confidence), rows, n_rows)
    return sums


def _add_sums(parts: list[np.ndarray]) -> np.ndarray:
    total: np.ndarray = np.sum(parts, axis=0)
    return total


def _columns(sums: np.ndarray, size: float) -> np.ndarray:
    count, rated, confidence = sums
    fraction = count / max(1.0, count.sum())
    mean = np.where(rated > 0, confidence / np.maximum(rated, 1), np.nan)
    return np.stack([count, fraction, count * size, mean])
