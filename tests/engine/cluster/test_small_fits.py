"""Tests of `engine.cluster.small_fits`."""

import numpy as np
import pytest

from engine.cluster import indices, small_fits


def blobs(*, n_points, centres, seed=0, scale=0.1):
    """Points around centres, (point, feature), and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centres), n_points).astype(np.int32)
    return np.asarray(centres, float)[labels] + scale * rng.standard_normal(
        (n_points, len(centres[0]))
    ), labels


SQUARE = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 3, 0, 0), (3, 3, 0, 1)]


def test_a_valley_is_deep_between_two_gaussians_and_absent_within_one():
    rng = np.random.default_rng(0)
    apart = rng.standard_normal((4, 4000)).astype(np.float32)
    apart[0, :2000] += 6
    centres = np.zeros((2, 4), np.float32)
    centres[0, 0] = 6
    assert indices.worst_valley(apart, centres, small_fits.nearest(apart, centres)) < 0.1
    one = rng.standard_normal((4, 4000)).astype(np.float32)
    halves = np.zeros((2, 4), np.float32)
    halves[:, 0] = (-0.8, 0.8)  # where 2-means puts them in a normal distribution: sqrt(2 / pi)
    assert indices.worst_valley(one, halves, small_fits.nearest(one, halves)) > 0.9


def test_two_gaussians_have_the_valley_of_their_density():
    # at 3 standard deviations apart the sum falls to 2 exp(-9/8) / (1 + exp(-9/2)) of its peaks
    rng = np.random.default_rng(1)
    points = np.zeros((4, 40000), np.float32)
    points[0] = rng.standard_normal(40000)
    points[0, :20000] += 3
    centres = np.zeros((2, 4), np.float32)
    centres[0, 0] = 3
    expected = 2 * np.exp(-9 / 8) / (1 + np.exp(-9 / 2))
    valley = indices.worst_valley(points, centres, small_fits.nearest(points, centres))
    assert valley == pytest.approx(expected, abs=0.05)


def test_a_small_fit_finds_the_optimum_that_scikit_learn_finds():
    from sklearn.cluster import KMeans

    points, _ = blobs(n_points=1000, centres=SQUARE, scale=0.7)
    values = np.ascontiguousarray(points.T, np.float32)
    centres = small_fits.fit(values, 4, seed=0, n_restarts=5)
    labels = small_fits.nearest(values, centres)
    inertia = ((points - centres[labels]) ** 2).sum()
    assert inertia == pytest.approx(KMeans(4, n_init=10, random_state=0).fit(points).inertia_, rel=1e-3)
    squares = ((points[:, None] - centres[None]) ** 2).sum(-1)
    np.testing.assert_array_equal(labels, squares.argmin(1))
