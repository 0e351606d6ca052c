"""Shared fixtures."""

import numpy as np
import pytest
import xarray as xr


def blobs(*, n_points, centres, seed=0, scale=0.1):
    """Points around centres, (point, feature), and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centres), n_points).astype(np.int32)
    return np.asarray(centres, float)[labels] + scale * rng.standard_normal(
        (n_points, len(centres[0]))
    ), labels


def stack_of(points, *, size):
    """Images with one channel a feature from points in raster order."""
    values = points.T.reshape(-1, size, size).astype(np.float32)
    return xr.Dataset({"counts": (("channel", "y", "x"), values)})


SQUARE = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 3, 0, 0), (3, 3, 0, 1)]


@pytest.fixture(scope="session")
def four():
    points, labels = blobs(n_points=64**2, centres=SQUARE)
    return stack_of(points, size=64), points, labels
