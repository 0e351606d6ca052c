"""A stack of four zones and its clustering."""

import numpy as np
import pytest
import xarray as xr

import engine


@pytest.fixture(scope="module")
def images() -> xr.Dataset:
    """Four zones of 20 x 20 pixels with clear steps between them; the first is two levels."""
    rng = np.random.default_rng(0)
    levels = np.kron([[0, 0], [10, 30]], np.ones((20, 20)))
    levels[:20, 30:] = 2
    values = levels + rng.normal(0, 0.01, (3, 40, 40))
    return xr.Dataset({"intensity": (("channel", "y", "x"), values.astype("f4"), {"units": "1"})})


@pytest.fixture(scope="module")
def result(images: xr.Dataset) -> xr.DataTree:
    return engine.run("kmeans", images, n_clusters=3, features="raw", seed=0)
