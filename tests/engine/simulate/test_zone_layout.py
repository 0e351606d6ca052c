"""Tests of `engine.simulate.zone_layout`: layout of the zones of a simulated sample."""

import numpy as np

from engine.simulate import zone_layout


def test_a_flake_covers_the_pixels_inside_its_straight_edges():
    bearings = np.deg2rad([-135.0, -45.0, 45.0, 135.0])
    square = zone_layout.Shape(zone_layout.FLAKE, (0.5, 0.5), bearings, np.full(4, 0.25 * np.sqrt(2)))
    expected = np.zeros((8, 8), bool)
    expected[2:6, 2:6] = True
    np.testing.assert_array_equal(square.covers(8), expected)
