"""Tests of `engine.unet.training_range`."""

import json

import numpy as np
import xarray as xr

import engine


def test_a_frame_unlike_those_of_the_training_is_told():
    smooth = np.add.outer(np.arange(300.0), np.arange(300.0))
    result = engine.run("unet", xr.Dataset({"image": (("y", "x"), smooth)}))
    assert "unlike those that the network was trained on" in json.loads(result.attrs["warnings"])[0]
