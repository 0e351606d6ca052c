""""""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from engine.errors import InputError
from engine.preprocess.smooth import smooth
from engine.recipe import list_steps


def images_of(values, name="psi"):
    dims = ("wavelength", "y", "x")[-np.ndim(values) :]
    return xr.Dataset({name: (dims, np.asarray(values), {"units": "deg"})})


def test_complete_maps_are_smoothed_as_by_scipy_away_from_the_border():
    values = np.random.default_rng(0).normal(size=(40, 50))
    smoothed = smooth(images_of(values), sigma=1.5)["psi"].values
    np.testing.assert_allclose(smoothed[6:-6, 6:-6], gaussian_filter(values, 1.5)[6:-6, 6:-6], rtol=1e-10)


def test_a_constant_map_with_holes_stays_constant_and_holed():
    values = np.full((20, 20), 3.0)
    values[3:6, 0:4] = np.nan
    smoothed = smooth(images_of(values), sigma=2)["psi"].values
    np.testing.assert_allclose(smoothed[np.isfinite(values)], 3.0, rtol=1e-12)
    np.testing.assert_array_equal(np.isnan(smoothed), np.isnan(values))


def test_angles_about_0_stay_about_0():
    values = np.where(np.arange(400).reshape(20, 20) % 2, 359.0, 1.0)
    smoothed = smooth(images_of(values, "delta"), sigma=2)["delta"].values
    assert np.abs((smoothed + 180) % 360 - 180).max() < 1
    assert smoothed.min() >= 0
    assert smoothed.max() <= 360


@given(rows=st.lists(st.integers(1, 15), min_size=1, max_size=4), sigma=st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=12, deadline=None)
def test_smoothing_does_not_depend_on_the_chunks(rows, sigma):
    values = np.random.default_rng(1).normal(40, 9, (2, sum(rows), 17)).astype(np.float32)
    values[:, ::5, ::4] = np.nan
    images = images_of(values)
    lazy = smooth(images.chunk({"y": tuple(rows), "x": 5}), sigma=sigma)["psi"]
    np.testing.assert_allclose(lazy, smooth(images, sigma=sigma)["psi"], rtol=1e-6)


def test_excluded_pixels_neither_give_nor_take():
    images = images_of([[1.0, 1.0, 100.0]]).assign(mask=(("y", "x"), np.array([[False, False, True]])))
    np.testing.assert_allclose(smooth(images, sigma=1)["psi"], [[1.0, 1.0, 100.0]], rtol=1e-12)


def test_sigma_0_changes_nothing_but_is_recorded():
    images = images_of([[1.0, 5.0]])
    same = smooth(images, sigma=0)
    np.testing.assert_array_equal(same["psi"], images["psi"])
    assert list_steps(same) == ({"name": "smooth", "arguments": {"sigma": 0}},)


@pytest.mark.parametrize("sigma", [-1, float("inf"), float("nan")])
def test_a_sigma_that_is_no_width_is_refused(sigma):
    with pytest.raises(InputError, match="expected 0 or a positive number of pixels"):
        smooth(images_of([[1.0]]), sigma=sigma)
