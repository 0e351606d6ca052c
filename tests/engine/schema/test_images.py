"""Images that follow the data model, and those that do not."""

import numpy as np
import pytest
import xarray as xr

from engine import schema
from engine.errors import InputError


def stack(**sizes: int) -> xr.DataArray:
    return xr.DataArray(np.zeros(tuple(sizes.values()), "f4"), dims=tuple(sizes))


def test_images_of_a_stack_pass_and_come_back_unchanged() -> None:
    images = xr.Dataset({"delta": stack(wavelength=3, y=4, x=5), "psi": stack(wavelength=3, y=4, x=5)})
    assert schema.check(images) is images
    assert schema.spectral_dim(images) == "wavelength"
    assert schema.is_ellipsometry(images)


def test_a_plain_image_has_no_spectral_dim() -> None:
    assert schema.spectral_dim(xr.Dataset({"intensity": stack(y=4, x=5)})) is None


@pytest.mark.parametrize(
    ("images", "what"),
    [
        (xr.Dataset({"a": stack(x=4, y=5)}), "no image variable"),
        (xr.Dataset({"a": stack(energy=2, y=4, x=5), "b": stack(channel=2, y=4, x=5)}), "leading dims"),
        (xr.Dataset({"a": stack(time=2, y=4, x=5)}), "at most one of wavelength"),
        (xr.Dataset({"a": stack(y=4, x=5).astype(complex)}), "expected numbers"),
        (xr.Dataset({"a": stack(y=4, x=5), "mask": stack(x=5, y=4)}), "'mask' has the dims"),
    ],
)
def test_images_that_break_the_data_model_are_refused(images: xr.Dataset, what: str) -> None:
    with pytest.raises(InputError, match=what):
        schema.check(images)
