"""The analysis `particles`: from labelled micrographs to a model, and from a micrograph to its particles."""

import numpy as np
import xarray as xr

import engine
from engine.simulate.hrtem import Hrtem


def test_of_an_empty_micrograph_next_to_nothing_is_a_particle():
    image = Hrtem(size=200, seed=5, empty=1.0).frame(0).image
    result = engine.run("particles", xr.Dataset({"image": (("y", "x"), image)}))
    table = result["object_table"].to_dataset()
    assert table.sizes["object"] == np.asarray(result["objects"]).max()
    assert (np.asarray(result["labels"]) > 0).mean() < 0.02
    assert "probability_yes" in table
