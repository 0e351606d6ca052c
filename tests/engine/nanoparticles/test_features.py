"""Tests of `engine.nanoparticles.features`."""

import numpy as np
import pytest

from engine.nanoparticles.features import NAMES, features, follow, vortices
from engine.nanoparticles.lattice import edge_taper, flat, measure_lattice
from engine.nanoparticles.model import consistent

DISK = np.hypot(*np.mgrid[-40:41, -40:41]) < 38


def waves(*plane_waves: tuple[float, float], noise: float, seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[-40:41, -40:41]
    image = np.random.default_rng(seed).normal(0, noise, DISK.shape)
    for spacing, angle in plane_waves:
        image += np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / spacing + 0.4)
    return image


def test_features_tell_a_dislocation_and_not_the_orientation():
    y, x = np.mgrid[-40:41, -40:41].astype(float)
    whole = waves((6.0, 0.0), noise=0.3)
    ended = np.cos(2 * np.pi * x / 6 + np.arctan2(y - 0.5, x - 0.5)) + whole - waves((6.0, 0.0), noise=0.0)
    weight = edge_taper(DISK)
    counts = []
    for image in (whole, ended):
        even = flat(image, weight, sigma=12.0) * weight
        fringe = follow(even, weight, np.array([0.0, 1 / 6]), sigma=8.0)
        counts.append(vortices(fringe.phase, weight > 0.6))
    assert counts == [0, 1]

    numbers = features(ended, DISK, measure_lattice(ended, DISK))
    turned = np.rot90(ended)
    again = features(turned, DISK, measure_lattice(turned, DISK))
    assert numbers.shape == (len(NAMES),)
    np.testing.assert_allclose(again, numbers, atol=0.05 * np.abs(numbers).max())
    assert numbers[NAMES.index("fringe 0 vortices")] == 1


@pytest.mark.parametrize("shape", [(9, 30), (30, 9)])
def test_particles_that_are_cut_or_flat_give_numbers(shape):
    image = np.random.default_rng(0).normal(size=shape)
    inside = np.ones(shape, bool)
    assert np.isfinite(features(image, inside, measure_lattice(image, inside))).all()


def test_what_shows_no_lattice_is_null_and_what_is_plainly_there_is_no_empty_place():
    features = np.zeros((4, len(NAMES)), np.float32)
    features[[0, 2], NAMES.index("peaks")] = 2
    chances = np.array([[0.5, 0.2, 0.2, 0.1], [0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.2, 0.6], [0.9, 0.1, 0, 0]])
    found = consistent(chances, features, np.array([False, False, True, True]))
    np.testing.assert_allclose(
        found, [[0.5, 0.2, 0.2, 0.1], [0, 0, 2 / 3, 1 / 3], [0.25, 0.25, 0.5, 0], [0, 0, 1, 0]]
    )
