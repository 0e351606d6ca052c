"""Tests of `engine.image_classes.novelty`."""

import numpy as np
import xarray as xr

import engine
from engine.schema import IMAGE_TABLE, table
from tests.engine.image_classes.drawn_pictures import EDGE


def test_the_unknown_is_said_to_be_unlike_anything_and_gets_no_answer(model) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(100, 30, (20, EDGE, EDGE)).astype(np.float32)
    rows = table(
        engine.run("micrographs", xr.Dataset({"noise": (("image", "y", "x"), noise)}), model=model),
        IMAGE_TABLE,
    )
    assert rows["unlike"].values.mean() >= 0.9
    assert (rows["abstained"].values >= rows["unlike"].values).all()


def test_negatives_and_pictures_in_noise_are_unlike_what_was_learned(images: xr.Dataset, model) -> None:
    seen = images["intensity"].values.astype(np.float32)[::3]
    drowned = seen + 120 * np.random.default_rng(4).standard_normal(seen.shape).astype(np.float32)
    for strange in (255 - seen, drowned):
        data = xr.Dataset({"picture": (("image", "y", "x"), strange)})
        rows = table(engine.run("micrographs", data, model=model), IMAGE_TABLE)
        assert rows["unlike"].values.mean() >= 0.9
