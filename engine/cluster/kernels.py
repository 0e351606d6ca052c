"""Compiled passes over pixels: nearest centres and exact sums. Arrays only, no NaN surprises.

Features come as `(feature, pixel)` float32. Pixels are taken in blocks of `BLOCK`, loaded into a buffer of
that fixed size, so that the compiler vectorises over pixels and each pixel's arithmetic is the same
wherever it stands: the labels cannot depend on the chunking. A value that is not finite is missing: the
squared distance over the values a pixel has is scaled by channels / valid channels, and for a pixel that
is complete that is the plain distance to the last bit.

Sums are exact: values are rounded to multiples of a power of two (`grid_of`) so coarse that float64
additions of up to 2**30 of them never round, so their order is of no consequence [1]_. The rounding is
2**-22 of the largest value, half of float32's own.

References
----------
.. [1] J. Demmel, H. D. Nguyen, Fast reproducible floating-point summation, IEEE ARITH 2013 (pre-rounding).
"""

from typing import Any, Final

import numpy as np
from numba import njit

from engine.cluster.vectors import BLOCK, LINE, buffer, prefetch, widest_vectors

_LINES: Final = BLOCK // LINE
"""Cache lines of a channel of a block."""
_SUM_BITS: Final = 22
"""Bits of a value kept in sums: 256 of them fit an int32."""
_TO_WHOLE: Final = np.float32(1.5 * 2**23)
"""Adding this rounds a float32 of magnitude up to 2**22 to a whole number, kept in the lowest bits."""
_TO_WHOLE_BITS: Final = int(_TO_WHOLE.view(np.int32))

_OPTIONS: Final[dict[str, Any]] = {
    "nogil": True,
    "cache": True,
    "fastmath": {"contract"},
    "error_model": "numpy",
}
"""`contract` lets a multiply and add become one instruction; NaN keeps its meaning, sums their order."""

_EXACT: Final[dict[str, Any]] = {"nogil": True, "cache": True, "error_model": "numpy"}
_SUMS: Final[dict[str, Any]] = {**_EXACT, "fastmath": {"reassoc", "nsz"}}
"""The inertia of a block is summed by vector lanes, always the same; integers do not care."""


