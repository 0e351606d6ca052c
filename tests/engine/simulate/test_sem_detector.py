"""Tests of `engine.simulate.sem_detector`: image formation of a scanning electron microscope."""

import numpy as np
import pytest

from engine.simulate import sem_detector
from engine.simulate.relief import Relief


def test_a_slope_is_brighter_than_level_ground_and_the_side_of_the_detector_brighter_than_the_other():
    height = np.maximum(20 - np.abs(np.arange(160) - 80), 0).astype(np.float32) * np.ones(
        (160, 1), np.float32
    )
    relief = Relief(height, np.ones_like(height))
    settings = sem_detector.Detector(0.0, 0.1, 0.5, 0.0, 0.0, 0.0, "SE2", 5.0)
    exposure = sem_detector.Exposure(0.5, 0.0, 0.0, 1e5, 0.0, 0.0, 1.0, 0.0, 0.0)
    image = sem_detector.form_image(relief, settings, exposure, np.random.default_rng(0), size=144).astype(
        float
    )
    level, away, towards = image[:, 10:40].mean(), image[:, 58:68].mean(), image[:, 76:86].mean()
    slope, side = 0.5 * (np.sqrt(2) - 1), 0.1 * np.sqrt(0.5)  # at 45 degrees, the detector at large x
    assert (away - level) / (towards - level) == pytest.approx((slope - side) / (slope + side), rel=0.03)
    assert away > level


def test_from_the_front_a_near_wall_hides_what_is_behind_it_and_its_foot_is_where_it_stands():
    height = np.zeros((100, 3), np.float32)
    height[60:70] = 20
    electrons = np.where(height > 0, np.float32(3), np.float32(1))
    electrons[55:60] = 9  # a stripe just behind the wall
    angle = np.deg2rad(45)
    seen = sem_detector.tilt_relief(electrons, height, 45.0, n_rows=60)
    start = (100 * np.cos(angle) - 60) / 2
    top, foot = (np.cos(angle) * 60 - np.sin(angle) * 20 - start, np.cos(angle) * 70 - start)
    assert seen.max() <= 3.001, "the stripe is hidden"
    bright = np.flatnonzero(seen[:, 1] > 1.05)
    assert bright[0] == pytest.approx(top, abs=1.5)
    assert bright[-1] == pytest.approx(foot, abs=1.5)


def test_a_relief_that_is_not_raised_looks_the_same_from_the_front_but_shorter():
    ramp = np.arange(200, dtype=np.float32)[:, np.newaxis] * np.ones((1, 4), np.float32)
    seen = sem_detector.tilt_relief(ramp, np.zeros_like(ramp), 60.0, n_rows=80)
    np.testing.assert_allclose(np.diff(seen[:, 0]), 2.0, atol=1e-3)
