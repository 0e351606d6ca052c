"""Tests of `engine.cluster.search`."""

import numpy as np
import xarray as xr

from engine.cluster import KMeans
from engine.cluster.decomposition import decompose


def cube(seed=0, shape=(12, 30, 25), n_sources=3, noise=0.01, dim="wavelength"):
    """A non-negative mixture of `n_sources` bumps; the abundances are smooth random maps."""
    rng = np.random.default_rng(seed)
    n, height, width = shape
    centres = (np.arange(n_sources) + 0.5) * n / n_sources
    spectra = np.exp(-0.5 * ((np.arange(n) - centres[:, None]) / 1.5) ** 2)
    abundances = rng.random((n_sources, height, width)) * np.array([3, 2, 1])[:, None, None]
    values = np.einsum("kc,kyx->cyx", spectra, abundances) + noise * rng.random(shape)
    images = xr.Dataset(
        {"counts": ((dim, "y", "x"), values.astype(np.float32), {"units": "adu"})},
        {dim: (dim, np.arange(n) * 10.0, {"units": "nm"})},
    )
    return images, spectra, abundances


def test_the_same_seed_gives_the_same_nmf():
    images, *_ = cube()
    first, second = (decompose(images, method="nmf", n_components=3, seed=4).compute() for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_the_same_seed_gives_the_same_model_and_another_may_not() -> None:
    rng = np.random.default_rng(0)
    images = xr.Dataset({"a": (("channel", "y", "x"), rng.random((6, 40, 40)))})
    first, again, other = (
        KMeans(n_clusters=9, n_restarts=1, seed=s).fit(images).arrays["centroids"] for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
