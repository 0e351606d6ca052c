"""The analysis `profile`: its choice of the shape, and its refusals."""

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import InputError
from engine.profile.analysis import Profile


def peaks(shape: str, n_channels: int = 40) -> xr.Dataset:
    rng = np.random.default_rng(2)
    axis = np.linspace(500, 700, n_channels)
    u = (axis[:, None, None] - rng.uniform(570, 630, (24, 32))) / 30
    clean = np.exp(-4 * np.log(2) * u**2) if shape == "gaussian" else 1 / (1 + 4 * u**2)
    data = (100 * clean + 10 + rng.normal(0, 2, clean.shape)).astype("f4")
    coords = {"wavelength": ("wavelength", axis, {"units": "nm"})}
    return xr.Dataset({"counts": (("wavelength", "y", "x"), data, {"units": "1"})}, coords)


@pytest.mark.parametrize("shape", ["gaussian", "lorentzian"])
def test_the_shape_that_fits_better_is_chosen(shape: str) -> None:
    assert Profile().fit(peaks(shape)).metadata["shape"] == shape


def test_what_is_no_stack_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="this is one image; give a stack"):
        Profile().fit(xr.Dataset({"a": (("y", "x"), np.zeros((4, 4)), {"units": "1"})}))
    with pytest.raises(InputError, match="there are 5 channels, and a peak needs 7"):
        Profile().fit(peaks("gaussian", n_channels=5))
    with pytest.raises(InputError, match="no variable 'x'; the images have counts"):
        Profile(variable="x").fit(peaks("gaussian"))


def test_a_descending_axis_and_any_chunking_give_the_same_values() -> None:
    images = peaks("gaussian")
    model = engine.fit("profile", images)
    expected = model.predict(images)["values"].to_dataset().compute()
    for other in (images.isel(wavelength=slice(None, None, -1)), images.chunk({"y": 7, "x": 11})):
        found = model.predict(other)["values"].to_dataset().compute()
        for name in expected.data_vars:
            np.testing.assert_array_equal(found[name], expected[name])


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
