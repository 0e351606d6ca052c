"""Look at a part of the frame only: cut it out, or exclude pixels by polygons."""

from collections.abc import Sequence

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.recipe import record_step
from engine.schema import MASK, PIXEL, X, Y

Polygon = Sequence[Sequence[float]]
"""Corners `[x, y]` in the units of the coordinates; the last is joined to the first."""


@record_step
def crop(images: xr.Dataset, *, y: Sequence[int] | None = None, x: Sequence[int] | None = None) -> xr.Dataset:
    """Cut out rows and columns; lazy. Coordinates keep their values.

    Parameters
    ----------
    images : Dataset
    y, x : (start, stop)
        Rows and columns in pixels, stop excluded; all by default.

    Raises
    ------
    InputError
        If a range is empty or leaves the frame.
    """
    return images.isel(
        {dim: _range(images, dim, given) for dim, given in ((Y, y), (X, x)) if given is not None}
    )


def _range(images: xr.Dataset, dim: str, given: Sequence[int]) -> slice:
    size = images.sizes[dim]
    whole = len(given) == 2 and all(float(v).is_integer() for v in given)
    if not whole or not 0 <= given[0] < given[1] <= size:
        raise InputError(f"crop {dim}={list(given)}; expected (start, stop) with 0 <= start < stop <= {size}")
    return slice(int(given[0]), int(given[1]))


@record_step
def exclude(images: xr.Dataset, *, polygons: Sequence[Polygon], keep_inside: bool = False) -> xr.Dataset:
    """Exclude the pixels whose centres lie inside any of the polygons; lazy.

    Parameters
    ----------
    images : Dataset
    polygons
        Corners `[x, y]` in the units of the coordinates.
    keep_inside
        Exclude what lies outside all of them instead.

    Raises
    ------
    InputError
        If a polygon has fewer than three corners.
    """
    areas = [inside(images, polygon).data for polygon in polygons]
    if not areas:
        raise InputError("no polygon to exclude; give at least one, a list of [x, y] corners")
    excluded = da.any(da.stack(areas), axis=0) if len(areas) > 1 else areas[0]
    if keep_inside:
        excluded = ~excluded
    if MASK in images:
        excluded = excluded | blocks.align_tiles(excluded, blocks.as_tiles(images[MASK]))[1].astype(bool)
    attrs = {"units": "1", "long_name": "excluded"}
    return images.assign({MASK: (PIXEL, excluded, attrs)})


def inside(images: xr.Dataset, polygon: Polygon) -> xr.DataArray:
    """Return whether each pixel's centre lies inside a polygon, by the even-odd rule; lazy, dims (y, x).

    Parameters
    ----------
    images : Dataset
        Gives frame, coordinates (indices where it has none) and chunks.
    polygon
        Corners `[x, y]` in the units of the coordinates.

    Raises
    ------
    InputError
        If the polygon has fewer than three corners, or one that is no pair of numbers.
    """
    corners = _corners(polygon)
    centres = [_centres(images, dim) for dim in PIXEL]
    data = da.blockwise(
        even_odd,
        PIXEL,
        centres[0],
        (Y,),
        centres[1],
        (X,),
        corners=corners,
        dtype=bool,
        meta=np.empty((0, 0), bool),
    )
    coords = {dim: images.coords[dim] for dim in PIXEL if dim in images.coords}
    return xr.DataArray(data, coords, PIXEL)


def _corners(polygon: Polygon) -> np.ndarray:
    try:
        corners = np.asarray(polygon, float)
    except (TypeError, ValueError):
        corners = np.empty(0)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise InputError(
            f"not a polygon: {str(polygon)[:80]}; give at least three corners [x, y], all numbers"
        )
    return corners


def _centres(images: xr.Dataset, dim: str) -> da.Array:
    """Return the coordinates of the pixel centres, in the chunks of the images."""
    values = images.coords[dim].values if dim in images.coords else np.arange(images.sizes[dim])
    like = next(v for v in images.data_vars.values() if v.dims[-2:] == PIXEL)
    chunks = blocks.as_tiles(like).chunks[-2:][PIXEL.index(dim)]
    return da.from_array(values.astype(float), chunks=(chunks,), name=False)


def even_odd(y: np.ndarray, x: np.ndarray, *, corners: np.ndarray) -> np.ndarray:
    """Return whether points `(y, x)` of a grid lie inside a polygon.

    Inside, an odd number of edges lies to their right.

    Shimrat, Communications of the ACM 5, 434 (1962).

    Parameters
    ----------
    y : ndarray (y,)
        Rows of the grid.
    x : ndarray (x,)
        Columns of the grid.
    corners : ndarray (corner, 2)
        Corners of the polygon, y and x.
    """
    result = np.zeros((y.size, x.size), bool)
    x1, y1 = corners.T
    x2, y2 = np.roll(corners, -1, axis=0).T
    for row in np.flatnonzero((y >= y1.min()) & (y <= y1.max())):
        crossed = (y1 <= y[row]) != (y2 <= y[row])
        share = (y[row] - y1[crossed]) / (y2[crossed] - y1[crossed])
        crossings = np.sort(x1[crossed] + share * (x2[crossed] - x1[crossed]))
        result[row] = np.searchsorted(crossings, x, side="right") % 2 == 1
    return result
