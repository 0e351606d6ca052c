"""Number of clusters: indices over k, and a recommendation or none.

Calinski–Harabasz, Davies–Bouldin and silhouette always name some k, also where there is one cluster only.
Recommended is instead the largest k at which every two clusters have a valley of density between their
centres and fits of random halves agree; if there is none, none.

All k share one sample, one reduction to principal components, and for the silhouette one set of distances,
so that the time does not depend on the size of the stack.
"""

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from engine import progress
from engine.cluster import indices
from engine.cluster.features import AUTO, fit_features
from engine.cluster.sample import draw_sample
from engine.cluster.trials import Repeat, Sampled, fit_all, fit_half
from engine.errors import InputError
from engine.schema import PIXEL

VALLEY: Final = 0.6
"""A valley of density counts where its minimum is below this share of the lower peak."""

STABILITY: Final = 0.9
"""Least agreement (adjusted Rand index) of fits of random halves with the fit of all."""

_N_SAMPLE: Final = 2**14
_N_SILHOUETTE: Final = 2**11


@dataclass(frozen=True)
class ChoiceOfK:
    """Indices over k and the recommended number of clusters; `…_spread` is the deviation over repeats.

    Attributes
    ----------
    recommended : int or None
        None if there is no clear k.
    reason : str
        One sentence why.
    elbow : int or None
        Knee of the distortion (`kneed`), for comparison.
    k : tuple of int
    distortion : tuple of float
        Mean squared distance of a pixel to its centre, in feature units; falls with k.
    calinski_harabasz : tuple of float
        Estimated for all pixels of the stack; high is good.
    davies_bouldin : tuple of float
        Low is good.
    silhouette : tuple of float
        -1 to 1, high is good.
    stability : tuple of float
        Agreement of fits of random halves (adjusted Rand index), at most 1.
    valley : tuple of float
        Density between the two least separate clusters: minimum / lower peak; low is good.
    n_pixels : int
        Size of the sample.
    features : str
        What pixels were compared by.
    """

    recommended: int | None
    reason: str
    elbow: int | None
    k: tuple[int, ...]
    distortion: tuple[float, ...]
    distortion_spread: tuple[float, ...]
    calinski_harabasz: tuple[float, ...]
    calinski_harabasz_spread: tuple[float, ...]
    davies_bouldin: tuple[float, ...]
    davies_bouldin_spread: tuple[float, ...]
    silhouette: tuple[float, ...]
    silhouette_spread: tuple[float, ...]
    stability: tuple[float, ...]
    stability_spread: tuple[float, ...]
    valley: tuple[float, ...]
    valley_spread: tuple[float, ...]
    n_pixels: int
    features: str

    def to_dict(self) -> dict[str, Any]:
        """Return all fields, ready for JSON; an index that is not defined is None."""
        return {name: _jsonable(value) for name, value in asdict(self).items()}


def choose_k(
    images: xr.Dataset,
    *,
    k: Sequence[int] = range(2, 16),
    features: str = AUTO,
    seed: int = 0,
    n_repeats: int = 6,
) -> ChoiceOfK:
    """Compare numbers of clusters and recommend one, or none; eager.

    Parameters
    ----------
    images : Dataset
        Pixels with a value in every channel are compared; where these are few, in most channels.
    k : sequence of int
        Numbers of clusters to try, each at least 2.
    features : str
        As the `features` of `KMeans`.
    seed : int
    n_repeats : int
        Fits of random halves a k.

    Raises
    ------
    InputError
        If `k` holds no number or one below 2, or there are too few pixels.
    """
    tried = _check_range(k, n_repeats)
    points, n_stack, kind = draw_points(images, features=features, seed=seed)
    if points.n_points <= 2 * tried[-1]:
        raise InputError(
            f"only {points.n_points} pixels have enough values to compare up to k = {tried[-1]} clusters;"
            " give larger images or a smaller k"
        )
    curves = _curves(points, tried, n_stack=n_stack, seed=seed, n_repeats=n_repeats)
    recommended, reason = _recommend(tried, curves["valley"], curves["stability"])
    elbow = _elbow(tried, curves["distortion"])
    if elbow is not None and elbow != recommended:
        reason += f"; the distortion bends at k = {elbow}"
    return ChoiceOfK(
        recommended=recommended,
        reason=reason,
        elbow=elbow,
        k=tried,
        n_pixels=points.n_points,
        features=kind,
        **{name: tuple(curve) for name, curve in curves.items()},
    )


def _check_range(k: Sequence[int], n_repeats: int) -> tuple[int, ...]:
    """Return the numbers of clusters to try, rising."""
    tried = tuple(sorted({int(n) for n in k}))
    if not tried or tried[0] < 2:
        raise InputError(f"k = {list(k)} to choose from; give one or more numbers of clusters from 2")
    if n_repeats < 2:
        raise InputError(f"n_repeats = {n_repeats}; give 2 or more")
    return tried


