"""Indices of the quality of clusterings, of many at once.

All take points `(point, feature)` float64 and clusterings `(clustering, point)`, labels 0...k-1. They equal
scikit-learn's functions of the same names.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

_BINS: Final = 96
_MARGIN: Final = 0.25
_FEWEST: Final = 8
_AT_A_TIME: Final = 256

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]


def scatter_indices(points: Floats, labels: Labels) -> tuple[float, float, float]:
    """Distortion (mean squared distance to the centre), Calinski–Harabasz and Davies–Bouldin index.

    Parameters
    ----------
    points : ndarray
        The points to cluster.
    labels : ndarray
        Cluster or class of each.

    References
    ----------
    T. Caliński, J. Harabasz, Commun. Stat. 3, 1 (1974); D. Davies, D. Bouldin, IEEE TPAMI 1, 224 (1979).
    """
    found, member_of = np.unique(labels, return_inverse=True)
    k, n = len(found), len(points)
    counts = np.bincount(member_of, minlength=k).astype(float)
    order = np.argsort(member_of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    centres = np.add.reduceat(points[order], starts, axis=0) / counts[:, None]
    offsets = points - centres[member_of]
    squares = np.einsum("ij,ij->i", offsets, offsets)
    within = squares.sum()
    between = (counts * ((centres - points.mean(0)) ** 2).sum(1)).sum()
    if k < 2:
        return float(within / n), np.nan, np.nan
    ratio = between / (k - 1) / (within / (n - k)) if within > 0 and n > k else np.nan
    spread = np.bincount(member_of, np.sqrt(squares), k) / counts
    apart = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(-1))
    np.fill_diagonal(apart, np.inf)
    similarity = (spread[:, None] + spread[None]) / np.where(apart > 0, apart, np.inf)
    return float(within / n), float(ratio), float(similarity.max(1).mean())


def silhouettes(points: Floats, labels: Labels, *, each: Callable[..., Iterable[Floats]] = map) -> Floats:
    """Return the mean silhouette of each clustering; distances are computed once for all of them.

    Parameters
    ----------
    labels : ndarray, dims (clustering, point)
    each
        The `map` of an executor, to work on some points at a time side by side.

    Notes
    -----
    With the mean distances a to the own cluster and b to the nearest other, (b - a) / max(a, b); 0 for the
    only point of a cluster.

    References
    ----------
    P. Rousseeuw, J. Comput. Appl. Math. 20, 53 (1987).
    """
    sizes = labels.max(1) + 1
    counts = np.zeros((len(labels), sizes.max()))
    for row, found in zip(counts, labels, strict=True):
        row += np.bincount(found, minlength=len(row))
    columns = np.ascontiguousarray(points.T)

    def sums(first: int) -> Floats:
        of = np.arange(first, min(first + _AT_A_TIME, len(points)))
        return np.asarray(_silhouette_sums(columns, labels, counts, of))

    return np.asarray(sum(each(sums, range(0, len(points), _AT_A_TIME))) / len(points))


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")  # type: ignore[untyped-decorator]
def _silhouette_sums(points: Floats, labels: Labels, counts: Floats, of: NDArray[np.int64]) -> Floats:
    """Return the sum of the silhouettes of the points numbered `of`, per clustering.

    `points` as (feature, point).
    """
    n_features, n_points = points.shape
    totals = np.zeros(len(labels))
    sums = np.empty(counts.shape[1])
    distances = np.empty(n_points)
    for p in of:
        distances[:] = 0
        for f in range(n_features):
            for i in range(n_points):
                step = points[f, i] - points[f, p]
                distances[i] += step * step
        for i in range(n_points):
            distances[i] = np.sqrt(distances[i])
        for c in range(len(labels)):
            sums[:] = 0
            for i in range(n_points):
                sums[labels[c, i]] += distances[i]
            totals[c] += _silhouette(sums, counts[c], labels[c, p])
    return totals


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _silhouette(sums: Floats, counts: Floats, own: int) -> float:
    """Silhouette of a point of cluster `own`, from its summed distances to each cluster's members."""
    if counts[own] < 2:
        return 0.0
    inside, outside = sums[own] / (counts[own] - 1), np.inf
    for c in range(len(counts)):
        if c != own and counts[c] > 0:
            outside = min(outside, sums[c] / counts[c])
    larger = max(inside, outside)
    return (outside - inside) / larger if 0 < larger < np.inf else 0.0


