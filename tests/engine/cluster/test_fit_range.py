"""Images that a fitted model may be given, and those that it may not."""

import numpy as np
import pytest
import xarray as xr

from engine.cluster.fit_range import check_same_kind, describe_images
from engine.errors import InputError


def stack(values: list[float], units: str = "nm", name: str = "psi") -> xr.Dataset:
    data = (("wavelength", "y", "x"), np.zeros((len(values), 2, 3), "f4"), {"units": "deg"})
    return xr.Dataset({name: data}, {"wavelength": ("wavelength", values, {"units": units})})


def test_images_are_described_by_variables_units_and_axis() -> None:
    axis = {"dim": "wavelength", "units": "nm", "values": [400.0, 500.0]}
    assert describe_images(stack([400, 500])) == {"variables": {"psi": "deg"}, "spectral": axis}
    assert describe_images(xr.Dataset({"a": (("y", "x"), np.zeros((2, 2)))}))["spectral"] is None


def test_the_same_kind_of_images_passes_up_to_rounding() -> None:
    check_same_kind(describe_images(stack([400, 500])), stack([400.001, 500.0]))


@pytest.mark.parametrize(
    ("images", "what"),
    [
        (stack([400, 500], name="delta"), "fitted on the variables psi, the images have delta"),
        (stack([400, 500, 600]), "give images with the same channels"),
        (stack([400, 500], units="µm"), "give images with the same channels"),
    ],
)
def test_other_images_are_refused_with_the_difference(images: xr.Dataset, what: str) -> None:
    with pytest.raises(InputError, match=what):
        check_same_kind(describe_images(stack([400, 500])), images)
