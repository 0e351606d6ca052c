"""Tests of `engine.nanoparticles.edits`."""

from pathlib import Path

import numpy as np
import pytest

import engine
from engine import pipeline
from engine.errors import InputError
from engine.nanoparticles.tables import JUDGED
from engine.schema import table


def test_people_relabel_confirm_and_reject_particles_and_every_table_follows(result):
    before = table(result, "object_table").load()
    first, second, third = before["object"].values[:3].tolist()
    label = 1 + before["class"].values[0] % 3
    edited = engine.edit(result, "relabel_objects", objects=[first], label=label, author="me")
    edited = engine.edit(edited, "relabel_objects", objects=[second], label=int(before["class"].values[1]))
    edited = engine.edit(edited, "relabel_objects", objects=[third], label=0)
    after = table(edited, "object_table").load()
    assert after["class"].values[:3].tolist() == [label, before["class"].values[1], 0]
    assert after["name"].values[2] == "empty"
    assert after["reviewed"].values.sum() == 3
    labels, objects = np.asarray(edited["labels"]), np.asarray(edited["objects"])
    assert set(labels[objects == first]) == {label}
    assert set(labels[objects == third]) == {0}
    counts = table(edited, "fractions")["count"].values
    expected = np.bincount(after["class"].values, minlength=4)[1:]
    np.testing.assert_array_equal(counts, expected)
    assert table(edited, "image_table")["n_particles"].values.sum() == len(after["object"]) - 1
    undone = pipeline.undo(engine.edit(result, "relabel_objects", objects=[first], label=label))
    assert table(undone, "object_table").load().identical(before)


def test_retraining_learns_what_people_said_and_leaves_their_word_alone(result, tmp_path: Path):
    before = table(result, "object_table").load()
    before = before.isel(object=before["resolved"].values)  # what shows no lattice stays null
    radius = before["radius"].values
    small = before["object"].values[radius < np.median(radius)]
    large = before["object"].values[radius >= np.median(radius)]
    edited = engine.edit(result, "relabel_objects", objects=small[1:].tolist(), label=1)
    edited = engine.edit(edited, "relabel_objects", objects=large[1:].tolist(), label=2)
    retrained = engine.edit(edited, "retrain")
    after = table(retrained, "object_table").load().set_index(object="object")
    assert (after["class"].sel(object=small[1:]) == 1).all()
    assert (after["class"].sel(object=large[1:]) == 2).all()
    for number, name in ((small[0], "yes"), (large[0], "no")):
        was = float(before.sel(object=number)[f"probability_{name}"])
        assert float(after.sel(object=number)[f"probability_{name}"]) > was or was > 0.9
    sums = sum(after[f"probability_{name}"].values for name in JUDGED)
    np.testing.assert_allclose(sums, 1)
    stored = engine.load(engine.save(retrained, tmp_path / "retrained.zarr"))
    again = engine.run(recipe=stored)
    np.testing.assert_array_equal(again["labels"], retrained["labels"])


def test_edits_that_need_pixels_and_unknown_particles_are_refused(result):
    with pytest.raises(
        InputError, match="merge is for maps of classes, and the result is one of populations of particles"
    ):
        engine.edit(result, "merge", labels=[1, 2])
    with pytest.raises(InputError, match="there is no particle 999"):
        engine.edit(result, "relabel_objects", objects=[999], label=1)
    with pytest.raises(InputError, match="the classes are 0"):
        engine.edit(result, "relabel_objects", objects=[1], label=7)
    with pytest.raises(InputError, match="fewer than two were given a class"):
        engine.edit(result, "retrain")
