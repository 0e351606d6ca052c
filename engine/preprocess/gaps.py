"""Fill holes from their surroundings."""

import math
from typing import Final

import numpy as np
import xarray as xr
from numba import njit

from engine.errors import InputError
from engine.preprocess.neighbours import with_neighbours
from engine.recipe import record_step


@record_step
def fill_gaps(images: xr.Dataset, *, size: int = 9, sigma: float = 2.0) -> xr.Dataset:
    """Replace missing values by the Gaussian mean of the valid ones around them; lazy.

    Only the missing values are visited. The kernel is normalised by its part over valid pixels of the frame,
    so that no value is pulled towards 0 at the border. Angles are averaged the short way round the circle.
    What has no valid value within the kernel stays missing; excluded pixels neither give nor take.

    Parameters
    ----------
    images : Dataset
    size
        Width of the square kernel in pixels, odd.
    sigma
        Standard deviation of the Gaussian in pixels.

    Raises
    ------
    InputError
        If the size is not odd and positive or sigma not positive.

    References
    ----------
    Normalised convolution: Knutsson & Westin, CVPR 1993.
    """
    if size < 1 or size % 2 == 0 or not sigma > 0:
        raise InputError(
            f"size {size} and sigma {sigma}; expected an odd size and a positive sigma, in pixels"
        )
    reach = np.arange(size) - size // 2
    weights = np.exp(-(reach[:, None] ** 2 + reach**2) / (2 * sigma**2))
    return with_neighbours(images, _fill_tile, halo=size // 2, kinds="f", weights=weights)


def _fill_tile(tile: np.ndarray, *, weights: np.ndarray, period: float | None) -> np.ndarray:
    """Copy of a tile `([channel,] y, x)` with its holes filled."""
    values = np.ascontiguousarray(tile)
    filled = np.empty_like(values)
    shape = (-1, *tile.shape[-2:])
    fill_planes(values.reshape(shape), filled.reshape(shape), weights, period or 0.0)
    return filled


kernel = njit(cache=True, nogil=True, error_model="numpy")
_LANES: Final = 16
"""Values of a row that are searched or summed at a time: loops of constant length, for the compiler."""


@kernel
def fill_planes(values, filled, weights, period):  # type: ignore[no-untyped-def]
    """Copy `values` to `filled`, missing ones as the weighted means of what surrounds them.

    Both `(channel, y, x)`; `weights (y, x)` of odd size; `period` the length of a circle or 0.
    """
    size = weights.shape[0]
    n_lanes = (size + _LANES - 1) // _LANES * _LANES
    padded = np.zeros((size, n_lanes))
    padded[:, :size] = weights
    edge = np.full((size, n_lanes), np.nan, values.dtype)
    for c in range(values.shape[0]):
        plane = values[c]
        for y in range(values.shape[1]):
            filled[c, y] = plane[y]
            for start in range(0, values.shape[2], _LANES):
                if start + _LANES <= values.shape[2] and not _any_hole(plane, y, np.uint64(start)):
                    continue
                for x in range(start, min(start + _LANES, values.shape[2])):
                    if not math.isnan(plane[y, x]):
                        continue
                    if period > 0:
                        filled[c, y, x] = circular_mean(plane, y, x, weights, period)
                    else:
                        filled[c, y, x] = weighted_mean(plane, y, x, padded, edge)


@kernel
def _any_hole(plane, y, start):  # type: ignore[no-untyped-def]
    """Return 1 if one of the next `_LANES` values is missing; counts are unsigned and need no wrapping."""
    holes = np.int32(0)
    for i in range(np.uint64(_LANES)):
        holes |= np.int32(math.isnan(plane[y, start + i]))
    return holes != 0


@kernel
def weighted_mean(plane, y, x, weights, edge):  # type: ignore[no-untyped-def]
    """Weighted mean of the valid values round a pixel, NaN without any.

    `weights (y, x)` are padded with 0 to a multiple of `_LANES`; `edge`, of their shape, is scratch for a
    window that the frame or a tile cuts, so that the same loop sums the same values wherever that is.

    Parameters
    ----------
    plane : ndarray (y, x)
        One plane of values.
    y : int
        Row of the pixel.
    x : int
        Column of the pixel.
    weights : ndarray (y, x)
        Weights of the neighbours, of odd size, padded with 0 to a multiple of `_LANES` columns.
    edge : ndarray (y, x)
        Scratch of the weights' shape.
    """
    size, n_lanes = weights.shape
    top, left = y - size // 2, x - size // 2
    if top >= 0 and top + size <= plane.shape[0] and left >= 0 and left + n_lanes <= plane.shape[1]:
        return _mean(plane, np.uint64(top), np.uint64(left), weights)
    for j in range(size):
        for i in range(size):
            there = 0 <= top + j < plane.shape[0] and 0 <= left + i < plane.shape[1]
            edge[j, i] = plane[top + j, left + i] if there else math.nan
    return _mean(edge, np.uint64(0), np.uint64(0), weights)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _mean(values, top, left, weights):  # type: ignore[no-untyped-def]
    """Weighted mean of the valid ones of some values, free of branches."""
    total = 0.0
    norm = 0.0
    for j in range(np.uint64(weights.shape[0])):
        for i in range(np.uint64(weights.shape[1])):
            value = float(values[top + j, left + i])
            valid = abs(value) < np.inf
            total += weights[j, i] * value if valid else 0.0
            norm += weights[j, i] if valid else 0.0
    return total / norm if norm > 0 else math.nan


@kernel
def circular_mean(plane, y, x, weights, period):  # type: ignore[no-untyped-def]
    """Weighted mean of the valid angles round a pixel, NaN without any, in one turn from 0.

    They are unwrapped about the first one found, then about that mean: the plain mean of unwrapped angles
    wherever they spread over less than half of the circle.

    Parameters
    ----------
    plane : ndarray (y, x)
        One plane of values.
    y : int
        Row of the pixel.
    x : int
        Column of the pixel.
    weights : ndarray (y, x)
        Weights of the neighbours, of odd size.
    period : float
        Length of the circle for angles; None or 0 for plain numbers.
    """
    reach = weights.shape[0] // 2
    centre = math.nan
    for _ in range(2):
        total = 0.0
        norm = 0.0
        for j in range(max(0, y - reach), min(plane.shape[0], y + reach + 1)):
            for i in range(max(0, x - reach), min(plane.shape[1], x + reach + 1)):
                value = float(plane[j, i])
                if math.isfinite(value):
                    centre = value if math.isnan(centre) else centre
                    deviation = value - centre
                    deviation -= period * math.floor(deviation / period + 0.5)
                    weight = weights[j - y + reach, i - x + reach]
                    total += weight * deviation
                    norm += weight
        if norm == 0:
            return math.nan
        centre += total / norm
    return centre - period * math.floor(centre / period)
