"""Tests of `engine.runtime.launch`."""

import numpy as np
import pytest
import xarray as xr
from job_fakes import Bench

from engine.errors import InputError
from engine.pyramid import value_pyramid


def test_a_wrong_limit_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSTACK_MAX_JOBS", "many")
    with pytest.raises(InputError, match="MAPSTACK_MAX_JOBS is 'many'; expected a whole number from 1"):
        bench.submit("finish")


def raster(array, name="psi", *, step=1.0, start=0.5):
    dims = ("wavelength", "y", "x")[-array.ndim :]
    coords = {dim: start + step * np.arange(array.shape[dims.index(dim)]) for dim in ("y", "x")}
    return xr.DataArray(array, dims=dims, coords=coords, name=name, attrs={"units": "deg"})


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