def draw_points(images: xr.Dataset, *, features: str = AUTO, seed: int = 0) -> tuple[Sampled, int, str]:
    """Return the points that all k are judged on, how many the whole stack has, and the kind of features.

    At most 2**14 pixels of the spread sample that have all features, in random order, drawn by their weights
    where there are any.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    features : str
        Kind of features.
    seed : int
        Seed of every random choice.
    """
    sample = draw_sample(images, max_pixels=4 * _N_SAMPLE)
    space = fit_features(images, sample, kind=features, seed=seed)
    values = space.apply(sample.planes)
    kept_features, kept_pixels = _complete(np.isfinite(values))
    n_pixels = len(kept_pixels)
    share = None
    if sample.weights is not None:
        weights = sample.weights[kept_pixels].astype(np.float64)
        share = weights / weights.sum()
    rng = np.random.default_rng(seed)
    drawn = rng.choice(n_pixels, min(n_pixels, _N_SAMPLE), replace=share is not None, p=share)
    points = Sampled.of(values[np.ix_(kept_features, kept_pixels[drawn])])
    if not sample.is_all:
        n_pixels = round(n_pixels * images[PIXEL[0]].size * images[PIXEL[1]].size / sample.n_pixels)
    return points, n_pixels, space.kind


def _complete(finite: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the features to compare by, and the pixels that have them all.

    If less than half of the pixels have all, features are left out, the least complete first, until half of
    them do or one feature is left.
    """
    whole = finite.all(axis=0)
    if whole.mean() >= 0.5:
        return np.arange(len(finite)), np.flatnonzero(whole)
    order = np.argsort(-finite.mean(axis=1), kind="stable")
    complete = np.logical_and.accumulate(finite[order], axis=0)
    n_kept = max(1, int((complete.mean(axis=1) >= 0.5).sum()))
    return np.sort(order[:n_kept]), np.flatnonzero(complete[n_kept - 1])


def _curves(
    points: Sampled, tried: tuple[int, ...], *, n_stack: int, seed: int, n_repeats: int
) -> dict[str, list[float]]:
    """Return every index and its spread over k; fits run side by side, each with a seed of its own."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        labels = list(pool.map(lambda k: fit_all(points, k, seed=seed), tried))
        of_all = np.array(list(pool.map(partial(indices.scatter_indices, points.features), labels))).T
        few = points.features[:_N_SILHOUETTE], np.array(labels)[:, :_N_SILHOUETTE]
        silhouettes = indices.silhouettes(*few, each=pool.map)
        progress.report(0.3, "comparing numbers of clusters")
        halves = [
            [pool.submit(fit_half, points, found, k, seed=seed + 1 + r) for r in range(n_repeats)]
            for k, found in zip(tried, labels, strict=True)
        ]
        rows = []
        for i, futures in enumerate(halves):
            rows.append([future.result() for future in futures])
            progress.report(0.3 + 0.7 * (i + 1) / len(tried), "comparing numbers of clusters")
    curves: dict[str, list[float]] = {}
    for name in (field.name for field in fields(Repeat)):
        values = np.array([[getattr(repeat, name) for repeat in repeats] for repeats in rows])
        curves[name] = [float(v) for v in np.median(values, axis=1)]
        curves[f"{name}_spread"] = [float(v) for v in values.std(axis=1)]
    for name, values in zip(("distortion", "calinski_harabasz", "davies_bouldin"), of_all, strict=True):
        curves[name] = values.tolist()
    curves["silhouette"] = silhouettes.tolist()
    for name in ("calinski_harabasz", "calinski_harabasz_spread"):
        # both sums of squares grow with the number of points, only the degrees of freedom differ
        scales = [(n_stack - k) / (points.n_points - k) for k in tried]
        curves[name] = [value * scale for value, scale in zip(curves[name], scales, strict=True)]
    return curves


def _recommend(
    tried: tuple[int, ...], valleys: Sequence[float], stabilities: Sequence[float]
) -> tuple[int | None, str]:
    """Return the largest k that passes both tests, and one sentence why."""
    passing = [
        (k, valley, stability)
        for k, valley, stability in zip(tried, valleys, stabilities, strict=True)
        if valley < VALLEY and stability >= STABILITY
    ]
    if passing:
        k, valley, stability = passing[-1]
        more = "; more may fit, it is the largest tried" if k == tried[-1] else ""
        return k, (
            f"k = {k} is the largest at which all clusters are separate (between the closest two the density"
            f" falls to {valley:.2f} of the lower peak, limit {VALLEY}) and fits of random halves agree"
            f" ({stability:.2f}, limit {STABILITY}){more}"
        )
    if min(valleys) >= VALLEY:
        return None, "no clear k: at every k tried, some two clusters have no gap between them"
    return None, "no clear k: wherever the clusters are separate, fits of random halves disagree"


def _elbow(tried: tuple[int, ...], distortion: Sequence[float]) -> int | None:
    """Knee of the distortion over k.

    References
    ----------
    V. Satopää et al., Finding a "Kneedle" in a haystack, ICDCS Workshops 2011.
    """
    if len(tried) < 3:
        return None
    from kneed import KneeLocator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # kneed warns where there is no knee; that is an answer
        knee = KneeLocator(tried, distortion, curve="convex", direction="decreasing").knee
    return None if knee is None else int(knee)


def _jsonable(value: Any) -> Any:
    """Return the lists for tuples, None for what is not a number."""
    if isinstance(value, tuple):
        return [_jsonable(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
