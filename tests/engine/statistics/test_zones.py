"""Values in the classes of a class map, by hand."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.statistics.zones import zone_table

LABELS = xr.DataArray(np.array([[1, 1, 1, 1], [4, 4, 0, 0]], "u1"), dims=("y", "x"))


VALUES = xr.DataArray(
    np.array([[1.0, 2.0, 3.0, np.nan], [10.0, 20.0, 5.0, 6.0]]), dims=("y", "x"), attrs={"units": "nm"}
)


def test_each_class_has_its_number_mean_spread_and_quantiles() -> None:
    table = zone_table({"height": VALUES}, LABELS, names={1: "film", 4: "flake"}).compute()
    assert table["name"].values.tolist() == ["film", "flake"]
    assert table["count"].values.tolist() == [3, 2]
    assert table["height_mean"].values.tolist() == [2.0, 15.0]
    assert table["height_median"].values.tolist() == [2.0, 15.0]
    assert table["height_std"].values == pytest.approx([np.sqrt(2 / 3), 5.0])
    assert table["height_q05"].attrs["units"] == "nm"


def test_a_class_without_pixels_has_no_values() -> None:
    table = zone_table({"height": VALUES}, LABELS, names={2: "nothing"}).compute()
    assert table["count"].values.tolist() == [0]
    assert np.isnan(table["height_mean"].values).all()


def test_maps_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match="give a class map of the same images"):
        zone_table({"height": VALUES[:1]}, LABELS, names={1: "film"})
