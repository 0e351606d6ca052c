"""Sums over the pixels of each object: of a tile, moved to its place in the frame, and added up over tiles.

Objects are read as runs, pixels of one object and class side by side in a row. Positions are summed in int64,
where a sum beyond 2**63 comes back to the right value once it is taken about the object's centre. Values are
summed in float64 with the rounding error of every addition kept beside the sum [1]_. So the order, and with
it the tiling, is of no consequence: exactly for integers and for float32 (values of one object may spread
over 60 binary orders), and in float64 but for sums within some 1e-30 of the middle between two numbers.

References
----------
.. [1] T. Ogita, S. M. Rump, S. Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005) 1955-1988.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

_kernel = njit(cache=True, nogil=True, error_model="numpy")

AREA, Y1, X1, Y2, YX, X2 = range(6)
"""Rows of `Sums.moments`: pixels, sums of y and x, sums of y², yx and x²."""
TOP, LEFT, BOTTOM, RIGHT = range(4)
"""Rows of `Sums.corners`; the last two are past the end and negative, so that the lowest is wanted of all."""
TOTAL, ERROR, COUNT, PEAK = range(4)
"""Rows of the sums of values."""
VALUES: Final = ("image", "confidence", "votes")
"""Maps whose values are summed."""
NO_VALUES: Final = np.array([0.0, 0.0, 0.0, -np.inf])


class Sums(NamedTuple):
    """Sums of the objects of a part of the frame, in ascending order of their number."""

    numbers: np.ndarray
    """`(object,)` int64."""
    moments: np.ndarray
    """`(6, object)` int64."""
    corners: np.ndarray
    """`(4, object)` int64."""
    image: np.ndarray
    """`(4, object)` float64: sum, its error, number of finite values and the largest."""
    confidence: np.ndarray
    """Like `image`."""
    votes: np.ndarray
    """Like `image`."""
    classes: np.ndarray
    """`(3, pair)` int64: number of the object, class, pixels; without those of class 0."""


def tile_sums(objects: Any, *maps: Any, given: tuple[str, ...]) -> Sums:
    """Return the sums of the objects of a tile about its own corner.

    Parameters
    ----------
    objects : array (y, x), unsigned
        Number of each pixel's object, 0 = none.
    maps : arrays (y, x)
        Those named in `given`: of `classes`, `image`, `confidence` and `votes`.
    """
    objects = native(objects)
    named = dict(zip(given, map(native, maps), strict=True))
    runs = _runs(objects, named.get("classes", np.broadcast_to(np.uint8(0), objects.shape)))
    numbers, rows = np.unique(runs[0], return_inverse=True)
    moments, corners = _moments(runs, rows, numbers.size)
    image, confidence, votes = (
        _totals(named[name], runs, rows, numbers.size) if name in named else _no_values(numbers.size)
        for name in VALUES
    )
    pairs = np.stack([runs[0], runs[1], runs[4] - runs[3]])[:, runs[1] > 0]
    return Sums(numbers, moments, corners, image, confidence, votes, _add_pairs(pairs))


def native(tile: Any) -> np.ndarray:
    """Return the tile in a dtype and byte order that compiled kernels take, uncopied where it has them."""
    tile = np.asarray(tile)
    if tile.dtype == bool:
        return np.asarray(tile.view(np.uint8))
    odd = tile.dtype.kind == "f" and tile.dtype.itemsize not in (4, 8)
    dtype = np.dtype(np.float64) if odd else tile.dtype.newbyteorder("=")
    return np.asarray(tile.astype(dtype, copy=False))


def place_sums(sums: Sums, top: int, left: int) -> Sums:
    """Return the sums of a tile about the frame's corner instead of the tile's.

    Parameters
    ----------
    sums
        Of a tile.
    top, left
        Row and column of the tile's corner in the frame.
    """
    n, y, x, yy, yx, xx = sums.moments
    yy = yy + 2 * top * y + top * top * n
    yx = yx + top * x + left * y + top * left * n
    xx = xx + 2 * left * x + left * left * n
    moments = np.stack([n, y + top * n, x + left * n, yy, yx, xx])
    shift = np.array([top, left, -top, -left])
    return sums._replace(moments=moments, corners=sums.corners + shift[:, np.newaxis])


def add_sums(parts: list[Sums]) -> Sums:
    """Return the sums of all parts together."""
    if len(parts) == 1:
        return parts[0]
    numbers, rows = np.unique(np.concatenate([p.numbers for p in parts]), return_inverse=True)
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(numbers.size))
    moments, corners, image, confidence, votes, pairs = (
        np.concatenate([p[field] for p in parts], axis=1) for field in range(1, len(Sums._fields))
    )
    return Sums(
        numbers,
        np.add.reduceat(moments[:, order], starts, axis=1),
        np.minimum.reduceat(corners[:, order], starts, axis=1),
        _add_totals(image, rows, numbers.size),
        _add_totals(confidence, rows, numbers.size),
        _add_totals(votes, rows, numbers.size),
        _add_pairs(pairs),
    )


def _add_pairs(pairs: np.ndarray) -> np.ndarray:
    """Return one column for each object and class, in ascending order of both."""
    numbers, classes, counts = pairs
    order = np.lexsort((classes, numbers))
    keys = pairs[:2, order]
    starts = np.flatnonzero(np.diff(keys, axis=1, prepend=-1).any(axis=0))
    return np.concatenate([keys[:, starts], np.add.reduceat(counts[order], starts)[np.newaxis]])


def _no_values(n_objects: int) -> np.ndarray:
    return np.repeat(NO_VALUES[:, np.newaxis], n_objects, axis=1)


@_kernel  # type: ignore[untyped-decorator]
def _runs(objects: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return runs of pixels of one object and class: `(number class y start stop, run)`."""
    n_runs = 0
    runs = np.empty((5, 0), np.int64)
    for filling in (False, True):
        if filling:
            runs = np.empty((5, n_runs), np.int64)
        n_runs = -1
        for y in range(objects.shape[0]):
            number, label = np.int64(0), np.int64(0)
            for x in range(objects.shape[1]):
                here, label_here = np.int64(objects[y, x]), np.int64(classes[y, x])
                if here != number or (number != 0 and label_here != label):
                    number, label = here, label_here
                    if number != 0:
                        n_runs += 1
                        if filling:
                            runs[0, n_runs], runs[1, n_runs] = number, label
                            runs[2, n_runs], runs[3, n_runs] = y, x
                if filling and number != 0:
                    runs[4, n_runs] = x + 1
        n_runs += 1
    return runs


