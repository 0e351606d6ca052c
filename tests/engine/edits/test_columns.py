"""Names and colours of classes."""

import numpy as np
import xarray as xr

import engine


def test_renaming_and_recolouring_change_words_and_colours_only(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    renamed = engine.edit(result, "rename", images, label=2, name="thin film")
    coloured = engine.edit(renamed, "recolour", images, label=2, color="#123456")
    assert coloured["classes"]["name"].sel(label=2).item() == "thin film"
    assert coloured["classes"]["color"].sel(label=2).item() == "#123456"
    assert coloured["labels"].attrs["flag_meanings"].split()[1] == "thin_film"
    np.testing.assert_array_equal(np.asarray(coloured["labels"]), np.asarray(result["labels"]))
    assert result["classes"]["name"].sel(label=2).item() == "cluster 2"
