"""The search for centroids of pixels in memory: restarts and swaps on a weighted core, the best on all."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from dask.system import CPU_COUNT

from engine import progress
from engine.cluster.assignment import squared_distances
from engine.cluster.centroids import FINE, ROUGH, Grids, Totals, complete, settle, thin_points
from engine.errors import InputError

CORE_PER_CLUSTER: Final = 2**10
MIN_CORE: Final = 2**11
MAX_CORE: Final = 2**14
CORE_VALUES: Final = 2**20
"""Pixels of a core: so many for each cluster, within bounds, the upper also of feature values in all."""

ALIKE: Final = 1e-3
"""Restarts whose inertia differs by less than this share are on the way to the same centroids."""

N_SWAPPED: Final = 4
N_FINAL: Final = 2
"""How many different runs go on: to the swaps on the core, to the iterations on all pixels."""

N_CANDIDATES: Final = 12
N_TRIED: Final = 3
TRIAL_STEPS: Final = 3
"""A round of swaps judges so many pixels as centres, and follows the best for so many of Lloyd's steps."""


class Core(NamedTuple):
    """Pixels with weights that stand for more pixels; `(feature, pixel)` and `(pixel,)`, or no weights."""

    features: np.ndarray
    weights: np.ndarray


class Run(NamedTuple):
    """Centroids `(cluster, feature)` and the inertia that they leave."""

    centroids: np.ndarray
    inertia: float


def cluster_pixels(
    features: np.ndarray,
    weights: np.ndarray,
    *,
    n_clusters: int,
    n_restarts: int,
    seed: int,
) -> np.ndarray:
    """Centroids of pixels in memory: restarts and swaps on a core of them, the best continued on all.

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
    own, *seeds = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(n_restarts + 1)
    )
    everything = Core(features, weights)
    with ThreadPoolExecutor(CPU_COUNT) as threads:
        progress.report(0.0, "finding centres")
        core = draw_core(everything, n_clusters=n_clusters, rng=own)
        grids = Grids.of(*core)
        restart = partial(_restart, core, grids=grids, n_clusters=n_clusters)
        runs = list(threads.map(restart, seeds))
        progress.report(0.3, "finding centres")
        runs = _best_distinct(runs, 1 if _agree(runs) else N_SWAPPED, alike=ROUGH)
        runs = [
            _swap_centroids(core, run, rng, grids=grids, threads=threads)
            for run, rng in zip(runs, seeds, strict=False)
        ]
        progress.report(0.6, "finding centres")
        grids = Grids.of(*everything)
        for tolerance, n_kept in ((ROUGH, N_FINAL), (FINE, 1)):
            settled = partial(_run_until_settled, everything, grids=grids, tolerance=tolerance)
            runs = _best_distinct(list(threads.map(settled, runs)), n_kept, alike=ROUGH)
    return runs[0].centroids


def draw_core(pixels: Core, *, n_clusters: int, rng: np.random.Generator) -> Core:
    """Few pixels with weights such that centroids of low inertia on them are such on all.

    A pixel is drawn by its share of the inertia that rough centroids leave and by its share of its
    cluster, half each, so that rare and remote pixels are there too; its weight makes up for that.

    Parameters
    ----------
    pixels
        The pixels, with their weights.
    n_clusters : int
        Number of clusters.
    rng : numpy.random.Generator
        Source of the random numbers.

    References
    ----------
    O. Bachem, M. Lucic, A. Krause, Practical coreset constructions for machine learning,
    arXiv:1703.06476 (2017), section 2.5.
    """
    features, weights = pixels
    n_core = CORE_PER_CLUSTER * max(4, n_clusters)
    n_core = max(MIN_CORE, min(MAX_CORE, n_core, CORE_VALUES // len(features)))
    if features.shape[1] <= n_core:
        return pixels
    few = Core(*thin_points(features, weights, n_core))
    centroids = _seed_centroids(*few, n_clusters=n_clusters, rng=rng)
    if len(centroids) < n_clusters:  # so few different pixels that some may be rare
        return pixels
    centroids = settle(*few, centroids, grids=Grids.of(*few), tolerance=ROUGH)[0]
    distances = squared_distances(features, centroids)
    label = distances.argmin(axis=0)
    share = _shares(pixels)
    reach = share * distances.min(axis=0)
    mass = np.bincount(label, share, len(centroids))
    chance = reach / max(reach.sum(), np.finfo(float).tiny) + share / (mass[label] * np.count_nonzero(mass))
    chance /= chance.sum()
    drawn = _draw(chance, (np.arange(n_core) + rng.random()) / n_core)
    chosen, times = np.unique(drawn, return_counts=True)
    stands_for = share[chosen] * times / (n_core * chance[chosen])
    return Core(np.ascontiguousarray(features[:, chosen]), stands_for.astype(np.float32))


def _shares(pixels: Core) -> np.ndarray:
    """Return the weights in float64, 1 where there are none."""
    if pixels.weights.size:
        return pixels.weights.astype(np.float64)
    return np.ones(pixels.features.shape[1])


def _run_until_settled(pixels: Core, run: Run, *, grids: Grids, tolerance: float) -> Run:
    return Run(*settle(*pixels, run.centroids, grids=grids, tolerance=tolerance))


def _restart(core: Core, rng: np.random.Generator, *, grids: Grids, n_clusters: int) -> Run:
    centroids = plus_plus(*core, n_clusters=n_clusters, rng=rng)
    return Run(*settle(*core, centroids, grids=grids, tolerance=ROUGH))


def _agree(runs: list[Run]) -> bool:
    """Return whether a third of the runs, and more than one, ended like the best: then one is enough."""
    least = min(run.inertia for run in runs)
    return sum(run.inertia <= least * (1 + ALIKE) for run in runs) >= max(2, len(runs) / 3)


def _best_distinct(runs: list[Run], n_kept: int, *, alike: float) -> list[Run]:
    """Return the runs of lowest inertia; of those that ended alike, one."""
    kept: list[Run] = []
    for run in sorted(runs, key=lambda run: run.inertia):
        if len(kept) < n_kept and (not kept or run.inertia > kept[-1].inertia * (1 + alike)):
            kept.append(run)
    return kept


def _swap_centroids(
    core: Core, run: Run, rng: np.random.Generator, *, grids: Grids, threads: ThreadPoolExecutor
) -> Run:
    """Replace single centroids by pixels while that helps: the way out of a bad optimum.

    References
    ----------
    P. Fränti, Efficiency of random swap clustering, J. Big Data 5, 13 (2018); which centroid goes is
    chosen as by S. Lattanzi, C. Sohler, A better k-means++ algorithm via local search, ICML 2019.
    """
    n_clusters = len(run.centroids)
    for _ in range(n_clusters + 4 if n_clusters > 1 else 0):
        trials = threads.map(partial(_follow_best, core, grids=grids), _swaps(core, run.centroids, rng))
        best = min(trials, key=lambda trial: trial.inertia, default=run)
        if best.inertia < run.inertia * (1 - ROUGH):
            run = _run_until_settled(core, best, grids=grids, tolerance=ROUGH)
    return run


def _swaps(core: Core, centroids: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the most promising swaps of one centroid for a pixel drawn by its squared distance."""
    share, distances = _shares(core), squared_distances(core.features, centroids)
    label = distances.argmin(axis=0)
    first = distances.min(axis=0)
    np.put_along_axis(distances, label[None], np.inf, axis=0)
    second = distances.min(axis=0)
    reach = share * first
    if not reach.any():
        return []
    candidates = complete(core.features[:, _draw(reach, rng.random(N_CANDIDATES))])
    found = []
    for candidate, there in zip(candidates, squared_distances(core.features, candidates), strict=True):
        kept = share * np.minimum(first, there)
        lost = np.bincount(label, share * np.minimum(second, there) - kept, len(centroids))
        gone = int(lost.argmin())
        found.append((float(kept.sum() + lost[gone]), gone, candidate))
    swaps = []
    for _, gone, candidate in sorted(found, key=lambda swap: swap[0])[:N_TRIED]:
        swaps.append(centroids.copy())
        swaps[-1][gone] = candidate
    return swaps


