"""Label maps and access to maps and tables."""

import numpy as np
import pytest
import xarray as xr

from engine import schema
from engine.errors import InputError


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
