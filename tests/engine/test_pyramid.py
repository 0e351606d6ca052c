"""Overviews: what each level holds, and what one screenful shows."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import InputError
from engine.pyramid import halve_labels, halve_values, label_pyramid, value_pyramid


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


def test_a_close_view_is_the_data_with_the_edges_of_its_pixels():
    values = np.arange(100 * 200, dtype="float32").reshape(100, 200)
    array, bounds = value_pyramid(raster(values, step=0.5, start=10.0)).view((19.9, 30.1), (15, 20), 800, 600)
    np.testing.assert_array_equal(array, values[10:21, 20:41])
    assert bounds == pytest.approx((19.75, 14.75, 30.25, 20.25))


def test_a_far_view_has_at_most_the_screens_pixels_and_covers_the_raster():
    labels = np.ones((1000, 3000), "uint8")
    array, bounds = label_pyramid(raster(labels, "labels")).view((0, 3000), (-1000, 2000), 600, 600)
    assert array.shape == (200, 600)
    assert bounds == (0, 0, 3000, 1000)


def test_zooming_shows_the_same_place_at_every_level():
    ramp = np.broadcast_to(np.arange(4096, dtype="float32"), (4096, 4096))
    pyramid = value_pyramid(raster(ramp))
    for span in (4096, 1500, 700, 90):
        array, (x0, _, x1, _) = pyramid.view((1000, 1000 + span), (0, span), 500, 500)
        centres = x0 + (np.arange(array.shape[1]) + 0.5) * (x1 - x0) / array.shape[1]
        pixel = (x1 - x0) / array.shape[1]
        assert np.abs(array[0] + 0.5 - centres).max() <= max(1.0, 1.5 * pixel)


def test_a_view_beyond_the_raster_is_its_nearest_pixel():
    array, _ = label_pyramid(raster(np.eye(4, dtype="uint8"), "labels")).view((90, 95), (90, 95), 10, 10)
    assert array.tolist() == [[1]]


def test_descending_coordinates_are_turned_upright():
    upright = raster(np.arange(6, dtype="float32").reshape(2, 3))
    turned = upright.isel(y=slice(None, None, -1))
    expected, bounds = value_pyramid(upright).view((0, 3), (0, 2), 10, 10)
    array, turned_bounds = value_pyramid(turned).view((0, 3), (0, 2), 10, 10)
    np.testing.assert_array_equal(array, expected)
    assert turned_bounds == bounds


def test_a_stored_pyramid_shows_what_one_in_memory_shows(tmp_path):
    values = np.random.default_rng(1).normal(size=(3, 700, 900)).astype("float32")
    values[:, :90, 10:400] = np.nan
    lazy = raster(values).chunk(y=130, x=210)
    stored = value_pyramid(lazy, cache=tmp_path / "psi", memory_bytes=0)
    assert not stored.ready
    memory = value_pyramid(raster(values))
    for window in (
        ((0, 900), (0, 700), 300, 200),
        ((100, 400), (50, 300), 500, 500),
        ((3, 8), (3, 8), 90, 90),
    ):
        for channel in (0, 2):
            expected, bounds = memory.view(*window, channel=channel)
            array, stored_bounds = stored.view(*window, channel=channel)
            np.testing.assert_allclose(array, expected, rtol=1e-6)
            assert stored_bounds == bounds
    assert stored.limits(1) == pytest.approx(memory.limits(1))
    assert [path.name for path in tmp_path.iterdir()] == ["psi"]


def test_a_store_is_written_once_and_read_again(tmp_path):
    lazy = raster(np.ones((300, 300), "float32")).chunk(y=100, x=100)
    value_pyramid(lazy, cache=tmp_path / "psi", memory_bytes=0).build()
    again = value_pyramid(2 * lazy.rename("psi"), cache=tmp_path / "psi", memory_bytes=0)
    assert again.ready
    assert again.view((0, 300), (0, 300), 10, 10)[0].max() == 1


def test_a_store_that_cannot_be_written_leaves_nothing(tmp_path):
    def fail(block):
        raise RuntimeError("unreadable") if block.size else block

    lazy = raster(np.ones((300, 300), "float32")).chunk(y=100, x=100)
    broken = lazy.copy(data=lazy.data.map_blocks(fail, dtype="float32", meta=np.empty((0, 0), "float32")))
    with pytest.raises(RuntimeError, match="unreadable"):
        value_pyramid(broken, cache=tmp_path / "psi", memory_bytes=0).build()
    assert list(tmp_path.iterdir()) == []


def test_a_raster_larger_than_memory_needs_a_cache_folder():
    lazy = raster(np.ones((300, 300), "float32")).chunk(y=100, x=100)
    with pytest.raises(InputError, match="cache"):
        value_pyramid(lazy, memory_bytes=0)


def test_a_lazy_raster_is_read_when_first_seen():
    pyramid = value_pyramid(raster(np.ones((300, 300), "float32")).chunk(y=100, x=100))
    assert not pyramid.ready
    assert pyramid.view((0, 300), (0, 300), 5, 5)[0].tolist() == np.ones((5, 5)).tolist()
    assert pyramid.ready


def test_limits_leave_the_tails_out_and_survive_emptiness():
    values = np.linspace(0, 100, 10_001, dtype="float32").reshape(1, 73, 137)
    lowest, low, high, highest = value_pyramid(raster(values)).limits(0, percent=98)
    assert (lowest, highest) == (0, 100)
    assert (low, high) == pytest.approx((1, 99), abs=0.05)
    nothing = value_pyramid(raster(np.full((4, 4), np.nan, "float32"))).limits()
    constant = value_pyramid(raster(np.full((4, 4), 7, "float32"))).limits()
    assert nothing[1] < nothing[2]
    assert constant[0] <= 7 <= constant[3]
    assert constant[1] < constant[2]


def test_a_position_becomes_a_row_and_a_column():
    pyramid = label_pyramid(raster(np.ones((3, 5), "uint8"), "labels", step=2.0, start=1.0))
    assert pyramid.pixel(9.9, 0.0) == (0, 4)
    assert pyramid.pixel(10.1, 0.0) is None
    assert pyramid.pixel(5.0, -0.1) is None


def test_the_value_of_a_pixel_is_read_at_full_resolution_and_none_where_there_is_none():
    array = np.arange(2 * 3 * 4, dtype="float32").reshape(2, 3, 4)
    array[1, 2, 3] = np.nan
    pyramid = value_pyramid(raster(array, step=2.0, start=1.0))
    assert pyramid.value(0.1, 0.1) == 0
    assert pyramid.value(7.9, 3.9, channel=1) == array[1, 1, 3]
    assert pyramid.value(7.9, 5.9, channel=1) is None, "no data"
    assert pyramid.value(8.1, 3.9) is None, "beyond the right edge"
