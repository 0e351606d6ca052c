"""Lattices of particles: spacings and angles against planted waves, with errors that are true."""

import numpy as np
import pytest

from engine.nanoparticles.features import NAMES, features, follow, vortices
from engine.nanoparticles.lattice import edge_taper, flat, measure_lattice

DISK = np.hypot(*np.mgrid[-40:41, -40:41]) < 38


def waves(*plane_waves: tuple[float, float], noise: float, seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[-40:41, -40:41]
    image = np.random.default_rng(seed).normal(0, noise, DISK.shape)
    for spacing, angle in plane_waves:
        image += np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / spacing + 0.4)
    return image


def test_spacings_and_angles_are_those_of_the_waves():
    found = measure_lattice(waves((6.3, 0.4), (7.1, 1.9), noise=0.5), DISK)
    order = np.argsort(found.spacing[:2])
    np.testing.assert_allclose(found.spacing[order], [6.3, 7.1], rtol=0.003)
    np.testing.assert_allclose(found.angle[order], [0.4, 1.9], atol=0.005)


def test_errors_are_those_that_noise_makes():
    found = [measure_lattice(waves((6.3, 0.4), noise=2.0, seed=n), DISK) for n in range(60)]
    off = np.array([(one.spacing[0] - 6.3) / one.spacing_error[0] for one in found])
    turned = np.array([(one.angle[0] - 0.4) / one.angle_error[0] for one in found])
    assert 0.6 < off.std() < 1.7
    assert 0.6 < turned.std() < 1.7


def test_noise_and_specks_have_no_lattice():
    resolved = [measure_lattice(waves(noise=1.0, seed=n), DISK).resolved for n in range(100)]
    assert sum(resolved) <= 4
    assert not measure_lattice(np.zeros((3, 3)), np.ones((3, 3), bool)).resolved


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
