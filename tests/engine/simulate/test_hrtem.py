"""Tests of `engine.simulate.hrtem`."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

import engine
from engine.readers.labels.particle_labels import read_particle_labels
from engine.simulate.hrtem import Hrtem


def test_files_are_those_of_the_field_and_of_the_prior_system(tmp_path: Path):
    folder = Hrtem(size=160, n_frames=2, pixel_size=0.05, empty=0.0, seed=4).write(tmp_path / "h")
    images = engine.open(folder)
    assert images.sizes == {"image": 2, "y": 160, "x": 160}
    np.testing.assert_allclose(images["pixel_size"], 0.05, rtol=1e-6)
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["file"] == "frame_001.tif"]
    mask = np.asarray(Image.open(folder / "frame_001_mask.png"))
    labels = read_particle_labels(folder / "frame_001.txt")
    assert labels.sizes["object"] == len(rows) == mask.max() > 0
    assert labels["defect"].values.tolist() == [row["class"] for row in rows]
    for row, y, x in zip(rows, labels["y"].values, labels["x"].values, strict=True):
        inside = np.argwhere(mask == int(row["object"]))
        np.testing.assert_allclose(inside.mean(axis=0), [float(row["y"]), float(row["x"])], atol=0.01)
        np.testing.assert_allclose([y, x], inside.mean(axis=0), atol=0.51)


def test_a_micrograph_depends_on_the_seed_and_its_number_alone_and_some_are_empty():
    made = [Hrtem(size=96, seed=2, n_frames=n).frame(1).image for n in (2, 50)]
    np.testing.assert_array_equal(*made)
    assert (made[0] != Hrtem(size=96, seed=3).frame(1).image).any()
    empty = Hrtem(size=96, seed=2, empty=1.0).frame(0)
    assert not empty.rows
    assert not empty.objects.any()
