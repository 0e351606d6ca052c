"""Tests of `engine.preprocess.neighbours`."""

import numpy as np
import xarray as xr

from engine.preprocess.gaps import fill_gaps


def images_of(values, name="psi", **coords):
    dims = ("wavelength", "y", "x")[-np.ndim(values) :]
    return xr.Dataset({name: (dims, np.asarray(values), {"units": "deg"})}, coords, {"title": "a"})


def test_what_has_no_neighbours_stays_missing():
    values = np.full((20, 20), np.nan)
    values[0, 0] = 1.0
    filled = fill_gaps(images_of(values), size=3, sigma=1.0)["psi"].values
    assert np.isfinite(filled).sum() == 4
