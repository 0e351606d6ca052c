"""Tests of `engine.unet.analysis`."""

from pathlib import Path

import dask.array as da

import engine
from engine.readers.labels.label_files import labels_of
from engine.unet.analysis import UNet


def test_values_that_no_class_names_are_not_learned_from(frames: Path):
    labels = labels_of(frames).drop_attrs()
    labels = labels.copy(data=da.where(labels.data == 3, 255, labels.data))
    model = UNet(n_steps=1, n_crops=1, crop=64, class_names="a,b,c").fit(engine.open(frames), labels)
    assert model.class_names == ("a", "b", "c")
    assert model.metadata["values"] == [0, 1, 2]
