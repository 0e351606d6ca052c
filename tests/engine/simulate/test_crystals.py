"""Tests of `engine.simulate.crystals`."""

import numpy as np
import pytest

from engine.simulate import crystals


def test_fringes_of_the_zone_that_shows_faults_are_those_of_the_tables():
    gold = crystals.view("gold", 0).reflections
    assert gold[0].spacing == pytest.approx(0.4078 / np.sqrt(3))
    assert gold[1].spacing == pytest.approx(0.4078 / np.sqrt(3))
    between = abs(gold[0].angle - gold[1].angle)
    assert np.rad2deg(min(between, np.pi - between)) == pytest.approx(70.53, abs=0.01)
    wurtzite = [one.spacing for one in crystals.view("wurtzite CdSe", 2).reflections[:3]]
    np.testing.assert_allclose(wurtzite, 0.4299 * np.sqrt(3) / 2)


def test_a_twin_is_a_mirror_image_and_a_fault_keeps_the_distances_of_neighbours():
    from scipy.spatial import cKDTree

    def nearest(defect: str) -> np.ndarray:
        rng = np.random.default_rng(3)
        atoms = crystals.crystal(
            "gold", radius=1.6, zone=0, turn=0.3, tilt=np.zeros(2), defect=defect, rng=rng
        )
        points = np.stack([atoms.x, atoms.y, atoms.z], axis=1)
        return cKDTree(points).query(points, 2)[0][:, 1]

    whole, bond = nearest(crystals.NONE), 0.4078 / np.sqrt(2)
    np.testing.assert_allclose(whole, bond, rtol=1e-6)
    np.testing.assert_allclose(nearest(crystals.TWIN), bond, rtol=1e-6)
    np.testing.assert_allclose(nearest(crystals.FAULT), bond, rtol=1e-6)
    assert np.ptp(nearest(crystals.DISLOCATION)) > 0.02 * bond
