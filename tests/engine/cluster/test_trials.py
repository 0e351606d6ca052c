"""Fits of all points and of random halves."""

import numpy as np
import pytest

from engine.cluster.trials import Sampled, fit_all, fit_half


@pytest.fixture
def points() -> Sampled:
    """Three groups of 200 points, far apart in five features."""
    rng = np.random.default_rng(0)
    centres = np.repeat([[0.0], [10.0], [20.0]], 5, axis=1)
    return Sampled.of((np.repeat(centres, 200, axis=0) + rng.normal(0, 0.1, (600, 5))).T.astype(np.float32))


def test_points_are_centred_and_padded_to_fours(points: Sampled) -> None:
    np.testing.assert_allclose(points.features.mean(axis=0), 0, atol=1e-6)
    assert points.components.shape == (8, 600)
    assert not points.components[5:].any()


def test_separate_groups_are_found_and_stable(points: Sampled) -> None:
    labels = fit_all(points, 3, seed=0)
    assert [len(set(labels[n : n + 200])) for n in (0, 200, 400)] == [1, 1, 1]
    repeat = fit_half(points, labels, 3, seed=1)
    assert repeat.stability == 1.0
    assert repeat.silhouette > 0.9
    assert repeat.distortion == pytest.approx(5 * 0.01, rel=0.3)
