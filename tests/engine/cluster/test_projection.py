"""Tests of `engine.cluster.projection`."""

import numpy as np

from engine.cluster.projection import project


def pixels(n: int = 1000, n_features: int = 6, holes: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n_features, n)).astype(np.float32)
    values[rng.random(values.shape) < holes] = np.nan
    values[:, ::97] = np.nan
    return values


def test_a_projection_is_the_matrix_product() -> None:
    values, components = pixels(holes=0)[:, 1:90], np.random.default_rng(0).random((3, 6)).astype(np.float32)
    np.testing.assert_allclose(project(values, components), components @ values, rtol=1e-5, atol=1e-6)
