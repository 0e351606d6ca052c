""""""

import numpy as np
import pytest
import xarray as xr
from astropy.convolution import Gaussian2DKernel, interpolate_replace_nans
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.preprocess.gaps import fill_gaps
from engine.recipe import list_steps


def images_of(values, name="psi", **coords):
    dims = ("wavelength", "y", "x")[-np.ndim(values) :]
    return xr.Dataset({name: (dims, np.asarray(values), {"units": "deg"})}, coords, {"title": "a"})


def holed(seed=0, shape=(2, 40, 33), share=0.08):
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 5, shape).astype(np.float32)
    values[rng.random(shape) < share] = np.nan
    return values


def test_holes_inside_are_filled_as_by_astropy():
    values = holed()
    filled = fill_gaps(images_of(values), size=9, sigma=2.0)["psi"].values
    for plane, ours in zip(values, filled, strict=True):
        theirs = interpolate_replace_nans(plane, Gaussian2DKernel(2.0, x_size=9, y_size=9))
        np.testing.assert_allclose(ours[4:-4, 4:-4], theirs[4:-4, 4:-4], rtol=1e-6)


def test_valid_values_are_untouched_and_the_input_too():
    values = holed()
    before = values.copy()
    filled = fill_gaps(images_of(values))["psi"].values
    valid = np.isfinite(values)
    np.testing.assert_array_equal(filled[valid], values[valid])
    np.testing.assert_array_equal(values, before)
    assert np.isfinite(filled).all()


def test_a_constant_frame_is_not_pulled_towards_0_at_its_border():
    values = np.full((12, 12), 7.0)
    values[0, 0] = values[0, 5] = values[11, 11] = np.nan
    np.testing.assert_allclose(fill_gaps(images_of(values))["psi"], 7.0, rtol=1e-12)


def test_a_hole_between_359_and_1_degrees_is_filled_with_0():
    values = np.array([[359.0, np.nan, 1.0]])
    filled = float(fill_gaps(images_of(values, "delta"))["delta"][0, 1])
    assert min(filled, 360 - filled) == pytest.approx(0, abs=1e-9)
    assert float(fill_gaps(images_of(values, "psi"))["psi"][0, 1]) == pytest.approx(180)


def test_angles_away_from_the_wrap_are_filled_with_their_plain_mean():
    values = np.array([[100.0, np.nan, 130.0], [np.nan, 95.0, 140.0]])
    plain = fill_gaps(images_of(values, "psi"))["psi"].values
    np.testing.assert_allclose(fill_gaps(images_of(values, "delta"))["delta"].values, plain, rtol=1e-12)


@given(
    rows=st.lists(st.integers(1, 15), min_size=1, max_size=5),
    columns=st.lists(st.integers(1, 15), min_size=1, max_size=5),
    name=st.sampled_from(["psi", "delta"]),
)
@settings(max_examples=15, deadline=None)
def test_the_filling_does_not_depend_on_the_chunks(rows, columns, name):
    values = holed(shape=(2, sum(rows), sum(columns)), share=0.3)
    images = images_of(values, name)
    lazy = fill_gaps(images.chunk({"y": tuple(rows), "x": tuple(columns)}))
    np.testing.assert_array_equal(lazy[name], fill_gaps(images)[name])


@pytest.mark.parametrize("shape", [(37, 21), (2, 37, 21)])
def test_bands_of_large_planes_in_memory_give_the_same_as_one(monkeypatch, shape):
    values = holed(shape=shape, share=0.3)
    whole = fill_gaps(images_of(values))["psi"].values
    monkeypatch.setattr("engine.preprocess.neighbours.BAND_BYTES", 10 * 21 * 4)
    banded = fill_gaps(images_of(values))["psi"]
    assert len(banded.chunks[-2]) == 4
    np.testing.assert_array_equal(banded, whole)


def test_excluded_pixels_neither_give_nor_take():
    values = np.array([[1.0, np.nan, 100.0, np.nan]])
    images = images_of(values).assign(mask=(("y", "x"), np.array([[False, False, True, True]])))
    filled = fill_gaps(images)["psi"].values
    np.testing.assert_array_equal(filled, [[1.0, 1.0, 100.0, np.nan]])


def test_whole_numbers_have_no_holes_and_stay_as_they_are():
    images = images_of(np.arange(6).reshape(2, 3))
    assert fill_gaps(images)["psi"].dtype == images["psi"].dtype


def test_the_step_is_lazy_keeps_attributes_and_is_recorded():
    images = images_of(holed()).chunk({"y": 10})
    filled = fill_gaps(images, size=5)
    assert filled["psi"].chunks is not None
    assert filled["psi"].attrs == {"units": "deg"}
    assert filled.attrs["title"] == "a"
    assert list_steps(filled) == ({"name": "fill_gaps", "arguments": {"size": 5}},)


@pytest.mark.parametrize("arguments", [{"size": 8}, {"size": -1}, {"sigma": 0.0}, {"sigma": float("nan")}])
def test_an_even_size_or_no_sigma_is_refused(arguments):
    with pytest.raises(InputError, match="expected an odd size and a positive sigma"):
        fill_gaps(images_of(holed()), **arguments)
