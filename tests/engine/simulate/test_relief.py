"""Tests of `engine.simulate.relief`."""

import numpy as np
import pytest
from scipy import ndimage

from engine.simulate.morphologies import MORPHOLOGIES
from engine.simulate.relief import FieldOfView, cells, flat, lay, noise, polyhedron, put, straight

KINDS = [pytest.param(label, kind, id=kind.__name__) for label, m in MORPHOLOGIES.items() for kind in m.kinds]


@pytest.mark.parametrize(("label", "kind"), KINDS)
def test_two_images_of_a_sample_differ_and_every_kind_is_finite_at_any_zoom_and_turn(label, kind):
    for zoom, turn in ((0.6, 0.0), (1.0, 2.1), (1.7, 5.5)):
        view = FieldOfView((96, 96), zoom * 96 / 256, turn)
        first, second = (
            kind(view, np.random.default_rng(1), np.random.default_rng(place)) for place in (2, 3)
        )
        for relief in (first, second):
            assert np.isfinite(relief.height).all()
            assert (relief.material > 0).all()
            assert relief.height.dtype == relief.material.dtype == np.float32
            assert relief.height.shape == relief.material.shape
            assert relief.height.shape[1] == 96
            assert relief.height.shape[0] >= 96
        assert first.tilt == second.tilt, "what a sample's images share is drawn from the sample"
        assert (first.height != second.height).any()


def test_noise_has_mean_zero_and_the_deviation_one():
    field = noise((128, 96), np.random.default_rng(0), length=5.0)
    assert field.shape == (128, 96)
    assert field.mean() == pytest.approx(0, abs=1e-5)
    assert field.std() == pytest.approx(1, abs=1e-5)


def test_cells_are_nearest_to_their_own_point_and_touch_where_the_gap_is_none():
    view = FieldOfView((64, 64), 1.0, 0.0)
    y, x = view.axes(np.random.default_rng(0))
    distance, gap, number = cells(y, x, 12.0, np.random.default_rng(1))
    assert (gap >= 0).all()
    assert distance.max() < 1.5
    border = ndimage.maximum_filter(number, 3) != ndimage.minimum_filter(number, 3)
    assert gap[border].max() < 0.35
    assert gap[~border].mean() > 2 * gap[border].mean()


def test_a_stamp_beyond_the_edge_is_cut_and_a_lower_one_is_hidden():
    relief = flat(FieldOfView((20, 20), 1.0, 0.0))
    put(relief, np.full((5, 5), 4, np.float32), at=(0, 19), material=2.0)
    assert (relief.height > 0).sum() == (relief.material == 2).sum() > 0
    before = relief.height.copy()
    put(relief, np.full((5, 5), 3, np.float32), at=(0, 19), material=5.0)
    put(relief, np.full((5, 5), 9, np.float32), at=(np.inf, np.inf))
    put(relief, np.full((5, 5), 9, np.float32), at=(-40, 3))
    np.testing.assert_array_equal(relief.height[before > 0], before[before > 0])


def test_a_cube_that_lies_flat_is_a_square_as_high_as_it_is_wide():
    patch = polyhedron(np.vstack([np.eye(3), -np.eye(3)]), np.full(6, 5.0), reach=9.0)
    inside = np.isfinite(patch)
    assert patch[inside].max() == pytest.approx(10, abs=0.1)
    assert inside.sum() == pytest.approx(10 * 10, rel=0.25)


def test_a_strand_is_as_wide_across_as_its_radius_says_and_as_long_as_its_ends():
    relief = flat(FieldOfView((80, 80), 1.0, 0.0))
    lay(relief, straight(np.array([20.0, 10.0]), np.array([50.0, 70.0]), (4.0, 4.0), 0.0))
    area = (relief.height > 0).sum()
    assert area == pytest.approx(8 * np.hypot(30, 60), rel=0.08)
    assert relief.height.max() == pytest.approx(4, abs=0.1)
