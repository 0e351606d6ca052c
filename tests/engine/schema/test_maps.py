"""Label maps and access to maps and tables."""

import numpy as np
import pytest
import xarray as xr

from engine import schema
from engine.errors import InputError


def stack(**sizes: int) -> xr.DataArray:
    return xr.DataArray(np.zeros(tuple(sizes.values()), "f4"), dims=tuple(sizes))


def test_a_label_map_names_its_classes_in_cf_flags_with_blanks_as_underscores() -> None:
    labels = schema.label_map(stack(y=2, x=2).astype("u1"), {1: "thin film", 4: "substrate"})
    assert labels.attrs["flag_values"].tolist() == [1, 4]
    assert labels.attrs["flag_meanings"] == "thin_film substrate"
    assert schema.class_names(labels) == {1: "thin_film", 4: "substrate"}


def test_the_label_dtype_is_the_smallest_that_holds_all_classes() -> None:
    assert schema.labels_dtype(255) == np.uint8
    assert schema.labels_dtype(256) == np.uint16


def test_a_missing_map_or_table_is_told_with_those_that_are_there() -> None:
    result = xr.DataTree.from_dict(
        {"/": xr.Dataset({"labels": (("y", "x"), np.zeros((2, 2)))}), "/classes": xr.Dataset()}
    )
    with pytest.raises(InputError, match="no 'confidence'; it has labels"):
        schema.pixel_map(result, "confidence")
    with pytest.raises(InputError, match="no table 'spectra'; it has classes"):
        schema.table(result, "spectra")
