"""The data model's checks and attributes."""

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


def test_a_label_map_names_its_classes_in_cf_flags_with_blanks_as_underscores() -> None:
    labels = schema.label_map(stack(y=2, x=2).astype("u1"), {1: "thin film", 4: "substrate"})
    assert labels.attrs["flag_values"].tolist() == [1, 4]
    assert labels.attrs["flag_meanings"] == "thin_film substrate"
    assert schema.class_names(labels) == {1: "thin_film", 4: "substrate"}


def test_the_label_dtype_is_the_smallest_that_holds_all_classes() -> None:
    assert schema.labels_dtype(255) == np.uint8
    assert schema.labels_dtype(256) == np.uint16
