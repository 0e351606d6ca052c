"""Tests of `engine.preprocess.scale`: give the frame a scale where the file has none, or the wrong one."""

import numpy as np
import pytest
import xarray as xr

from engine import recipe
from engine.errors import InputError
from engine.preprocess.crop import crop, exclude, inside
from engine.preprocess.scale import pixel_size


@pytest.fixture
def images():
    coords = {d: (d, np.arange(n, dtype=float), {"units": "px"}) for d, n in (("y", 6), ("x", 8))}
    values = np.arange(96.0).reshape(2, 6, 8)
    return xr.Dataset({"psi": (("wavelength", "y", "x"), values, {"units": "deg"})}, coords)


def test_polygons_are_in_the_units_of_the_coordinates(images):
    scaled = pixel_size(images, size=0.5)
    area = inside(scaled, [[0.9, 0.9], [1.6, 0.9], [1.6, 1.1], [0.9, 1.1]])
    assert np.argwhere(area.values).tolist() == [[2, 2], [2, 3]]


def test_a_pixel_size_scales_the_coordinates_and_keeps_the_place_of_a_part(images):
    scaled = pixel_size(crop(images, x=(2, 5)), size=0.5)
    assert scaled["x"].values.tolist() == [1.0, 1.5, 2.0]
    assert scaled["x"].attrs["units"] == "µm"


def test_a_second_pixel_size_replaces_the_first(images):
    scaled = pixel_size(pixel_size(images, size=0.5), size=20, unit="nm")
    assert scaled["y"].values.tolist() == [0, 20, 40, 60, 80, 100]
    assert scaled["y"].attrs["units"] == "nm"


@pytest.mark.parametrize(("size", "unit"), [(0, "µm"), (-1, "µm"), (float("inf"), "nm"), (1, "inch")])
def test_a_size_that_is_none_is_refused(images, size, unit):
    with pytest.raises(InputError, match="expected a positive number of nm, µm, mm"):
        pixel_size(images, size=size, unit=unit)


def test_recorded_steps_give_the_same_images_again(images):
    corners = np.array([[0.5, 0.5], [3.5, 0.5], [2.0, 2.5]])
    done = exclude(crop(pixel_size(images, size=1.0), y=(0, 4)), polygons=[corners])
    again = recipe.prepare(images, recipe.list_steps(done))
    xr.testing.assert_identical(again.compute(), done.compute())
