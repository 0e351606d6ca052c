"""k-means of a few thousand points, over and over: compiled fits for judging how many clusters there are.

Points come as `(feature, point)` float32, finite, the number of features a multiple of 4 (pad with zeros), so
that the compiler keeps four features at a time in registers. Fits release the GIL and run side by side. For
whole stacks see `kmeans`.
"""

from typing import Any, Final

import numpy as np
from numba import njit

_BLOCK: Final = 256
_FAST: Final[dict[str, Any]] = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}
"""`fastmath` is safe: points are finite by contract."""

_MAX_PASSES: Final = 60
_ROUGH: Final = 1e-3
_FINE: Final = 1e-4
"""Iterations end when the distortion falls by less than this share: of a restart, of the best one."""

_NO_DISTANCE: Final = np.float32(3e38)  # fastmath knows no infinity


def fit(points: np.ndarray, n_clusters: int, *, seed: int, n_restarts: int) -> np.ndarray:
    """Return the centres of the best of several k-means fits.

    Parameters
    ----------
    points : ndarray, dims (feature, point), float32
    n_clusters : int
    seed : int
        Of the greedy k-means++ seeding.
    n_restarts : int

    Returns
    -------
    ndarray, dims (cluster, feature), float32

    References
    ----------
    S. P. Lloyd, IEEE Trans. Inf. Theory 28, 129 (1982); D. Arthur, S. Vassilvitskii, k-means++, SODA 2007.
    """
    rng = np.random.default_rng(seed)
    n_candidates = 2 + int(np.log(n_clusters))
    rows = np.ascontiguousarray(points.T)
    best, least = np.empty(0), np.inf
    for _ in range(n_restarts):
        centres = _seeds(points, rows, rng.random((n_clusters, n_candidates)))
        distortion = _iterate(points, rows, centres, _ROUGH)
        if distortion < least:
            best, least = centres, distortion
    _iterate(points, rows, best, _FINE)
    return best


def refine(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return centres after Lloyd's iterations over the points from given centres.

    Parameters
    ----------
    points : ndarray
        The points to cluster.
    centres : ndarray
        Centres to begin with.
    """
    refined = centres.copy()
    _iterate(points, np.ascontiguousarray(points.T), refined, _FINE)
    return refined


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Index of the nearest centre of each point, int32.

    Parameters
    ----------
    points : ndarray
        The points to cluster.
    centres : ndarray
        Centres to begin with.
    """
    labels = np.zeros(points.shape[1], np.int32)
    _assign(points, centres, labels, np.empty(points.shape[1], np.float32))
    return labels


@njit(inline="always", **_FAST)  # type: ignore[untyped-decorator]
def _square_distances(points: np.ndarray, start: int, n: int, centre: np.ndarray, out: np.ndarray) -> None:
    """Squared distances of `n` points from `start` on to a centre."""
    for i in range(n):
        out[i] = np.float32(0)
    for f in range(0, points.shape[0], 4):
        first, second = points[f, start : start + n], points[f + 1, start : start + n]
        third, fourth = points[f + 2, start : start + n], points[f + 3, start : start + n]
        a, b, c, d = centre[f], centre[f + 1], centre[f + 2], centre[f + 3]
        for i in range(n):
            u, v, w, x = first[i] - a, second[i] - b, third[i] - c, fourth[i] - d
            out[i] += u * u + v * v + w * w + x * x


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _assign(points: np.ndarray, centres: np.ndarray, labels: np.ndarray, squares: np.ndarray) -> float:
    """Find the nearest centre of each point and the squared distance to it; returns the sum of these."""
    distances = np.empty(_BLOCK, np.float32)
    distortion = np.float64(0)
    for start in range(0, points.shape[1], _BLOCK):
        n = min(_BLOCK, points.shape[1] - start)
        square, label = squares[start : start + n], labels[start : start + n]
        square[:] = _NO_DISTANCE
        for c in range(centres.shape[0]):
            _square_distances(points, start, n, centres[c], distances)
            for i in range(n):
                nearer = distances[i] < square[i]
                label[i] = c if nearer else label[i]
                square[i] = distances[i] if nearer else square[i]
        distortion += square.sum()
    return distortion


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _iterate(points: np.ndarray, rows: np.ndarray, centres: np.ndarray, tolerance: float) -> float:
    """Lloyd's iterations in place until the distortion hardly falls; returns it.

    The centre of an empty cluster stays where it is.
    """
    n_points, n_features = rows.shape
    labels, squares = np.zeros(n_points, np.int32), np.empty(n_points, np.float32)
    distortion = _assign(points, centres, labels, squares)
    for _ in range(_MAX_PASSES):
        counts, sums = np.zeros(len(centres)), np.zeros((len(centres), n_features))
        for i in range(n_points):
            counts[labels[i]] += 1
            for f in range(n_features):
                sums[labels[i], f] += rows[i, f]
        for c in range(len(centres)):
            if counts[c] > 0:
                centres[c] = sums[c] / counts[c]
        before = distortion
        distortion = _assign(points, centres, labels, squares)
        if before - distortion <= tolerance * before:
            break
    return float(distortion)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _seeds(points: np.ndarray, rows: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Greedy k-means++: each next centre is the candidate, drawn by squared distance, that helps most."""
    n_clusters, n_candidates = draws.shape
    centres = np.empty((n_clusters, rows.shape[1]), np.float32)
    squares = np.full(len(rows), _NO_DISTANCE)
    trial, best = np.empty_like(squares), np.empty_like(squares)
    centres[0] = rows[int(draws[0, 0] * len(rows))]
    _closer(points, centres[0], squares, squares)
    for c in range(1, n_clusters):
        cumulative = np.cumsum(squares.astype(np.float64))
        least = 1e300
        for d in range(n_candidates):
            drawn = np.searchsorted(cumulative, draws[c, d] * cumulative[-1], side="right")
            candidate = rows[min(drawn, len(rows) - 1)]
            left = _closer(points, candidate, squares, trial)
            if left < least:
                least = left
                centres[c] = candidate
                best[:] = trial
        squares[:] = best
    return centres


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _closer(points: np.ndarray, centre: np.ndarray, squares: np.ndarray, out: np.ndarray) -> float:
    """Squared distance to the nearest of the centres so far and one more; returns the sum."""
    distances = np.empty(_BLOCK, np.float32)
    left = 0.0
    for start in range(0, points.shape[1], _BLOCK):
        n = min(_BLOCK, points.shape[1] - start)
        _square_distances(points, start, n, centre, distances)
        for i in range(n):
            out[start + i] = min(squares[start + i], distances[i])
        left += out[start : start + n].sum()
    return left
