"""Tests of `engine.image_classes.edits`."""

import json

import numpy as np
import pytest
import xarray as xr

from engine import catalogue, pipeline
from engine.errors import InputError
from engine.schema import IMAGE_TABLE, table


def test_people_relabel_retrain_and_undo(images: xr.Dataset, result: xr.DataTree) -> None:
    said = pipeline.edit(result, "relabel_images", images, images=[0, 1, 2], label=3)
    said = pipeline.edit(said, "relabel_images", images, images=[60, 61, 100, 101], label=1)
    rows = table(said, IMAGE_TABLE)
    assert rows["class"].values[[0, 1, 2]].tolist() == [3, 3, 3]
    assert rows["reviewed"].values.sum() == 7
    retrained = pipeline.edit(said, "retrain", images)
    after = table(retrained, IMAGE_TABLE)
    np.testing.assert_array_equal(after["class"].values[[0, 1, 2, 60]], [3, 3, 3, 1])
    assert json.loads(retrained.attrs["retrained"])["n_reviewed"] == 7
    twice = table(pipeline.edit(retrained, "retrain", images), IMAGE_TABLE)
    np.testing.assert_allclose(twice["probability"], after["probability"], atol=1e-6)
    before = table(pipeline.undo(retrained, images), IMAGE_TABLE)
    np.testing.assert_array_equal(before["class"], rows["class"])
    with pytest.raises(InputError, match="there is no class 9; the classes are 1 \\(dots\\)"):
        pipeline.edit(result, "relabel_images", images, images=[0], label=9)
    with pytest.raises(InputError, match="there is no picture 5000"):
        pipeline.edit(result, "relabel_images", images, images=[5000], label=1)


def test_exports_and_edits_are_entered_under_their_own_names() -> None:
    for entries in (catalogue.EXPORTERS, catalogue.EDITS):
        assert all(entry.name == name for name, entry in entries.items())
