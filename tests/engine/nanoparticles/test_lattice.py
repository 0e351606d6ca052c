"""Lattices of particles: spacings and angles against planted waves, with errors that are true."""

from pathlib import Path

import numpy as np
import pytest

import engine
from engine.nanoparticles.lattice import measure_lattice

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


@pytest.mark.real
def test_real_particles_too_small_for_a_lattice_are_counted_and_none_is_said_to_have_a_defect(shared: Path):
    image = shared / "data" / "hrtem" / "au_particles_temseg" / "images" / "frame_172.png"
    table = engine.run("particles", engine.open(image))["object_table"].to_dataset()
    assert table.sizes["object"] == pytest.approx(757, rel=0.15)
    assert set(table["name"].values[~table["resolved"].values]) == {"null"}
