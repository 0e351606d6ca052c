"""k-means on a map stack beside scikit-learn (and faiss, where installed): time, inertia, memory, bandwidth.

The stack is 4096 x 4096 x 22 float32 with 8 overlapping clusters. Every way gets the same number of restarts;
the ways take turns, medians of the rounds are compared. scikit-learn's KMeans on everything takes long,
so it is given the first rows only and its time is scaled by the number of pixels (`--full` gives it all).
"""

import argparse
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from sklearn.cluster import KMeans as Peer

from engine.cluster import KMeans
from engine.cluster.centroids import Grids
from engine.cluster.features import fit_features
from engine.cluster.passes import PixelFeatures, sum_clusters
from engine.cluster.sample import draw_sample

K, N_CHANNELS, N_RESTARTS, N_SAMPLE = 8, 22, 12, 2**16


def make_stack(size: int) -> xr.Dataset:
    """Patches of 8 classes with noise that makes neighbouring classes overlap."""
    rng = np.random.default_rng(0)
    spectra = rng.normal(0, 1, (K, N_CHANNELS)).astype(np.float32)
    patches = rng.integers(0, K, (size // 32, size // 32)).repeat(32, axis=0).repeat(32, axis=1)
    values = np.empty((N_CHANNELS, size, size), np.float32)
    for channel in range(N_CHANNELS):
        rng.standard_normal(dtype=np.float32, out=values[channel])
        values[channel] += spectra[patches, channel]
    return xr.Dataset({"counts": (("channel", "y", "x"), values)})


def exact_inertia(values: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances to the clusters' means, in float64."""
    flat, labels = values.reshape(len(values), -1), labels.ravel()
    n_labels = int(labels.max()) + 1
    counts = np.maximum(np.bincount(labels, minlength=n_labels), 1)
    total = 0.0
    for channel in flat:
        sums = np.bincount(labels, channel, n_labels)
        total += float(np.square(channel, dtype=np.float64).sum() - (sums**2 / counts).sum())
    return total


def timed(way: Callable[[], np.ndarray]) -> tuple[float, np.ndarray, int]:
    """Seconds, labels, and by how many MB the process' peak rose."""
    Path("/proc/self/clear_refs").write_text("5")
    before, start = _memory("VmRSS"), time.perf_counter()
    labels = way()
    return time.perf_counter() - start, labels, (_memory("VmHWM") - before) // 1024


def _memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def ours(images: xr.Dataset) -> np.ndarray:
    model = KMeans(n_clusters=K, n_restarts=N_RESTARTS, features="raw").fit(images)
    return np.asarray(model.predict(images)["labels"])


def sample_and_predict(values: np.ndarray) -> np.ndarray:
    pixels = values.reshape(N_CHANNELS, -1)
    step = max(1, pixels.shape[1] // N_SAMPLE)
    sample = np.ascontiguousarray(pixels[:, ::step].T)
    model = Peer(K, n_init=N_RESTARTS, random_state=0).fit(sample)
    return np.asarray(model.predict(np.ascontiguousarray(pixels.T)))


def sklearn_on_all(values: np.ndarray) -> np.ndarray:
    pixels = np.ascontiguousarray(values.reshape(N_CHANNELS, -1).T)
    return np.asarray(Peer(K, n_init=N_RESTARTS, random_state=0).fit_predict(pixels))


def faiss_on_all(values: np.ndarray) -> np.ndarray:
    import faiss

    pixels = np.ascontiguousarray(values.reshape(N_CHANNELS, -1).T)
    learner = faiss.Kmeans(N_CHANNELS, K, nredo=N_RESTARTS, seed=1)
    learner.train(pixels)
    return np.asarray(learner.index.search(pixels, 1)[1])


def read_seconds(values: np.ndarray, n_threads: int = 2) -> float:
    """Time to read the stack once with all threads."""
    parts = np.array_split(values.reshape(-1), n_threads)
    threads = [threading.Thread(target=part.max) for part in parts]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def pass_seconds(images: xr.Dataset) -> float:
    """Time of one exact pass: labels, sums, counts and inertia of all pixels."""
    sample = draw_sample(images, max_pixels=2**14)
    space = fit_features(images, sample, kind="raw")
    features = space.apply(sample.planes)
    centroids = np.ascontiguousarray(features[:, :: features.shape[1] // K][:, :K].T)
    grids = Grids.of(features, np.empty(0, np.float32))
    pixels = PixelFeatures.of(images, space, drop=False)
    start = time.perf_counter()
    sum_clusters(images, pixels, centroids, grids=grids, doing="one pass")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a 512 x 512 stack and one round")
    parser.add_argument("--full", action="store_true", help="give scikit-learn's KMeans the whole stack")
    arguments = parser.parse_args()
    size, rounds = (512, 1) if arguments.quick else (4096, 3)
    images = make_stack(size)
    values = images["counts"].values
    share = 1 if arguments.full else 16 if not arguments.quick else 4
    ways: dict[str, Callable[[], np.ndarray]] = {
        "mapstack": lambda: ours(images),
        "scikit-learn on a sample + predict": lambda: sample_and_predict(values),
        "scikit-learn KMeans": lambda: sklearn_on_all(values[:, : size // share]),
    }
    try:
        import faiss  # noqa: F401

        ways["faiss"] = lambda: faiss_on_all(values)
    except ImportError:
        print("faiss is not installed: left out")
    ours(make_stack(64))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    labels: dict[str, np.ndarray] = {}
    memory: dict[str, int] = {}
    reading, passing = [], []
    for _ in range(rounds):
        for name, way in ways.items():
            if name == "scikit-learn KMeans" and seconds[name] and not arguments.quick:
                continue  # minutes: once is enough for a ratio of this size
            taken, labels[name], memory[name] = timed(way)
            seconds[name].append(taken * (share if name == "scikit-learn KMeans" else 1))
        reading.append(read_seconds(values))
        passing.append(pass_seconds(images))
    own = np.median(seconds["mapstack"])
    part = slice(0, size // share)
    best = exact_inertia(values[:, part], labels["scikit-learn KMeans"])
    for name in ways:
        shown = labels[name] if name == "scikit-learn KMeans" else labels[name].reshape(size, size)[part]
        excess = exact_inertia(values[:, part], shown) / best - 1
        print(
            f"{name}: {np.median(seconds[name]) / own:.1f} x our {own:.2f} s,"
            f" inertia {100 * excess:+.4f} % on the rows that all had, peak memory +{memory[name]} MB"
        )
    if share > 1:
        print(f"(scikit-learn KMeans had 1/{share} of the rows; its time is scaled by {share})")
    bandwidth = np.median(reading) / np.median(passing)
    print(
        f"one pass over all pixels: {100 * bandwidth:.0f} % of the read bandwidth of memory (target 35 %);"
        f" medians: reading {1e3 * np.median(reading):.0f} ms, the pass {1e3 * np.median(passing):.0f} ms;"
        f" best {1e3 * min(reading):.0f} and {1e3 * min(passing):.0f} ms"
    )


if __name__ == "__main__":
    main()