def worst_valley(points: NDArray[np.float32], centres: NDArray[np.float32], labels: Labels) -> float:
    """Shallowest density valley between any two centres: minimum / lower peak on the axis that joins them.

    Parameters
    ----------
    points : ndarray, dims (feature, point)
        Not those the centres were fitted on: in many dimensions a fit finds gaps by chance.
    centres : ndarray, dims (cluster, feature)
    labels : ndarray, dims (point,)
        Nearest centre of each point.

    Returns
    -------
    float
        Near 0 for separate clusters, 1 where some pair has no valley or a cluster has too few points.

    References
    ----------
    Density by a Gaussian kernel a cluster, width from B. W. Silverman, Density Estimation (1986), eq. 3.28.
    """
    counts = np.bincount(labels, minlength=len(centres))
    if counts.min() < _FEWEST:
        return 1.0
    rows = np.ascontiguousarray(points.T[np.argsort(labels, kind="stable")], np.float64)
    return float(_worst_valley(rows, np.concatenate([[0], np.cumsum(counts)]), centres.astype(np.float64)))


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _worst_valley(rows: Floats, starts: NDArray[np.int64], centres: Floats) -> float:
    """Largest minimum / lower peak of all pairs; rows `starts[c]` to `starts[c + 1]` belong to cluster c."""
    worst = 0.0
    step = (1 + 2 * _MARGIN) / _BINS
    first, last = int(_MARGIN / step), _BINS - int(_MARGIN / step)
    for a in range(len(centres)):
        for b in range(a):
            axis = centres[b] - centres[a]
            length = (axis * axis).sum()
            if length == 0:
                return 1.0
            axis /= length
            density = np.zeros(_BINS)
            for c in (a, b):
                _add_density(rows[starts[c] : starts[c + 1]], axis, centres[a], density)
            lowest = first + np.argmin(density[first:last])
            peak = min(density[: lowest + 1].max(), density[lowest:].max())
            worst = max(worst, density[lowest] / peak if peak > 0 else 1.0)
    return worst


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _add_density(members: Floats, axis: Floats, origin: Floats, density: Floats) -> None:
    """Add the kernel estimate of the members' density along an axis, from -margin to 1 + margin."""
    step = (1 + 2 * _MARGIN) / _BINS
    counts = np.zeros(_BINS)
    total, squares = 0.0, 0.0
    for i in range(len(members)):
        position = 0.0
        for f in range(len(axis)):
            position += (members[i, f] - origin[f]) * axis[f]
        total += position
        squares += position * position
        at = int(np.floor((position + _MARGIN) / step))
        if 0 <= at < _BINS:
            counts[at] += 1
    deviation = np.sqrt(max(squares / len(members) - (total / len(members)) ** 2, 0.0))
    width = max(1.06 * deviation * len(members) ** -0.2, step / 2) / step
    kernel = np.exp(-0.5 * (np.arange(_BINS) / width) ** 2) / width
    for i in range(_BINS):
        if counts[i] > 0:
            for j in range(_BINS):
                density[j] += counts[i] * kernel[abs(i - j)]


def rand_index(first: Labels, second: Labels) -> float:
    """Return adjusted Rand index of two clusterings (L. Hubert, P. Arabie, J. Classif. 2, 193, 1985).

    Parameters
    ----------
    first : ndarray
        First clustering.
    second : ndarray
        Second clustering.
    """
    n_second = int(second.max()) + 1
    table = np.bincount(first * n_second + second, minlength=(int(first.max()) + 1) * n_second)
    table = table.reshape(-1, n_second).astype(float)
    pairs, rows, columns = (float((a * (a - 1) / 2).sum()) for a in (table, table.sum(1), table.sum(0)))
    total = len(first) * (len(first) - 1) / 2
    expected, most = rows * columns / total, (rows + columns) / 2
    return 1.0 if most == expected else (pairs - expected) / (most - expected)
