"""Tests of `engine.image_classes.networks`."""

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import InputError
from engine.schema import IMAGE_TABLE, table
from tests.engine.image_classes.drawn_pictures import KINDS, QUICK, picture


def test_a_network_is_judged_by_originals_that_it_did_not_see(model) -> None:
    known = model.metadata
    assert np.nanmean([row["f1"] for row in known["metrics"]]) > 0.9
    assert sum(known["n_pictures"]) == len(KINDS) * 14 * 3
    assert sum(known["n_originals"]) <= len(KINDS) * 14
    assert known["calibration_error"] < 0.2
    assert known["majority"] < 0.5


def test_a_network_may_be_told_how_large_what_it_sees_is() -> None:
    rng = np.random.default_rng(6)
    sizes = np.tile([0.5, 200.0], 60)
    images = xr.Dataset(
        {
            "picture": (
                ("image", "y", "x"),
                np.stack([picture("dots", rng) for _ in sizes]).astype(np.float32),
            )
        },
        coords={
            "pixel_size": ("image", sizes, {"units": "nm"}),
            "label": ("image", np.where(sizes < 1, "pores", "grains")),
        },
    )
    told, blind = (
        engine.fit("micrographs", images, magnification=said, **{**QUICK, "n_steps": 60})
        for said in (True, False)
    )
    assert told.metadata["accuracy"] >= 0.9
    assert blind.metadata["accuracy"] < 0.85
    rows = table(engine.run("micrographs", images, model=told, error=1.0), IMAGE_TABLE)
    assert (rows["class"] == rows["truth"]).values.mean() >= 0.9
    with pytest.raises(InputError, match="takes no magnification"):
        engine.fit("micrographs", images, network="xception", magnification=True)
