"""Tests of `engine.pyramid.levels`."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.pyramid import value_pyramid


def raster(array, name="psi", *, step=1.0, start=0.5):
    dims = ("wavelength", "y", "x")[-array.ndim :]
    coords = {dim: start + step * np.arange(array.shape[dims.index(dim)]) for dim in ("y", "x")}
    return xr.DataArray(array, dims=dims, coords=coords, name=name, attrs={"units": "deg"})


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


def test_a_raster_larger_than_memory_needs_a_cache_folder():
    lazy = raster(np.ones((300, 300), "float32")).chunk(y=100, x=100)
    with pytest.raises(InputError, match="cache"):
        value_pyramid(lazy, memory_bytes=0)
