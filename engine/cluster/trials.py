"""Fits of one number of clusters: to all points of a sample, and to random halves judged on the others."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.cluster import indices, small_fits

N_FIT: Final = 2**12
N_COMPONENTS: Final = 12
N_RESTARTS: Final = 10
_N_FIT_HALF: Final = 2**11
_N_RESTARTS_HALF: Final = 4
_N_JUDGED: Final = 2**11
_N_SILHOUETTE: Final = 2**8

Points = NDArray[np.float32]
Labels = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampled:
    """Points in random order, as features and as the principal components that fits run on.

    Attributes
    ----------
    features : ndarray, dims (point, feature), float64
    components : ndarray, dims (component, point), float32
    """

    features: Floats
    components: Points

    @classmethod
    def of(cls, values: Points) -> "Sampled":
        """Centre the values `(feature, point)` and reduce them."""
        features = values.T.astype(np.float64)
        features -= features.mean(axis=0)
        components = (features @ _principal_axes(features[:N_FIT])).T
        padding = -len(components) % 4  # see small_fits
        padded = np.pad(components, ((0, padding), (0, 0)))
        return cls(features, np.ascontiguousarray(padded, np.float32))

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.features)


@dataclass(frozen=True)
class Repeat:
    """A fit of a random half, judged on points it has not seen."""

    stability: float
    valley: float
    distortion: float
    calinski_harabasz: float
    davies_bouldin: float
    silhouette: float


def fit_all(points: Sampled, k: int, *, seed: int) -> Labels:
    """Cluster of each point, by the best of several fits.

    Parameters
    ----------
    points : ndarray
        The points to cluster.
    k : int
        Number of clusters.
    seed : int
        Seed of every random choice.
    """
    few = np.ascontiguousarray(points.components[:, :N_FIT])
    centres = small_fits.fit(few, k, seed=seed, n_restarts=N_RESTARTS)
    if points.n_points > N_FIT:
        centres = small_fits.refine(points.components, centres)
    return small_fits.nearest(points.components, centres)


def fit_half(points: Sampled, labels: Labels, k: int, *, seed: int) -> Repeat:
    """Fit a random half and judge it on the other half, against the labels of the fit of all.

    Parameters
    ----------
    points : ndarray
        The points to cluster.
    labels : ndarray
        Cluster or class of each.
    k : int
        Number of clusters.
    seed : int
        Seed of every random choice.
    """
    order = np.random.default_rng(seed).permutation(points.n_points)
    half = points.n_points // 2
    seen, unseen = order[:half][:_N_FIT_HALF], order[half:][:_N_JUDGED]
    centres = small_fits.fit(
        np.ascontiguousarray(points.components[:, seen]), k, seed=seed, n_restarts=_N_RESTARTS_HALF
    )
    others = np.ascontiguousarray(points.components[:, unseen])
    found = small_fits.nearest(others, centres)
    few = slice(None, _N_SILHOUETTE)
    distortion, ratio, similarity = indices.scatter_indices(points.features[unseen], found)
    return Repeat(
        stability=indices.rand_index(labels[unseen], found),
        valley=indices.worst_valley(others, centres, found),
        distortion=distortion,
        calinski_harabasz=ratio * (points.n_points - k) / (len(unseen) - k),
        davies_bouldin=similarity,
        silhouette=float(indices.silhouettes(points.features[unseen[few]], found[None, few])[0]),
    )


def _principal_axes(features: Floats) -> Floats:
    """Return the first principal axes of centred points, `(feature, component)`.

    The identity for few features.
    """
    n_points, n_features = features.shape
    if n_features <= N_COMPONENTS:
        return np.eye(n_features)
    if n_features <= n_points:
        return np.asarray(np.linalg.eigh(features.T @ features)[1][:, : -N_COMPONENTS - 1 : -1])
    values, vectors = np.linalg.eigh(features @ features.T)
    largest = slice(None, -N_COMPONENTS - 1, -1)
    return np.asarray(features.T @ vectors[:, largest] / np.sqrt(np.maximum(values[largest], 1e-30)))
