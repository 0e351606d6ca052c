"""Statistics per class and channel in two passes over the tiles of one image variable.

Pass 1 finds count, lowest and highest value and, for angles, the direction of the mean. Pass 2 fills
histograms between them and sums deviations from a fixed centre. Both are sums over tiles, so the answer does
not depend on the tiles but for the rounding of float64 sums.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import dask
import dask.array as da
import numpy as np
from dask.graph_manipulation import bind

from engine import blocks
from engine.statistics import class_kernels

N_BINS: Final = 2048
"""Bins between a class' lowest and highest value in a channel: quantiles are off by at most one bin."""
QUANTILE_ERROR: Final = 1.0 / N_BINS
MAD_ERROR: Final = 1.5 / N_BINS
HELD_BYTES: Final = 256 * 2**20
"""Variables up to this size stay in memory between the passes, tiles of larger ones are read twice."""
NO_DIRECTION: Final = 1e-6
"""Mean vectors shorter than this have no direction: the angles are then taken as they are."""


class Extent(NamedTuple):
    """Extents found by pass 1; `low` and `high` have a leading dim of branches, see `kernels`."""

    valid: np.ndarray
    low: np.ndarray
    high: np.ndarray
    vector: np.ndarray


class Grid(NamedTuple):
    """Positions of the histograms of pass 2, all `(class, channel)`, relative to `centre`."""

    valid: np.ndarray
    centre: np.ndarray
    low: np.ndarray
    width: np.ndarray


def label_rows(values: Sequence[int]) -> np.ndarray:
    """Return the row of each label value in the tables, -1 for the values that are in none."""
    rows = np.full(max(values, default=0) + 1, -1, np.int64)
    rows[list(values)] = np.arange(len(values))
    return rows


def plain(tile: np.ndarray) -> np.ndarray:
    """Return the tile as `(channel, y, x)` in a dtype and byte order that compiled kernels take."""
    tile = np.asarray(tile)
    if tile.dtype == np.float16 or tile.dtype.itemsize > 8:
        tile = tile.astype(np.float32 if tile.dtype == np.float16 else np.float64)
    if tile.dtype == bool:
        tile = tile.view(np.uint8)
    tile = tile.astype(tile.dtype.newbyteorder("="), copy=False)
    return tile[np.newaxis] if tile.ndim == 2 else tile


def class_statistics(
    image: da.Array,
    labels: da.Array,
    *,
    values: Sequence[int],
    period: float | None = None,
    touched: np.ndarray | None = None,
) -> Any:
    """Return a delayed array `(statistic, class, channel)`: mean, std, median, MAD, q05, q95, count.

    Parameters
    ----------
    image : dask array ([spectral,] y, x)
        The spectral dim in one chunk.
    labels : dask array (y, x), unsigned
    values
        The label values, one row each.
    period
        Length of the circle that the values lie on, None for values on a line.
    touched : bool array, one a tile in raster order
        Tiles to look at, all by default.
    """
    n_tiles = int(np.prod(image.numblocks[-2:]))
    keep = np.ones(n_tiles, bool) if touched is None else touched
    labels = blocks.align_tiles(image, labels)[1]
    table = {"rows": label_rows(values), "n_rows": len(values), "period": period}
    found = _reduce_tiles(_tile_extent, _combine_extents, image, labels, keep=keep, **table)
    grid = dask.delayed(_grid, pure=False)(found, period)
    second = image if image.nbytes <= HELD_BYTES else bind(image, grid)
    table = {"rows": table["rows"], "grid": grid, "period": period}
    sums = _reduce_tiles(_tile_histograms, _combine_histograms, second, labels, keep=keep, **table)
    return dask.delayed(_finish, pure=False)(grid, sums, period)


def _reduce_tiles(kernel: Any, combine: Any, *arrays: da.Array, keep: np.ndarray, **arguments: Any) -> Any:
    parts = blocks.per_tile(kernel, *arrays, **arguments)
    return blocks.combine_parts([p for p, kept in zip(parts, keep, strict=True) if kept], combine)


