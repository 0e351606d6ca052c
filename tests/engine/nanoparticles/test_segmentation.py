"""Tests of `engine.nanoparticles.segmentation`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.nanoparticles.segmentation import LATTICE, MASS, find_particles, split
from engine.simulate.hrtem import Hrtem


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def grey(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"), np.float32)


def test_touching_disks_are_two_particles_and_a_lone_one_is_whole():
    y, x = np.mgrid[:80, :120]
    disks = [np.hypot(y - row, x - column) < 14 for row, column in ((30, 30), (30, 56), (60, 95))]
    objects = split(np.logical_or.reduce(disks), min_radius=1.5)
    assert objects.max() == 3
    assert len({int(objects[row, column]) for row, column in ((30, 30), (30, 56), (60, 95))}) == 3


def test_frames_without_particles_have_next_to_none():
    simulator = Hrtem(size=384, seed=31, empty=1.0)
    shares = [(find_particles(simulator.frame(n).image).objects > 0).mean() for n in range(6)]
    assert max(shares) <= 0.02


def test_a_lattice_and_plain_darkness_are_told_apart():
    simulator = Hrtem(size=512, pixel_size=0.055, seed=41, empty=0.0, unresolved=0.0)
    made = simulator.frame(0)
    found = find_particles(made.image)
    assert found.contrast == LATTICE
    assert overlap(found.objects > 0, made.objects > 0) > 0.6
    y, x = np.mgrid[:200, :200]
    dark = np.hypot(y - 90, x - 110) < 40
    noise = np.random.default_rng(0).normal(0, 10, dark.shape)
    found = find_particles(200 - 50.0 * dark + 0.1 * x + noise)
    assert found.contrast == MASS
    assert overlap(found.objects > 0, dark) > 0.95
    with pytest.raises(InputError, match="give 32 or more"):
        find_particles(np.zeros((20, 300)))


@pytest.mark.real
def test_real_lattices_are_found_far_better_than_by_darkness(shared: Path):
    folder = shared / "data" / "hrtem" / "scottlab_au_cdse"
    scores = []
    for mask in sorted(folder.glob("*_mask.png")):
        found = find_particles(grey(Path(str(mask).replace("_mask", "_image"))))
        scores.append(overlap(found.objects > 0, grey(mask) > 127))
    assert len(scores) == 5
    assert np.median(scores) >= 0.70
    assert np.mean(scores) >= 0.68


@pytest.mark.real
def test_real_particles_without_a_lattice_are_found_and_counted(shared: Path):
    from scipy import ndimage

    folder = shared / "data" / "hrtem" / "au_particles_temseg"
    scores, counts = [], []
    for mask in sorted((folder / "masks").glob("*.png")):
        found, truth = find_particles(grey(folder / "images" / mask.name)), grey(mask) > 127
        scores.append(overlap(found.objects > 0, truth))
        counts.append(found.objects.max() / ndimage.label(truth)[1])
    assert np.mean(scores) >= 0.80
    assert np.abs(np.array(counts) - 1).max() <= 0.15