def _follow_best(core: Core, centroids: np.ndarray, grids: Grids) -> Run:
    """Centroids after a few of Lloyd's steps, with the inertia before the last of them."""
    for _ in range(TRIAL_STEPS):
        totals = Totals.of(*core, centroids, grids=grids)
        centroids = totals.centroids(centroids)
    return Run(centroids, float(totals.inertia.sum()))


def plus_plus(
    features: np.ndarray, weights: np.ndarray, *, n_clusters: int, rng: np.random.Generator
) -> np.ndarray:
    """Seed centroids by greedy k-means++.

    Parameters
    ----------
    features : ndarray (feature, pixel)
        Features of the pixels.
    weights : ndarray (pixel,)
        Weight of each pixel.
    n_clusters : int
        Number of clusters.
    rng : numpy.random.Generator
        Source of the random numbers.

    Raises
    ------
    InputError
        If there are fewer different pixels than clusters.

    References
    ----------
    D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007, section 5
    (of several candidates drawn by squared distance, the one that lowers the inertia most).
    """
    centroids = _seed_centroids(features, weights, n_clusters=n_clusters, rng=rng)
    if len(centroids) < n_clusters:
        raise InputError(
            f"n_clusters={n_clusters}, but the pixels have only {len(centroids)} different values;"
            f" ask for at most {len(centroids)}"
        )
    return centroids


def _seed_centroids(
    features: np.ndarray, weights: np.ndarray, *, n_clusters: int, rng: np.random.Generator
) -> np.ndarray:
    """Centroids as of `plus_plus`, fewer of them where there are no more different pixels."""
    n_trials = 2 + int(np.log(n_clusters))
    share = _shares(Core(features, weights))
    centroids = complete(features[:, [_draw(share, rng.random(1))[0]]])
    nearest = squared_distances(features, centroids)[0]
    while len(centroids) < n_clusters:
        reach = share * nearest
        if not reach.any():
            break
        candidates = complete(features[:, _draw(reach, rng.random(n_trials))])
        reached = np.minimum(squared_distances(features, candidates), nearest)
        chosen = int((reached.astype(np.float64) @ share).argmin())
        centroids = np.concatenate([centroids, candidates[chosen : chosen + 1]])
        nearest = reached[chosen]
    return centroids


def _draw(share: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return the pixels drawn with probabilities in proportion to `share`."""
    edges = np.cumsum(share)
    drawn = np.searchsorted(edges, uniform * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(share) - 1))
