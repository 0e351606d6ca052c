"""Values of a map in the classes of a class map of the same pixels: number, mean, spread and quantiles."""

from collections.abc import Mapping
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.schema import LABEL
from engine.schema import columns as c

ZONE_STATISTICS: Final = ("mean", "std", "q05", "median", "q95")
QUANTILES: Final = (0.05, 0.5, 0.95)


def zone_table(
    values: Mapping[str, xr.DataArray], labels: xr.DataArray, *, names: Mapping[int, str]
) -> xr.Dataset:
    """Return one row a class: number of pixels with a value, and statistics of each value; lazy.

    Parameters
    ----------
    values : mapping of str to DataArray (y, x)
        NaN where there is no value.
    labels : DataArray (y, x), unsigned
        0 = no class.
    names
        Class names by label.

    Raises
    ------
    InputError
        If the maps differ in shape.
    """
    for name, array in values.items():
        if array.shape != labels.shape:
            raise InputError(
                f"the class map has {labels.shape} pixels and {name} {array.shape};"
                " give a class map of the same images"
            )
    rows = sorted(names)
    maps = [blocks.as_tiles(array) for array in values.values()]
    numbers = dask.delayed(_describe, pure=False)(blocks.as_tiles(labels), *maps, rows=rows)
    n_columns = 1 + len(ZONE_STATISTICS) * len(values)
    data = da.from_delayed(numbers, (len(rows), n_columns), dtype=float)
    table = c.ZONES.build(
        {c.NAME: np.array([names[row] for row in rows], dtype=str), c.COUNT: data[:, 0].astype(np.int64)},
        rows=rows,
    )
    for v, (name, array) in enumerate(values.items()):
        for s, statistic in enumerate(ZONE_STATISTICS):
            attrs = {"units": array.attrs.get("units", "1"), "long_name": f"{statistic} of the {name}"}
            column = data[:, 1 + v * len(ZONE_STATISTICS) + s]
            table[f"{name}_{statistic}"] = (LABEL, column, attrs)
    return table


def _describe(labels: Any, *maps: Any, rows: list[int]) -> np.ndarray:
    """Return count and statistics `(class, column)`, from whole maps in memory, sums in float64."""
    flat = np.asarray(labels).ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], rows, side="left")
    stops = np.searchsorted(flat[order], rows, side="right")
    out = np.full((len(rows), 1 + len(ZONE_STATISTICS) * len(maps)), np.nan)
    out[:, 0] = 0
    for v, values in enumerate(maps):
        ordered = np.asarray(values).ravel()[order]
        for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            inside = ordered[start:stop].astype(np.float64)
            inside = inside[np.isfinite(inside)]
            out[row, 0] = max(out[row, 0], inside.size)
            if inside.size:
                low, middle, high = np.quantile(inside, QUANTILES)
                first = 1 + v * len(ZONE_STATISTICS)
                out[row, first : first + len(ZONE_STATISTICS)] = (
                    inside.mean(),
                    inside.std(),
                    low,
                    middle,
                    high,
                )
    return out
