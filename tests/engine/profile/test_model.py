"""Peaks of all pixels: masks, axes and units."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.profile.analysis import Profile
from engine.profile.model import error_inflation, sort_axis


def stack() -> xr.Dataset:
    axis = np.linspace(500, 700, 41)
    data = 100 * np.exp(-4 * np.log(2) * ((axis[:, None, None] - 600) / 40) ** 2) + np.zeros((41, 3, 4))
    coords = {"wavelength": ("wavelength", axis, {"units": "nm"})}
    return xr.Dataset({"counts": (("wavelength", "y", "x"), data.astype("f4"), {"units": "adu"})}, coords)


def test_masked_pixels_have_no_value() -> None:
    images = stack()
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    images["mask"] = (("y", "x"), mask, {"units": "1"})
    result = Profile(shape="gaussian").fit(images).predict(images)
    np.testing.assert_array_equal(np.asarray(result["valid"]), ~mask)
    assert np.isnan(float(result["values/position"][1, 2]))
    assert float(result["values/position"][0, 0]) == pytest.approx(600, abs=1e-3)


def test_values_carry_the_units_of_axis_and_variable() -> None:
    values = Profile(shape="gaussian").fit(stack()).predict(stack())["values"].to_dataset()
    units = {
        name: values[name].attrs["units"] for name in ("position", "width", "height", "area", "area_error")
    }
    assert units == {
        "position": "nm",
        "width": "nm",
        "height": "adu",
        "area": "adu·nm",
        "area_error": "adu·nm",
    }


def test_channels_at_one_place_are_refused() -> None:
    images = stack().assign_coords(wavelength=np.full(41, 600.0))
    with pytest.raises(InputError, match="equal or missing values"):
        sort_axis(images["counts"])


def test_errors_grow_where_there_are_few_degrees_of_freedom() -> None:
    factors = error_inflation()
    assert factors[10] == pytest.approx(2.228 / 1.96, rel=1e-3)  # Student's table: t(0.975, 10) = 2.228
    assert factors[-1] == 1.0
