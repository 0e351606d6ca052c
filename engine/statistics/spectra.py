"""Spectra of classes and regions: location, spread and count of the raw valid pixels in each channel."""

from collections.abc import Mapping, Sequence
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.schema import (
    LABEL,
    PERIODS,
    PIXEL,
    STATISTICS,
    X,
    Y,
    image_variables,
    spectral_dim,
)
from engine.statistics.tile_passes import MAD_ERROR, QUANTILE_ERROR, class_statistics

WORDS = {
    "mean": "mean",
    "std": "standard deviation",
    "median": "median",
    "mad": "median absolute deviation",
    "q05": "5 % quantile",
    "q95": "95 % quantile",
    "count": "valid pixels",
}
ERRORS = {"median": QUANTILE_ERROR, "q05": QUANTILE_ERROR, "q95": QUANTILE_ERROR, "mad": MAD_ERROR}


def class_spectra(images: xr.Dataset, labels: xr.DataArray, *, values: Sequence[int]) -> xr.Dataset:
    """Statistics per class and channel of all image variables; lazy.

    Parameters
    ----------
    images : Dataset
        Images of the data model; pixels that are not finite do not count.
    labels : DataArray (y, x), unsigned
    values
        Label values, the rows of the result in this order.

    Returns
    -------
    Dataset (label, spectral)
        `<variable>_<statistic>` for `schema.STATISTICS`. Quantiles come from histograms; the attribute
        `error` is the largest error as a share of the class' range in the channel. Angles are unwrapped
        about the class' circular mean; locations are reported within one turn from 0. A class without
        pixels has count 0 and NaN else.
    """
    tables = {}
    for name in image_variables(images):
        delayed = class_statistics(
            blocks.as_tiles(images[name]), blocks.as_tiles(labels), values=values, period=PERIODS.get(name)
        )
        tables[name] = _delay_table(delayed, images[name], len(values))
    return _dataset(images, tables, values)


def region_spectrum(images: xr.Dataset, selected: xr.DataArray | np.ndarray) -> xr.Dataset:
    """Statistics of one region of the images; eager, visits only the tiles that the region touches.

    Parameters
    ----------
    images : Dataset
    selected : bool array (y, x)
        True inside the region.

    Returns
    -------
    Dataset (spectral)
        Variables as in `class_spectra`, without the dim `label`.

    Raises
    ------
    InputError
        If the region has not the shape of the images.
    """
    chosen = np.asarray(selected, bool)
    shape = tuple(images.sizes[d] for d in PIXEL)
    if chosen.shape != shape:
        raise InputError(f"the region has the shape {chosen.shape}; expected that of the images, {shape}")
    images, chosen = _crop_to_region(images, chosen)
    names = image_variables(images)
    delayed = [_region_statistics(images[name], chosen) for name in names]
    computed = blocks.compute(*delayed, doing="reading the region")
    tables = {name: table[:, 0] for name, table in zip(names, computed, strict=True)}
    return _dataset(images, tables)


def _region_statistics(image: xr.DataArray, chosen: np.ndarray) -> Any:
    data = blocks.as_tiles(image)
    labels = da.from_array(chosen.astype(np.uint8), chunks=data.chunks[-2:], name=False)
    rows, columns = (np.cumsum((0, *sizes[:-1])) for sizes in data.chunks[-2:])
    touched = np.logical_or.reduceat(np.logical_or.reduceat(chosen, rows, axis=0), columns, axis=1)
    touched.flat[0] |= not touched.any()
    return class_statistics(
        data, labels, values=[1], period=PERIODS.get(str(image.name)), touched=touched.ravel()
    )


def _crop_to_region(images: xr.Dataset, chosen: np.ndarray) -> tuple[xr.Dataset, np.ndarray]:
    """Return images and region within the region's bounding box (one pixel where the region is empty)."""
    box = {}
    for axis, dim in enumerate(PIXEL):
        inside = np.flatnonzero(chosen.any(axis=1 - axis))
        box[dim] = slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 1)
    return images.isel(box), chosen[box[Y], box[X]]


def _delay_table(delayed: Any, image: xr.DataArray, n_rows: int) -> da.Array:
    n_channels = int(np.prod(image.shape[:-2]))
    return da.from_delayed(delayed, (len(STATISTICS), n_rows, n_channels), dtype=float)


def _dataset(
    images: xr.Dataset, tables: Mapping[str, Any], values: Sequence[int] | None = None
) -> xr.Dataset:
    """Name the statistics of `tables`, each `(statistic, [class,] channel)`, and give them coordinates."""
    spectral = spectral_dim(images)
    dims = [d for d, there in ((LABEL, values is not None), (spectral, spectral)) if there]
    variables = {}
    for name, table in tables.items():
        table = table if spectral else table[..., 0]
        for statistic, numbers in zip(STATISTICS, table, strict=True):
            variables[f"{name}_{statistic}"] = _variable(images[name], statistic, numbers, dims)
    coords: dict[str, Any] = {}
    if spectral in images.coords:
        coords[str(spectral)] = images.coords[str(spectral)].variable
    if values is not None:
        coords[LABEL] = (LABEL, np.asarray(values, int), {"units": "1", "long_name": "class"})
    return xr.Dataset(variables, coords)


def _variable(image: xr.DataArray, statistic: str, numbers: Any, dims: Sequence[Any]) -> xr.Variable:
    counted = statistic == "count"
    attrs = {
        "units": "1" if counted else image.attrs.get("units", "1"),
        "long_name": f"{image.attrs.get('long_name', image.name)}, {WORDS[statistic]}",
    }
    if statistic in ERRORS:
        attrs["error"] = ERRORS[statistic]
    return xr.Variable(dims, numbers.astype(np.int64) if counted else numbers, attrs)
