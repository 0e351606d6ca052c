"""Tests of `engine.pyramid.views`."""

import numpy as np
import pytest
import xarray as xr

from engine.pyramid import label_pyramid, value_pyramid


def raster(array, name="psi", *, step=1.0, start=0.5):
    dims = ("wavelength", "y", "x")[-array.ndim :]
    coords = {dim: start + step * np.arange(array.shape[dims.index(dim)]) for dim in ("y", "x")}
    return xr.DataArray(array, dims=dims, coords=coords, name=name, attrs={"units": "deg"})


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


def test_a_lazy_raster_is_read_when_first_seen():
    pyramid = value_pyramid(raster(np.ones((300, 300), "float32")).chunk(y=100, x=100))
    assert not pyramid.ready
    assert pyramid.view((0, 300), (0, 300), 5, 5)[0].tolist() == np.ones((5, 5)).tolist()
    assert pyramid.ready


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
