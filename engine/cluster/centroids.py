"""Centroids of pixels in memory: k-means++ seeds, Lloyd's iterations, restarts, and the sums they need."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from engine import progress
from engine.cluster.kernels import assign_and_sum, grid_of, squared_distances
from engine.errors import InputError

MAX_ITERATIONS: Final = 300
ROUGH: Final = 1e-4
FINE: Final = 1e-7
"""Iterations end when moving the centres would lower the inertia by less than this share."""


class Stage(NamedTuple):
    """Settle runs on so many pixels to this tolerance and keep the best that differ."""

    n_pixels: int | None
    tolerance: float
    n_kept: int


STAGES: Final = (Stage(2**13, ROUGH, 6), Stage(2**15, ROUGH, 3), Stage(None, ROUGH, 1), Stage(None, FINE, 1))
"""Most restarts are seen to be worse on few pixels; which of the good ones is best shows only on many."""


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
        """Grids fit for pixels like these, judged by some of them: larger values are summed as exactly."""
        features, weights = _thinned(features, weights, STAGES[0].n_pixels)
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
        """Sums over no pixels."""
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
        """Assign pixels to their nearest centres and sum them up; see `kernels.assign_and_sum`."""
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
    ) -> None:
        """Add more pixels to these sums."""
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
        )

    @classmethod
    def combined(cls, parts: Iterable["Totals"]) -> "Totals":
        """Sums over the pixels of all parts."""
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
        """Share of the inertia that moving the centres to the means takes away, labels held."""
        moved = self.centroids(previous).astype(np.float64) - previous
        return float((self.valid_weights * moved**2).sum() / max(self.inertia.sum(), np.finfo(float).tiny))


def cluster_pixels(
    features: np.ndarray,
    weights: np.ndarray,
    *,
    n_clusters: int,
    n_restarts: int,
    seed: int,
) -> np.ndarray:
    """Centroids of pixels in memory: restarts on a few of them, the best continued on more, then on all.

    Parameters
    ----------
    features : ndarray, dims (feature, pixel), float32
        NaN = missing.
    weights : ndarray, dims (pixel,), float32, may be empty
        Empty: every pixel counts 1.

    Returns
    -------
    ndarray, dims (cluster, feature), float32

    Raises
    ------
    InputError
        If there are fewer different pixels than clusters.
    """
    grids = Grids.of(features, weights)
    seeds = np.random.SeedSequence(seed).spawn(n_restarts)
    thin = _thinned(features, weights, STAGES[0].n_pixels)

    def start(sequence: np.random.SeedSequence) -> np.ndarray:
        return plus_plus(*thin, n_clusters=n_clusters, rng=np.random.default_rng(sequence))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        runs = list(threads.map(start, seeds))
        for number, stage in enumerate(STAGES):
            progress.report(number / len(STAGES), "finding centres")
            pixels = _thinned(features, weights, stage.n_pixels)
            settling = partial(settle, *pixels, grids=grids, tolerance=stage.tolerance)
            runs = _best_distinct(list(threads.map(settling, runs)), stage.n_kept)
    return runs[0]


def _thinned(
    features: np.ndarray, weights: np.ndarray, n_pixels: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Every so manieth pixel, about `n_pixels`; all for None."""
    step = 1 if n_pixels is None else max(1, features.shape[1] // n_pixels)
    return np.ascontiguousarray(features[:, ::step]), weights[::step]


def _best_distinct(runs: list[tuple[np.ndarray, float]], n_kept: int) -> list[np.ndarray]:
    """Centroids of the runs of lowest inertia; of those that ended alike, one."""
    kept: list[tuple[np.ndarray, float]] = []
    for centroids, inertia in sorted(runs, key=lambda run: run[1]):
        if len(kept) < n_kept and (not kept or inertia > kept[-1][1] * (1 + ROUGH)):
            kept.append((centroids, inertia))
    return [centroids for centroids, _ in kept]


def settle(
    features: np.ndarray, weights: np.ndarray, centroids: np.ndarray, *, grids: "Grids", tolerance: float
) -> tuple[np.ndarray, float]:
    """Iterate Lloyd's step until it gains less than `tolerance`; the centroids and their inertia."""
    for _ in range(MAX_ITERATIONS):
        totals = Totals.of(features, weights, centroids, grids=grids)
        moved = _occupied(features, weights, totals.centroids(centroids), totals.counts)
        done = totals.counts.all() and totals.gain(centroids) <= tolerance
        if done or np.array_equal(moved, centroids):
            break
        centroids = moved
    return centroids, float(totals.inertia.sum())


def plus_plus(
    features: np.ndarray, weights: np.ndarray, *, n_clusters: int, rng: np.random.Generator
) -> np.ndarray:
    """Seed centroids by greedy k-means++.

    References
    ----------
    D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007, section 5
    (of several candidates drawn by squared distance, the one that lowers the inertia most).
    """
    n_trials = 2 + int(np.log(n_clusters))
    share = weights.astype(np.float64) if weights.size else np.ones(features.shape[1])
    centroids = _complete(features[:, [_draw(share, rng.random(1))[0]]])
    nearest = squared_distances(features, centroids)[0]
    while len(centroids) < n_clusters:
        reach = share * nearest
        if not reach.any():
            raise InputError(
                f"n_clusters={n_clusters}, but the pixels have only {len(centroids)} different values;"
                f" ask for at most {len(centroids)}"
            )
        candidates = _complete(features[:, _draw(reach, rng.random(n_trials))])
        reached = np.minimum(squared_distances(features, candidates), nearest)
        chosen = int((reached.astype(np.float64) @ share).argmin())
        centroids = np.concatenate([centroids, candidates[chosen : chosen + 1]])
        nearest = reached[chosen]
    return centroids


def _draw(share: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Pixels drawn with probabilities in proportion to `share`."""
    edges = np.cumsum(share)
    drawn = np.searchsorted(edges, uniform * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(share) - 1))


def _complete(pixels: np.ndarray) -> np.ndarray:
    """Pixels as centroids (cluster, feature); a missing value is 0, the middle of the centred spaces."""
    return np.ascontiguousarray(np.nan_to_num(pixels.T, nan=0.0, posinf=0.0, neginf=0.0))


def _occupied(
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
        centroids[empty] = _complete(features[:, farthest])
    return centroids
