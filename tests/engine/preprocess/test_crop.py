"""Tests of `engine.preprocess.crop`."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.preprocess.crop import crop, exclude, inside


@pytest.fixture
def images():
    coords = {d: (d, np.arange(n, dtype=float), {"units": "px"}) for d, n in (("y", 6), ("x", 8))}
    values = np.arange(96.0).reshape(2, 6, 8)
    return xr.Dataset({"psi": (("wavelength", "y", "x"), values, {"units": "deg"})}, coords)


def test_a_crop_keeps_values_and_coordinates(images):
    part = crop(images, y=(1, 3), x=[2, 8])
    np.testing.assert_array_equal(part["psi"], images["psi"][:, 1:3, 2:8])
    assert part["x"].values.tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("rows", [(3, 3), (-2, 3), (0, 7), (1,), (0.5, 2)])
def test_a_crop_that_is_empty_or_leaves_the_frame_is_refused(images, rows):
    with pytest.raises(InputError, match="0 <= start < stop <= 6"):
        crop(images, y=rows)


def test_a_rectangle_excludes_the_pixels_whose_centres_it_holds(images):
    masked = exclude(
        images.chunk({"y": 4, "x": 3}), polygons=[[[0.5, 1.5], [3.5, 1.5], [3.5, 4.5], [0.5, 4.5]]]
    )
    expected = np.zeros((6, 8), bool)
    expected[2:5, 1:4] = True
    np.testing.assert_array_equal(masked["mask"], expected)
    assert masked["mask"].dtype == bool


def test_polygons_add_up_and_keep_what_was_excluded_before(images):
    first = exclude(images, polygons=[[[-1, -1], [0.5, -1], [0.5, 9], [-1, 9]]])
    second = exclude(
        first, polygons=[[[6.5, -1], [9, -1], [9, 9], [6.5, 9]], [[2.5, -1], [3.5, -1], [3, 0.5]]]
    )
    assert np.flatnonzero(second["mask"].values.all(axis=0)).tolist() == [0, 7]
    assert second["mask"].values[0].tolist() == [True, False, False, True, False, False, False, True]


def test_keep_inside_excludes_what_lies_outside_of_all_polygons(images):
    kept = exclude(images, polygons=[[[1.5, 1.5], [2.5, 1.5], [2, 2.5]]], keep_inside=True)
    assert np.argwhere(~kept["mask"].values).tolist() == [[2, 2]]


def test_a_star_is_hollow_by_the_even_odd_rule(images):
    turns = 2 * np.pi * np.arange(0, 10, 2) / 5
    star = np.stack([3.5 + 3.4 * np.sin(turns), 2.5 + 3.4 * np.cos(turns)], axis=1)
    assert not inside(images, star.tolist()).values[2:4, 3:5].any()


@pytest.mark.parametrize(
    "polygon", [[], [[0, 0], [1, 1]], [[0, 0], [1, 1], [2, np.nan]], "abc", [[1, 2, 3]] * 3]
)
def test_what_is_no_polygon_is_refused(images, polygon):
    with pytest.raises(InputError, match="not a polygon"):
        exclude(images, polygons=[polygon])


def test_no_polygon_at_all_is_refused(images):
    with pytest.raises(InputError, match="no polygon to exclude"):
        exclude(images, polygons=[])
