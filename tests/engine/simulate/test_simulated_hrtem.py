"""Simulated micrographs: the truth is that of the planted crystals, in the files that people have."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from engine.readers.labels.particle_labels import read_particle_labels
from engine.simulate import crystals, hrtem_imaging
from engine.simulate.hrtem import Hrtem


def test_fringes_of_the_zone_that_shows_faults_are_those_of_the_tables():
    gold = crystals.view("gold", 0).reflections
    assert gold[0].spacing == pytest.approx(0.4078 / np.sqrt(3))
    assert gold[1].spacing == pytest.approx(0.4078 / np.sqrt(3))
    between = abs(gold[0].angle - gold[1].angle)
    assert np.rad2deg(min(between, np.pi - between)) == pytest.approx(70.53, abs=0.01)
    wurtzite = [one.spacing for one in crystals.view("wurtzite CdSe", 2).reflections[:3]]
    np.testing.assert_allclose(wurtzite, 0.4299 * np.sqrt(3) / 2)


def test_a_twin_is_a_mirror_image_and_a_fault_keeps_the_distances_of_neighbours():
    from scipy.spatial import cKDTree

    def nearest(defect: str) -> np.ndarray:
        rng = np.random.default_rng(3)
        atoms = crystals.crystal(
            "gold", radius=1.6, zone=0, turn=0.3, tilt=np.zeros(2), defect=defect, rng=rng
        )
        points = np.stack([atoms.x, atoms.y, atoms.z], axis=1)
        return cKDTree(points).query(points, 2)[0][:, 1]

    whole, bond = nearest(crystals.NONE), 0.4078 / np.sqrt(2)
    np.testing.assert_allclose(whole, bond, rtol=1e-6)
    np.testing.assert_allclose(nearest(crystals.TWIN), bond, rtol=1e-6)
    np.testing.assert_allclose(nearest(crystals.FAULT), bond, rtol=1e-6)
    assert np.ptp(nearest(crystals.DISLOCATION)) > 0.02 * bond


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


def test_contrast_transfer_is_that_of_the_formula():
    made = hrtem_imaging.Microscope(0.02, 0.00197, -50.0, 1e6, 0.0, (0, 0), 1.0, 0.0, 100)
    k = np.array([3.0], np.float32)
    aberration = np.pi * (0.00197 * -50 * 9 + 0.5 * 1e6 * 0.00197**3 * 81)
    assert made.transfer(k)[0] == pytest.approx(2 * np.sin(aberration), abs=1e-5)
