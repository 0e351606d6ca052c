"""Tests of `engine.pyramid.halving`."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.pyramid import halve_labels, halve_values, value_pyramid


def raster(array, name="psi", *, step=1.0, start=0.5):
    dims = ("wavelength", "y", "x")[-array.ndim :]
    coords = {dim: start + step * np.arange(array.shape[dims.index(dim)]) for dim in ("y", "x")}
    return xr.DataArray(array, dims=dims, coords=coords, name=name, attrs={"units": "deg"})


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ([1, 1, 1, 2], 1),
        ([2, 1, 2, 2], 2),
        ([0, 0, 0, 5], 0),
        ([0, 0, 3, 4], 0),
        ([3, 3, 2, 2], 2),
        ([0, 0, 7, 7], 7),
        ([9, 8, 7, 0], 7),
        ([4, 3, 2, 1], 1),
        ([1, 4, 4, 3], 4),
    ],
)
def test_a_block_becomes_its_majority_and_ties_go_to_the_lowest_class_that_is_not_zero(block, expected):
    for dtype in ("uint8", "uint16", "uint32"):
        for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
            labels = np.array(block, dtype=dtype)[order].reshape(2, 2)
            assert halve_labels(labels).tolist() == [[expected]]


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 5))
)
@settings(deadline=None, max_examples=60)
def test_no_class_appears_that_is_not_in_its_block(labels):
    level, side = labels, 1
    while max(level.shape) > 1:
        level, side = halve_labels(level), 2 * side
        for (row, column), label in np.ndenumerate(level):
            block = labels[row * side : (row + 1) * side, column * side : (column + 1) * side]
            assert label in block


def test_an_odd_border_keeps_its_pixels():
    labels = np.array([[1, 1, 2], [1, 1, 3], [4, 4, 5]], dtype="uint8")
    assert halve_labels(labels).tolist() == [[1, 2], [4, 5]]
    assert halve_values(labels.astype("float32")).tolist() == [[1, 2.5], [4, 5]]


def test_values_are_means_of_the_valid_pixels():
    values = np.array([[1, 2, np.nan, np.nan], [3, np.nan, np.nan, np.nan]], dtype="float32")
    assert halve_values(values)[0, 0] == pytest.approx(2)
    assert np.isnan(halve_values(values)[0, 1])


def test_angles_are_averaged_on_their_circle():
    values = np.array([[359, 1, 90, 94], [359, 1, 92, np.nan]], dtype="float32")
    wrapped = halve_values(values, period=360.0)
    assert np.cos(np.deg2rad(wrapped[0, 0])) == pytest.approx(1, abs=1e-6)
    assert wrapped[0, 1] == pytest.approx(92)
    assert (
        value_pyramid(raster(np.full((600, 600), 10.0), "delta")).view((0, 600), (0, 600), 9, 9)[0].max()
        == 10
    )


def test_bands_of_rows_do_not_change_a_level():
    labels = np.random.default_rng(0).integers(0, 4, (1500, 30)).astype("uint8")
    parts = [halve_labels(labels[i : i + 2]) for i in range(0, 1500, 2)]
    np.testing.assert_array_equal(halve_labels(labels), np.concatenate(parts))
