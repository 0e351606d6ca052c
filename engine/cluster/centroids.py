"""Sums over the pixels nearest to each centre, and Lloyd's iterations on pixels in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.cluster.assignment import assign_and_sum, squared_distances
from engine.cluster.kernels import grid_of

MAX_ITERATIONS: Final = 300
ROUGH: Final = 1e-4
FINE: Final = 1e-7
"""Iterations end when moving the centres would lower the inertia by less than this share."""


GRID_PIXELS: Final = 2**13


@dataclass(frozen=True)
class Grids:
    """The powers of two to which sums are rounded, so that their order is of no consequence.

    Attributes
    ----------
    values : ndarray, dims (feature,)
    weight : float
    """

    values: np.ndarray
    weight: float

    @classmethod
    def of(cls, features: np.ndarray, weights: np.ndarray) -> "Grids":
        """Grids fit for pixels like these, judged by some of them: larger values are summed as exactly.

        Parameters
        ----------
        features : ndarray (feature, pixel)
            Features of the pixels.
        weights : ndarray (pixel,)
            Weight of each pixel.
        """
        features, weights = thin_points(features, weights, GRID_PIXELS)
        largest = grid_of(weights[None])[0] if weights.size else grid_of(np.ones((1, 1)))[0]
        return cls(grid_of(features), float(largest))


@dataclass(frozen=True)
class Totals:
    """Sums over the pixels nearest to each centre.

    Attributes
    ----------
    sums, valid_weights : ndarray, dims (cluster, feature), float64
        Weighted sums of the valid values and of their weights.
    counts : ndarray, dims (cluster,), int64
    inertia : ndarray, dims (cluster,), float64
    """

    sums: np.ndarray = field(repr=False)
    valid_weights: np.ndarray = field(repr=False)
    counts: np.ndarray
    inertia: np.ndarray

    @classmethod
    def zeros(cls, n_clusters: int, n_features: int) -> "Totals":
        """Return sums over no pixels.

        Parameters
        ----------
        n_clusters : int
            Number of clusters.
        n_features : int
            Number of features.
        """
        shape = (n_clusters, n_features)
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(n_clusters, np.int64), np.zeros(n_clusters))

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        weights: np.ndarray,
        centroids: np.ndarray,
        *,
        grids: Grids,
        min_valid: int = 1,
    ) -> "Totals":
        """Assign pixels to their nearest centres and sum them up; see `kernels.assign_and_sum`.

        Parameters
        ----------
        features : ndarray (feature, pixel)
            Features of the pixels.
        weights : ndarray (pixel,)
            Weight of each pixel.
        centroids : ndarray (cluster, feature)
            Centres of the clusters.
        grids : Grids
            Steps to which sums are rounded, so that their order does not matter.
        min_valid : int
            Features that a pixel must have to be assigned.
        """
        totals = cls.zeros(*centroids.shape)
        totals.add(features, weights, centroids, grids=grids, min_valid=min_valid)
        return totals

    def add(
        self,
        features: np.ndarray,
        weights: np.ndarray,
        centroids: np.ndarray,
        *,
        grids: Grids,
        min_valid: int = 1,
        linear: np.ndarray | None = None,
    ) -> None:
        """Add more pixels to these sums.

        Parameters
        ----------
        features : ndarray (feature, pixel)
            Features of the pixels.
        weights : ndarray (pixel,)
            Weight of each pixel.
        centroids : ndarray (cluster, feature)
            Centres of the clusters.
        grids : Grids
            Steps to which sums are rounded, so that their order does not matter.
        min_valid : int
            Features that a pixel must have to be assigned.
        linear : ndarray, optional
            Scale and offset of each feature.
        """
        assign_and_sum(
            features,
            weights,
            centroids,
            grids.values,
            grids.weight,
            min_valid,
            self.sums,
            self.valid_weights,
            self.counts,
            self.inertia,
            linear,
        )

    @classmethod
    def combined(cls, parts: Iterable["Totals"]) -> "Totals":
        """Return sums over the pixels of all parts."""
        parts = list(parts)
        return cls(
            sum((p.sums for p in parts[1:]), parts[0].sums),
            sum((p.valid_weights for p in parts[1:]), parts[0].valid_weights),
            sum((p.counts for p in parts[1:]), parts[0].counts),
            sum((p.inertia for p in parts[1:]), parts[0].inertia),
        )

    def centroids(self, previous: np.ndarray) -> np.ndarray:
        """Means of the clusters' valid values as float32; where there are none, the previous ones."""
        there = self.valid_weights > 0
        means = np.divide(self.sums, self.valid_weights, out=previous.astype(np.float64), where=there)
        return np.asarray(means, np.float32)

    def gain(self, previous: np.ndarray) -> float:
        """Return the share of the inertia that moving the centres to the means takes away, labels held."""
        moved = self.centroids(previous).astype(np.float64) - previous
        return float((self.valid_weights * moved**2).sum() / max(self.inertia.sum(), np.finfo(float).tiny))


def settle(
    features: np.ndarray, weights: np.ndarray, centroids: np.ndarray, *, grids: "Grids", tolerance: float
) -> tuple[np.ndarray, float]:
    """Iterate Lloyd's step until it gains less than `tolerance`; the centroids and their inertia.

    Parameters
    ----------
    features : ndarray (feature, pixel)
        Features of the pixels.
    weights : ndarray (pixel,)
        Weight of each pixel.
    centroids : ndarray (cluster, feature)
        Centres of the clusters.
    grids : Grids
        Steps to which sums are rounded, so that their order does not matter.
    tolerance : float
        Least gain of a step, relative to the inertia.
    """
    for _ in range(MAX_ITERATIONS):
        totals = Totals.of(features, weights, centroids, grids=grids)
        moved = _fill_empty_clusters(features, weights, totals.centroids(centroids), totals.counts)
        done = totals.counts.all() and totals.gain(centroids) <= tolerance
        if done or np.array_equal(moved, centroids):
            break
        centroids = moved
    return centroids, float(totals.inertia.sum())


def thin_points(features: np.ndarray, weights: np.ndarray, n_pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return every so manieth pixel, about `n_pixels`.

    Parameters
    ----------
    features : ndarray (feature, pixel)
        Features of the pixels.
    weights : ndarray (pixel,)
        Weight of each pixel.
    n_pixels : int
        Number of pixels.
    """
    step = max(1, features.shape[1] // n_pixels)
    return np.ascontiguousarray(features[:, ::step]), weights[::step]


def complete(pixels: np.ndarray) -> np.ndarray:
    """Return pixels as centroids (cluster, feature).

    A missing value is 0, the middle of the centred spaces.
    """
    return np.ascontiguousarray(np.nan_to_num(pixels.T, nan=0.0, posinf=0.0, neginf=0.0))


def _fill_empty_clusters(
    features: np.ndarray, weights: np.ndarray, centroids: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Move centroids without pixels to the pixels that are farthest from their own."""
    empty = np.flatnonzero(counts == 0)
    if empty.size:
        distances = squared_distances(features, centroids).min(axis=0)
        if weights.size:
            distances = np.where(weights > 0, distances, 0)
        farthest = np.argsort(distances, kind="stable")[::-1][: empty.size]
        centroids = centroids.copy()
        centroids[empty] = complete(features[:, farthest])
    return centroids
