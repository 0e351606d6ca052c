"""Mini-batch k-means: scikit-learn's, fed with random row bands, for stacks that are slow to read in full."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.cluster.passes import PixelFeatures
from engine.schema import PIXEL, Y

BATCH_PIXELS: Final = 2**14
N_BATCHES: Final = 64
N_AT_ONCE: Final = 4
"""Batches loaded together, in parallel."""


def refine_in_batches(
    images: xr.Dataset, pixels: PixelFeatures, centroids: np.ndarray, *, seed: int
) -> np.ndarray:
    """Move centroids by mini-batch k-means over random row bands of the stack; eager.

    Parameters
    ----------
    centroids : ndarray, dims (cluster, feature), float32
        Where to start; what is returned has the same meaning.

    Notes
    -----
    The bands are drawn by position in the frame, so the centroids do not depend on the chunking. A
    missing feature counts as 0, the middle of its range.

    References
    ----------
    D. Sculley, Web-scale k-means clustering, WWW 2010.
    """
    from sklearn.cluster import MiniBatchKMeans

    learner = MiniBatchKMeans(
        len(centroids), init=centroids, n_init=1, random_state=seed, batch_size=BATCH_PIXELS
    )
    bands = _random_bands(images, seed)
    for start in range(0, len(bands), N_AT_ONCE):
        progress.report(start / len(bands), "clustering, random batches")
        for features, weights in _load_band(images, pixels, bands[start : start + N_AT_ONCE]):
            if features.shape[1] >= len(centroids):
                learner.partial_fit(features.T, sample_weight=weights if weights.size else None)
    found = getattr(learner, "cluster_centers_", centroids)
    return np.ascontiguousarray(found, np.float32)


def _random_bands(images: xr.Dataset, seed: int) -> list[slice]:
    n_rows, n_columns = (images.sizes[dim] for dim in PIXEL)
    height = min(n_rows, max(1, BATCH_PIXELS // n_columns))
    starts = np.random.default_rng(seed).integers(0, n_rows - height + 1, N_BATCHES)
    return [slice(int(start), int(start) + height) for start in starts]


def _load_band(
    images: xr.Dataset, pixels: PixelFeatures, bands: list[slice]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield features and weights of the pixels of some bands that have values, the bands read in parallel."""
    wanted = [pixels.arrays(images.isel({Y: band})) for band in bands]
    with progress.reporting(lambda _share, _doing: None):
        (tiles,) = blocks.compute(wanted, doing="reading batches")
    for band in tiles:
        bands_of_rows = list(pixels.bands(tuple(np.asarray(tile) for tile in band)))
        features = np.concatenate([part.features for part in bands_of_rows], axis=1)
        weights = np.concatenate([part.weights for part in bands_of_rows])
        there = np.isfinite(features).sum(axis=0) >= pixels.min_valid
        yield np.nan_to_num(features[:, there]), weights[there] if weights.size else weights
