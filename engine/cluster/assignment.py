"""Nearest centres and exact sums of pixels in memory, whatever the order of their values there."""

import numpy as np

from engine.cluster import kernels
from engine.cluster.vectors import identity, rows_of


def assign(
    features: np.ndarray,
    centroids: np.ndarray,
    min_valid: int,
    labels: np.ndarray,
    confidence: np.ndarray,
    linear: np.ndarray | None = None,
) -> None:
    """Write label and confidence of every pixel.

    Parameters
    ----------
    features : ndarray, dims (feature, pixel), float32
        Values that are not finite are missing.
    centroids : ndarray, dims (cluster, feature), float32
    min_valid : int
        Pixels with fewer valid features get label 0 and confidence 0.
    labels : ndarray, dims (pixel,), uint8
        Filled with 1 + the nearest cluster.
    confidence : ndarray, dims (pixel,), float32, may be empty
        Filled with (d2 - d1) / (d2 + d1) from the distances d1 <= d2 to the nearest two centres; 1 where
        there is only one.
    linear : ndarray, dims (2, feature), float32
        Offsets and scales: pixels are compared and summed by `(features - offset) * scale`; none: as given.
    """
    linear = identity(len(features)) if linear is None else linear
    kernels.assign(*rows_of(features), linear, centroids, min_valid, labels, confidence)


def assign_and_sum(
    features: np.ndarray,
    weights: np.ndarray,
    centroids: np.ndarray,
    grid: np.ndarray,
    weight_grid: float,
    min_valid: int,
    sums: np.ndarray,
    valid_weights: np.ndarray,
    counts: np.ndarray,
    inertia: np.ndarray,
    linear: np.ndarray | None = None,
) -> None:
    """Add the exact sums of every cluster's pixels, for the next centroids.

    Parameters
    ----------
    features, centroids, min_valid, linear
        As for `assign`.
    weights : ndarray, dims (pixel,), float32, may be empty
        Empty: every pixel counts 1.
    grid : ndarray, dims (feature,), float64
        What `grid_of` gives for a sample.
    weight_grid : float
        The power of two to which weights are rounded.
    sums, valid_weights : ndarray, dims (cluster, feature), float64
        Weighted sums of the valid values, and of their weights.
    counts : ndarray, dims (cluster,), int64
        Numbers of pixels, whatever their weights.
    inertia : ndarray, dims (cluster,), float64
        Weighted sums of squared distances.
    """
    linear = identity(len(features)) if linear is None else linear
    settings = weights, centroids, grid, weight_grid, min_valid
    totals = sums, valid_weights, counts, inertia
    kernels.assign_and_sum(*rows_of(features), linear, features.shape[1], *settings, *totals)


def squared_distances(features: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Squared distances of every pixel to every centre, scaled where values are missing.

    Parameters
    ----------
    features : ndarray (feature, pixel)
        Features of the pixels.
    centroids : ndarray (cluster, feature)
        Centres of the clusters.

    Returns
    -------
    ndarray, dims (cluster, pixel), float32
    """
    linear = identity(len(features))
    distances: np.ndarray = kernels.squared_distances(
        *rows_of(features), linear, features.shape[1], centroids
    )
    return distances