@_kernel  # type: ignore[untyped-decorator]
def _moments(runs: np.ndarray, rows: np.ndarray, n_objects: int) -> tuple[np.ndarray, np.ndarray]:
    """Return moments `(6, object)` and corners `(4, object)`; sums of x and x² over a run in closed form."""
    moments = np.zeros((6, n_objects), np.int64)
    corners = np.full((4, n_objects), np.iinfo(np.int64).max)
    for i in range(rows.size):
        row, y, start, stop = rows[i], runs[2, i], runs[3, i], runs[4, i]
        n = stop - start
        x1 = (start + stop - 1) * n // 2
        x2 = ((stop - 1) * stop * (2 * stop - 1) - (start - 1) * start * (2 * start - 1)) // 6
        moments[AREA, row] += n
        moments[Y1, row] += y * n
        moments[X1, row] += x1
        moments[Y2, row] += y * y * n
        moments[YX, row] += y * x1
        moments[X2, row] += x2
        corners[TOP, row] = min(corners[TOP, row], y)
        corners[LEFT, row] = min(corners[LEFT, row], start)
        corners[BOTTOM, row] = min(corners[BOTTOM, row], -(y + 1))
        corners[RIGHT, row] = min(corners[RIGHT, row], -stop)
    return moments, corners


@_kernel  # type: ignore[untyped-decorator]
def _totals(values: np.ndarray, runs: np.ndarray, rows: np.ndarray, n_objects: int) -> np.ndarray:
    """Return sum, its error, number and maximum of the finite values of each object, `(4, object)`."""
    totals = np.zeros((4, n_objects))
    totals[PEAK] = -np.inf
    for i in range(rows.size):
        row, y = rows[i], runs[2, i]
        for x in range(runs[3, i], runs[4, i]):
            value = float(values[y, x])
            if math.isfinite(value):
                _add(totals, row, value)
                totals[COUNT, row] += 1
                totals[PEAK, row] = max(totals[PEAK, row], value)
    return totals


@_kernel  # type: ignore[untyped-decorator]
def _add_totals(parts: np.ndarray, rows: np.ndarray, n_objects: int) -> np.ndarray:
    """Return the sums of values of the same object, `(4, object)`."""
    totals = np.zeros((4, n_objects))
    totals[PEAK] = -np.inf
    for i in range(rows.size):
        row = rows[i]
        _add(totals, row, parts[TOTAL, i])
        totals[ERROR, row] += parts[ERROR, i]
        totals[COUNT, row] += parts[COUNT, i]
        totals[PEAK, row] = max(totals[PEAK, row], parts[PEAK, i])
    return totals


@_kernel  # type: ignore[untyped-decorator]
def _add(totals: np.ndarray, row: int, value: float) -> None:
    """Add a value and keep what rounding took of it (algorithm TwoSum)."""
    before = totals[TOTAL, row]
    after = before + value
    taken = after - before
    totals[ERROR, row] += (before - (after - taken)) + (value - taken)
    totals[TOTAL, row] = after