def _tile_extent(
    tile: np.ndarray, labels: np.ndarray, *, rows: np.ndarray, n_rows: int, period: float | None
) -> Extent:
    if period is not None:
        return Extent(*class_kernels.circular_extent(plain(tile), labels, rows, n_rows, period))
    count, low, high = class_kernels.linear_extent(plain(tile), labels, rows, n_rows)
    return Extent(count, low[np.newaxis], high[np.newaxis], np.zeros((2, *count.shape)))


def _combine_extents(parts: list[Extent]) -> Extent:
    return Extent(
        np.sum([p.valid for p in parts], axis=0),
        np.min([p.low for p in parts], axis=0),
        np.max([p.high for p in parts], axis=0),
        np.sum([p.vector for p in parts], axis=0),
    )


def _grid(extent: Extent, period: float | None) -> Grid:
    """Place the histograms; the same for every tiling, as minima are exact and directions are rounded."""
    empty = extent.valid == 0
    low, high = (np.where(empty, 0.0, bound) for bound in (extent.low, extent.high))
    if period is None:
        centre = low[0] + (high[0] - low[0]) / 2
        low, high = low[0] - centre, high[0] - centre
    else:
        centre = _direction(extent, period)
        low, high = _circle_extent(low, high, centre, period)
    return Grid(extent.valid, centre, low, (high - low) / N_BINS)


def _direction(extent: Extent, period: float) -> np.ndarray:
    """Return the circular mean (Mardia & Jupp 2000, eq. 2.2.4), to a thousandth of a degree."""
    cosine, sine = extent.vector
    turns = np.arctan2(sine, cosine) / (2 * np.pi)
    rounded = np.round(turns * 360_000) / 360_000 * period % period
    short = np.hypot(cosine, sine) <= NO_DIRECTION * extent.valid
    return np.where(short, period / 2, rounded)


def _circle_extent(
    low: np.ndarray, high: np.ndarray, centre: np.ndarray, period: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the extent of the deviations from `centre`, of a branch without a jump, else half a circle."""
    first, last = np.full(centre.shape, -period / 2), np.full(centre.shape, period / 2)
    for below, above in zip(low - centre, high - centre, strict=True):
        turn = np.floor(below / period + 0.5)
        whole = turn == np.floor(above / period + 0.5)
        first = np.where(whole, below - turn * period, first)
        last = np.where(whole, above - turn * period, last)
    return first, last


def _tile_histograms(
    tile: np.ndarray, labels: np.ndarray, *, rows: np.ndarray, grid: Grid, period: float | None
) -> tuple[np.ndarray, ...]:
    place = (grid.centre, grid.low, grid.width)
    sums = class_kernels.histograms(plain(tile), labels, rows, *place, N_BINS, period or 0.0)
    return tuple(sums)


def _combine_histograms(parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    if len(parts) == 1:
        return parts[0]
    sums = tuple(array.copy() for array in parts[0])
    for part in parts[1:]:
        for total, array in zip(sums, part, strict=True):
            total += array
    return sums


def _finish(grid: Grid, sums: tuple[np.ndarray, ...], period: float | None) -> np.ndarray:
    total, square, histogram = sums
    count = np.where(grid.valid, grid.valid, 1)
    offset = total / count
    std = np.sqrt(np.maximum(square / count - offset**2, 0.0))
    median, mad, q05, q95 = class_kernels.robust_statistics(grid.valid, histogram, grid.low, grid.width)
    places = np.stack([offset, median, q05, q95]) + grid.centre
    if period is not None:
        places %= period
        places[places == period] = 0.0
    mean, median, q05, q95 = places
    result = np.stack([mean, std, median, mad, q05, q95, grid.valid.astype(float)])
    result[:-1, grid.valid == 0] = np.nan
    return result
