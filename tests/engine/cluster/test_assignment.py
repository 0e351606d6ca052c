"""Tests of `engine.cluster.assignment`."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.cluster.assignment import assign, squared_distances


def pixels(n: int = 1000, n_features: int = 6, holes: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n_features, n)).astype(np.float32)
    values[rng.random(values.shape) < holes] = np.nan
    values[:, ::97] = np.nan
    return values


def distances(features: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Partial distances in float64."""
    there = np.isfinite(features)
    squares = (np.where(there, features, 0)[None].astype(float) - centroids[:, :, None]) ** 2 * there
    return squares.sum(axis=1) * len(features) / np.maximum(there.sum(axis=0), 1)


def test_labels_and_margins_are_those_of_partial_distances_in_double_precision() -> None:
    features = pixels()
    centroids = np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32)
    labels, confidence = np.empty(1000, np.uint8), np.empty(1000, np.float32)
    assign(features, centroids, 1, labels, confidence)
    expected = distances(features, centroids)
    empty = np.isnan(features).all(axis=0)
    assert (labels[empty] == 0).all()
    assert (confidence[empty] == 0).all()
    np.testing.assert_array_equal(labels[~empty], expected.argmin(axis=0)[~empty] + 1)
    near, far = np.sqrt(np.sort(expected, axis=0)[:2])
    margin = (far - near)[~empty] / (far + near)[~empty]
    np.testing.assert_allclose(confidence[~empty], margin, atol=1e-5)
    np.testing.assert_allclose(
        squared_distances(features, centroids)[:, ~empty], expected[:, ~empty], rtol=1e-5
    )


@pytest.mark.parametrize("turned", [lambda a: a[::-1], lambda a: a[:, ::2], np.asfortranarray])
def test_values_in_any_order_in_memory_are_labelled_alike(turned: Callable[[np.ndarray], np.ndarray]) -> None:
    features = turned(pixels())
    centroids = np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32)
    np.testing.assert_array_equal(
        squared_distances(features, centroids), squared_distances(features.copy(), centroids)
    )