def grid_of(features: np.ndarray) -> np.ndarray:
    """Return the power of two per feature to which sums are rounded: 2**-22 of the largest value of a sample.

    Parameters
    ----------
    features : ndarray, dims (feature, pixel)
        NaN = missing.

    Returns
    -------
    ndarray, dims (feature,), float64
    """
    largest = np.nan_to_num(np.fmax.reduce(np.abs(features), axis=1), nan=0.0).astype(np.float64)
    exponents = np.ceil(np.log2(np.where(largest > 0, largest, 1.0)))
    return np.asarray(np.exp2(exponents - _SUM_BITS))


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _load(values: np.ndarray, stride: int, linear: np.ndarray, start: int, n: int, x: np.ndarray) -> None:
    """Features of a block of pixels from their values, 0 past its end."""
    widest_vectors()
    for c in range(x.shape[0]):
        row = values[c * stride + start : c * stride + start + n]
        offset, scale = linear[0, c], linear[1, c]
        if n == BLOCK:  # a loop of constant length, for the compiler
            for i in range(BLOCK):
                x[c, i] = (row[i] - offset) * scale
        else:
            for i in range(n):
                x[c, i] = (row[i] - offset) * scale
            x[c, n:] = 0


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _measure(
    x: np.ndarray,
    valid: np.ndarray,
    centroids: np.ndarray,
    n_valid: np.ndarray,
    distances: np.ndarray,
    values: np.ndarray,
    stride: int,
    ahead: int,
) -> bool:
    """Squared distances (cluster, pixel) of a block; whether it misses values.

    If so, they are 0 in `x` now, and `valid` and `n_valid` are filled. Distances that are finite say that
    nothing is missing, so that complete blocks are not searched. Meanwhile the values of the block that
    begins at the pixel `ahead` are fetched.
    """
    widest_vectors()
    _distances(x, centroids, distances, values, stride, ahead)
    bad = np.int32(0)
    for i in range(BLOCK):
        bad = np.int32(bad | np.int32(distances[0, i] * np.float32(0) != np.float32(0)))
    if bad == 0 or not _mark_missing(x, valid):
        return False
    _partial_distances(x, valid, centroids, n_valid, distances)
    return True


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _mark_missing(x: np.ndarray, valid: np.ndarray) -> bool:
    """Fill `valid` with 1 where values are finite, and set the others to 0; whether there are any."""
    widest_vectors()
    bad = np.int32(0)
    for c in range(x.shape[0]):
        for i in range(BLOCK):
            is_valid = x[c, i] * np.float32(0) == np.float32(0)
            bad = np.int32(bad | np.int32(not is_valid))
            valid[c, i] = 1 if is_valid else 0
            x[c, i] = x[c, i] if is_valid else 0
    return bool(bad != 0)


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]
def _distances(
    x: np.ndarray,
    centroids: np.ndarray,
    distances: np.ndarray,
    values: np.ndarray,
    stride: int,
    ahead: int,
) -> None:
    """Squared distances (cluster, pixel) of a complete block, four channels a step.

    The block at `ahead` is asked for a little at a time, so that it arrives while the CPU calculates; it
    keeps few requests open and would wait for them if it asked for all at once.
    """
    widest_vectors()
    n_features = x.shape[0]
    whole = n_features - n_features % 4
    distances[:] = 0
    for c in range(0, whole, 4):
        for j in range(centroids.shape[0]):
            m0, m1, m2, m3 = centroids[j, c], centroids[j, c + 1], centroids[j, c + 2], centroids[j, c + 3]
            for line in range(j, 4 * _LINES, centroids.shape[0]):
                prefetch(values, (c + line // _LINES) * stride + ahead + line % _LINES * LINE)
            for i in range(BLOCK):
                d0, d1, d2, d3 = x[c, i] - m0, x[c + 1, i] - m1, x[c + 2, i] - m2, x[c + 3, i] - m3
                distances[j, i] = (((distances[j, i] + d0 * d0) + d1 * d1) + d2 * d2) + d3 * d3
    for c in range(whole, n_features):
        for j in range(centroids.shape[0]):
            m0 = centroids[j, c]
            for line in range(j, _LINES, centroids.shape[0]):
                prefetch(values, c * stride + ahead + line * LINE)
            for i in range(BLOCK):
                d0 = x[c, i] - m0
                distances[j, i] = distances[j, i] + d0 * d0


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]
def _partial_distances(
    x: np.ndarray, valid: np.ndarray, centroids: np.ndarray, n_valid: np.ndarray, distances: np.ndarray
) -> None:
    """Squared distances over the valid channels, scaled by channels / valid channels.

    A valid channel is multiplied by 1, which is exact: a complete pixel gets what `_distances` gives it.
    """
    widest_vectors()
    n_features = x.shape[0]
    n_valid[:] = 0
    for c in range(n_features):
        for i in range(BLOCK):
            n_valid[i] += valid[c, i]
    distances[:] = 0
    for c in range(n_features):
        for j in range(centroids.shape[0]):
            m = centroids[j, c]
            for i in range(BLOCK):
                d = (x[c, i] - m) * valid[c, i]
                distances[j, i] = distances[j, i] + d * d
    for j in range(centroids.shape[0]):
        for i in range(BLOCK):
            if n_valid[i] > 0:
                distances[j, i] *= np.float32(n_features) / n_valid[i]


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _nearest(distances: np.ndarray, best: np.ndarray, second: np.ndarray, nearest: np.ndarray) -> None:
    """Smallest and second smallest squared distance, and which cluster (the first of equals) is nearest."""
    widest_vectors()
    for i in range(BLOCK):
        best[i] = distances[0, i]
        second[i] = np.inf
        nearest[i] = 0
    for j in range(1, distances.shape[0]):
        for i in range(BLOCK):
            d = distances[j, i]
            closer = d < best[i]
            second[i] = best[i] if closer else min(second[i], d)
            nearest[i] = j if closer else nearest[i]
            best[i] = d if closer else best[i]


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def assign(
    values: np.ndarray,
    stride: int,
    linear: np.ndarray,
    centroids: np.ndarray,
    min_valid: int,
    labels: np.ndarray,
    confidence: np.ndarray,
) -> None:
    """Write label and confidence of every pixel: `assignment.assign`.

    Parameters
    ----------
    values : ndarray (value,), float32
        The first value; features lie `stride` values apart.
    stride : int
        Distance between features in memory.
    linear : ndarray
        Scale and offset of each feature.
    centroids : ndarray (cluster, feature)
        Centres of the clusters.
    min_valid : int
        Features that a pixel must have to be assigned.
    labels : ndarray (pixel,), uint8
        Filled with 1 + the nearest cluster, 0 for none.
    confidence : ndarray
        Confidence of each pixel, filled in.
    """
    widest_vectors()
    n_features, n_pixels = linear.shape[1], labels.size
    x, valid = buffer(n_features), buffer(n_features)
    distances = buffer(centroids.shape[0])
    rows = buffer(3)
    best, second, n_valid = rows[0], rows[1], rows[2]
    nearest = buffer(1).view(np.int32)[0]
    for start in range(0, n_pixels, BLOCK):
        n = min(BLOCK, n_pixels - start)
        _load(values, stride, linear, start, n, x)
        incomplete = _measure(x, valid, centroids, n_valid, distances, values, stride, start + BLOCK)
        _nearest(distances, best, second, nearest)
        for i in range(n):
            labels[start + i] = nearest[i] + 1
        if confidence.size:
            _margins(best, second, n, confidence[start : start + n])
        if incomplete:
            for i in range(n):
                if n_valid[i] < min_valid:
                    labels[start + i] = 0
                    if confidence.size:
                        confidence[start + i] = 0


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _margins(best: np.ndarray, second: np.ndarray, n: int, confidence: np.ndarray) -> None:
    widest_vectors()
    for i in range(n):
        near, far = np.sqrt(best[i]), np.sqrt(second[i])
        margin = (far - near) / (far + near) if far > 0 else np.float32(0)
        confidence[i] = margin if far < np.inf else np.float32(1)


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def assign_and_sum(
    values: np.ndarray,
    stride: int,
    linear: np.ndarray,
    n_pixels: int,
    weights: np.ndarray,
    centroids: np.ndarray,
    grid: np.ndarray,
    weight_grid: float,
    min_valid: int,
    sums: np.ndarray,
    valid_weights: np.ndarray,
    counts: np.ndarray,
    inertia: np.ndarray,
) -> None:
    """Add sums over every cluster's pixels: `assignment.assign_and_sum`.

    Parameters
    ----------
    values : ndarray (value,), float32
        The first value; features lie `stride` values apart.
    stride : int
        Distance between features in memory.
    linear : ndarray
        Scale and offset of each feature.
    n_pixels : int
        Number of pixels.
    weights : ndarray (pixel,)
        Weight of each pixel.
    centroids : ndarray (cluster, feature)
        Centres of the clusters.
    grid
        Step of each feature's sums.
    weight_grid
        Step of the weights' sums.
    min_valid : int
        Features that a pixel must have to be assigned.
    sums
        Sums, added to.
    valid_weights
        Weights of valid values, added to.
    counts
        Numbers of pixels, added to.
    inertia
        Inertia, added to.
    """
    widest_vectors()
    n_features = linear.shape[1]
    n_clusters = centroids.shape[0]
    x, valid = buffer(n_features), buffer(n_features)
    units = buffer(n_features)
    distances = buffer(n_clusters)
    rows = buffer(3)
    best, second, n_valid = rows[0], rows[1], rows[2]
    nearest = buffer(1).view(np.int32)[0]
    in_block = np.empty(n_clusters, np.int64)
    for start in range(0, n_pixels, BLOCK):
        n = min(BLOCK, n_pixels - start)
        _load(values, stride, linear, start, n, x)
        incomplete = _measure(x, valid, centroids, n_valid, distances, values, stride, start + BLOCK)
        _nearest(distances, best, second, nearest)
        if incomplete or n < BLOCK:
            _leave_out(nearest, best, n_valid, n, min_valid if incomplete else 0)
        if weights.size == 0 and _to_grid(x, grid, units):
            _sum_whole(units, best, nearest, grid, sums, in_block, inertia)
            _count_valid(valid, incomplete, nearest, in_block, valid_weights)
            for j in range(n_clusters):
                counts[j] += in_block[j]
        else:
            if not incomplete:
                valid[:] = 1
            _sum_slowly(x, valid, weights, start, nearest, grid, weight_grid, sums, valid_weights)
            _count_slowly(best, weights, start, n, nearest, counts, inertia)


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _leave_out(nearest: np.ndarray, best: np.ndarray, n_valid: np.ndarray, n: int, min_valid: int) -> None:
    """Pixels past the end or with too few values belong to no cluster (-1)."""
    widest_vectors()
    for i in range(BLOCK):
        if i >= n or (min_valid > 0 and n_valid[i] < min_valid):
            nearest[i] = -1
            best[i] = 0


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _count_slowly(
    best: np.ndarray,
    weights: np.ndarray,
    start: int,
    n: int,
    nearest: np.ndarray,
    counts: np.ndarray,
    inertia: np.ndarray,
) -> None:
    """Numbers of pixels and weighted inertia of any block."""
    widest_vectors()
    for i in range(n):
        if nearest[i] >= 0:
            counts[nearest[i]] += 1
            inertia[nearest[i]] += best[i] * (weights[start + i] if weights.size else np.float32(1))


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _to_grid(x: np.ndarray, grid: np.ndarray, units: np.ndarray) -> bool:
    """Return the values in units of the grid plus `_TO_WHOLE`, which rounds them to whole units.

    False if a value is so large that the sum of 256 may overflow an int32.
    """
    widest_vectors()
    beyond = np.int32(0)
    for c in range(x.shape[0]):
        per_grid = np.float32(1 / grid[c])
        limit = np.float32(2.0**_SUM_BITS * grid[c])
        for i in range(BLOCK):
            beyond = np.int32(beyond | np.int32(np.abs(x[c, i]) > limit))
            units[c, i] = x[c, i] * per_grid + _TO_WHOLE
    return bool(beyond == 0)


@njit(**_SUMS)  # type: ignore[untyped-decorator]
def _sum_whole(
    units: np.ndarray,
    best: np.ndarray,
    nearest: np.ndarray,
    grid: np.ndarray,
    sums: np.ndarray,
    in_block: np.ndarray,
    inertia: np.ndarray,
) -> None:
    """Integer sums of an unweighted block, missing values 0, its counts and inertia per cluster.

    The bits of a float32 between 2**23 and 2**24 are those of `_TO_WHOLE` plus the number of units:
    summed modulo 2**32, the constant is taken off once for each pixel.
    """
    widest_vectors()
    bits = units.view(np.int32)
    whole = len(bits) - len(bits) % 4
    for j in range(in_block.size):
        count, lost = np.int32(0), np.float32(0)
        label = np.int32(j)
        for i in range(BLOCK):
            count = np.int32(count + np.int32(nearest[i] == label))
            lost += best[i] if nearest[i] == label else np.float32(0)
        in_block[j] = count
        if count == 0:
            continue
        inertia[j] += lost
        offset = np.int32(count * _TO_WHOLE_BITS)
        for c in range(0, whole, 4):
            t0, t1, t2, t3 = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
            for i in range(BLOCK):
                here = nearest[i] == label
                t0 = np.int32(t0 + (bits[c, i] if here else np.int32(0)))
                t1 = np.int32(t1 + (bits[c + 1, i] if here else np.int32(0)))
                t2 = np.int32(t2 + (bits[c + 2, i] if here else np.int32(0)))
                t3 = np.int32(t3 + (bits[c + 3, i] if here else np.int32(0)))
            sums[j, c] += np.int32(t0 - offset) * grid[c]
            sums[j, c + 1] += np.int32(t1 - offset) * grid[c + 1]
            sums[j, c + 2] += np.int32(t2 - offset) * grid[c + 2]
            sums[j, c + 3] += np.int32(t3 - offset) * grid[c + 3]
        for c in range(whole, len(bits)):
            total = np.int32(0)
            for i in range(BLOCK):
                total = np.int32(total + (bits[c, i] if nearest[i] == label else np.int32(0)))
            sums[j, c] += np.int32(total - offset) * grid[c]


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _count_valid(
    valid: np.ndarray, incomplete: bool, nearest: np.ndarray, in_block: np.ndarray, valid_weights: np.ndarray
) -> None:
    """Numbers of valid values of an unweighted block, for the clusters that have pixels in it."""
    widest_vectors()
    for j in range(in_block.size):
        if in_block[j] == 0:
            continue
        for c in range(valid.shape[0]):
            total = np.int32(in_block[j])
            if incomplete:
                total = np.int32(0)
                for i in range(BLOCK):
                    total = np.int32(total + np.int32((nearest[i] == j) & (valid[c, i] > 0)))
            valid_weights[j, c] += total


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def _sum_slowly(
    x: np.ndarray,
    valid: np.ndarray,
    weights: np.ndarray,
    start: int,
    nearest: np.ndarray,
    grid: np.ndarray,
    weight_grid: float,
    sums: np.ndarray,
    valid_weights: np.ndarray,
) -> None:
    """Exact sums of any block; adding and taking away 1.5 * 2**52 units rounds to a unit.

    Pixel by pixel, so that one sum does not wait for the other; some features at a time, for the cache.
    """
    widest_vectors()
    units = 1.5 * 2.0**52 * grid
    step = 1.5 * 2.0**52 * weight_grid
    if weights.size:
        units *= weight_grid * 2.0**_SUM_BITS
    for first in range(0, x.shape[0], 32):
        for i in range(BLOCK):
            j = nearest[i]
            if j < 0:
                continue
            weight = 1.0
            if weights.size:
                weight = (np.float64(weights[start + i]) + step) - step
            for c in range(first, min(first + 32, x.shape[0])):
                here = weight * np.float64(valid[c, i])
                sums[j, c] += (here * np.float64(x[c, i]) + units[c]) - units[c]
                valid_weights[j, c] += here


@njit(**_EXACT)  # type: ignore[untyped-decorator]
def squared_distances(
    values: np.ndarray, stride: int, linear: np.ndarray, n_pixels: int, centroids: np.ndarray
) -> np.ndarray:
    """Squared distances of every pixel to every centre: `assignment.squared_distances`.

    Parameters
    ----------
    values : ndarray (value,), float32
        The first value; features lie `stride` values apart.
    stride : int
        Distance between features in memory.
    linear : ndarray
        Scale and offset of each feature.
    n_pixels : int
        Number of pixels.
    centroids : ndarray (cluster, feature)
        Centres of the clusters.
    """
    widest_vectors()
    n_features = linear.shape[1]
    x, valid = buffer(n_features), buffer(n_features)
    distances, n_valid = buffer(centroids.shape[0]), buffer(1)[0]
    out = np.empty((centroids.shape[0], n_pixels), np.float32)
    for start in range(0, n_pixels, BLOCK):
        n = min(BLOCK, n_pixels - start)
        _load(values, stride, linear, start, n, x)
        _measure(x, valid, centroids, n_valid, distances, values, stride, start + BLOCK)
        out[:, start : start + n] = distances[:, :n]
    return out
