"""Tests of `engine.cluster.centroids`."""

import numpy as np
import pytest
import xarray as xr

from engine.cluster.assignment import assign
from engine.cluster.centroids import Grids, Totals
from engine.cluster.features import fit_features
from engine.cluster.sample import draw_sample

NONE = np.empty(0, np.float32)


def pixels(n: int = 1000, n_features: int = 6, holes: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n_features, n)).astype(np.float32)
    values[rng.random(values.shape) < holes] = np.nan
    values[:, ::97] = np.nan
    return values


@pytest.mark.parametrize("holes", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_are_exact_so_that_their_order_is_of_no_consequence(holes: float, weighted: bool) -> None:
    features = pixels(5000, holes=holes)
    features[2, 17] = 1e9  # beyond what 256 integers can hold
    weights = np.random.default_rng(3).random(5000).astype(np.float32) if weighted else NONE
    centroids = np.random.default_rng(2).normal(size=(4, 6)).astype(np.float32)
    grids = Grids.of(features[:, :10], weights[:10])
    whole = Totals.of(features, weights, centroids, grids=grids)
    order = np.random.default_rng(4).permutation(5000)
    shuffled = [
        Totals.of(
            np.ascontiguousarray(features[:, part]),
            weights[part] if weighted else NONE,
            centroids,
            grids=grids,
        )
        for part in np.split(order, [100, 1700, 1701])
    ]
    combined = Totals.combined(shuffled)
    np.testing.assert_array_equal(combined.sums, whole.sums)
    np.testing.assert_array_equal(combined.valid_weights, whole.valid_weights)
    np.testing.assert_array_equal(combined.counts, whole.counts)
    found = np.empty(5000, np.uint8)
    assign(features, centroids, 1, found, NONE)
    labels = found.astype(int) - 1
    share = weights.astype(float) if weighted else np.ones(5000)
    for label in range(4):
        chosen = labels == label
        sums = (np.nan_to_num(features[:, chosen].astype(float)) * share[chosen]).sum(axis=1)
        valid = (np.isfinite(features[:, chosen]) * share[chosen]).sum(axis=1)
        np.testing.assert_allclose(whole.sums[label], sums, atol=5000 * grids.values.max())
        np.testing.assert_allclose(whole.valid_weights[label], valid, rtol=1e-5)
        assert whole.counts[label] == chosen.sum()


@pytest.mark.parametrize("kind", ["raw", "standardised"])
def test_features_made_while_loading_are_those_of_a_copy_to_the_last_bit(kind: str) -> None:
    values = pixels(60 * 50, holes=0.05).reshape(6, 60, 50) * np.float32(3) + np.float32(40)
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    space = fit_features(images, draw_sample(images), kind=kind)
    tile = values[:, 7:31]
    assert space.is_linear([tile])
    view, copied = tile.reshape(6, -1), space.apply([tile])
    centroids = np.ascontiguousarray(np.nan_to_num(copied[:, 200:204].T))
    grids = Grids.of(copied, NONE)
    expected = Totals.of(copied, NONE, centroids, grids=grids)
    found = Totals.zeros(4, 6)
    found.add(view, NONE, centroids, grids=grids, linear=space.linear)
    for name in ("sums", "valid_weights", "counts", "inertia"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    both = [(np.empty(1200, np.uint8), np.empty(1200, np.float32)) for _ in range(2)]
    assign(copied, centroids, 1, *both[0])
    assign(view, centroids, 1, *both[1], space.linear)
    np.testing.assert_array_equal(both[0], both[1])
