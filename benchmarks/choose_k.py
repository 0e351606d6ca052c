"""Whether choose_k finds the true number of zones, and its speed beside scikit-learn on the same sample.

    python benchmarks/choose_k.py [--quick]

Targets: the true k for simulated k = 2...8 in at least 9 of 10 seeds each, none for k = 1 in at least 9 of
10, at the defaults of `simulate maps`; at most 1/20 of scikit-learn's time for distortion, Calinski–Harabasz,
Davies–Bouldin and silhouette over k = 2...15; a time that the size of the stack does not change.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from sklearn import metrics
from sklearn.cluster import KMeans

from engine.cluster import choose_k, indices
from engine.cluster.number_of_clusters import draw_points
from engine.cluster.trials import N_RESTARTS, Sampled, fit_all
from engine.simulate.ellipsometry_maps import Maps

KS = range(2, 16)
N_SILHOUETTE = 2**11
FIRST_SEED = 1000


def hits(settings: dict[str, float], n_seeds: int, ks: range) -> None:
    """Print how often the true k is recommended."""
    title = ", ".join(f"{name} {value:g}" for name, value in settings.items()) or "defaults"
    print(f"true k recommended ({title}; k = 1: none recommended)")
    for n_regions in ks:
        found = []
        for seed in range(FIRST_SEED, FIRST_SEED + n_seeds):
            images, _ = Maps(n_regions=n_regions, seed=seed, **settings).images()
            found.append(choose_k(images, seed=seed).recommended)
        right = sum(k == (n_regions if n_regions > 1 else None) for k in found)
        wrong = sorted({str(k) for k in found} - {str(n_regions if n_regions > 1 else None)})
        print(f"  k = {n_regions}: {right} of {n_seeds}" + (f"   (else {', '.join(wrong)})" if wrong else ""))


def ours(points: Sampled) -> np.ndarray:
    """All four indices over k, one row a k."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        labels = list(pool.map(lambda k: fit_all(points, k, seed=0), KS))
        scatter = list(pool.map(partial(indices.scatter_indices, points.features), labels))
        few = points.features[:N_SILHOUETTE], np.array(labels)[:, :N_SILHOUETTE]
        silhouettes = indices.silhouettes(*few, each=pool.map)
    return np.column_stack([np.array(scatter), silhouettes])


def theirs(points: Sampled) -> np.ndarray:
    """The same with scikit-learn: as many restarts, the same points."""
    rows = []
    for k in KS:
        model = KMeans(k, n_init=N_RESTARTS, random_state=0).fit(points.features)
        few = points.features[:N_SILHOUETTE], model.labels_[:N_SILHOUETTE]
        ratio = metrics.calinski_harabasz_score(points.features, model.labels_)
        similarity = metrics.davies_bouldin_score(points.features, model.labels_)
        rows.append((model.inertia_ / points.n_points, ratio, similarity, metrics.silhouette_score(*few)))
    return np.array(rows)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed(n_rounds: int, size: int) -> None:
    """Print the ratio to scikit-learn on the same sample, and the size's part in the time."""
    images, _ = Maps(size=256, seed=1).images()
    large, _ = Maps(size=size, seed=1).images()
    points = draw_points(images)[0]
    works: dict[str, Callable[[], object]] = {
        "indices": lambda: ours(points),
        "scikit-learn": lambda: theirs(points),
        "choose_k": lambda: choose_k(images, k=KS),
        "choose_k, large": lambda: choose_k(large, k=KS),
    }
    for name in ("indices", "choose_k"):
        works[name]()  # compile
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(n_rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    median = {name: float(np.median(values)) for name, values in times.items()}
    print(f"k = 2...15, {points.n_points} points, {points.features.shape[1]} features, medians of {n_rounds}")
    print(f"  indices, scikit-learn / ours: {median['scikit-learn'] / median['indices']:.1f} (target 20)")
    whole = median["scikit-learn"] / median["choose_k"]
    print(f"  scikit-learn's indices / whole choose_k with stability and valleys: {whole:.1f}")
    growth = median["choose_k, large"] / median["choose_k"]
    print(f"  choose_k of {size}² / of 256² pixels: {growth:.2f} (times the pixels: {(size / 256) ** 2:.0f})")
    best, peer = ours(points), theirs(points)
    print(f"  distortion above scikit-learn's, worst k: {100 * (best[:, 0] / peer[:, 0] - 1).max():.2f} %")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer seeds, k and rounds")
    quick = parser.parse_args().quick
    speed(1 if quick else 3, 512 if quick else 2048)
    n_seeds = 2 if quick else 10
    hits({}, n_seeds, range(1, 9, 3) if quick else range(1, 9))
    if not quick:
        hits({"noise": 2.0}, 5, range(1, 9))
        hits({"gradient": 0.05}, 5, range(1, 9))


if __name__ == "__main__":
    main()
