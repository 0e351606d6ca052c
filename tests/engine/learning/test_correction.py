"""Learning a correction of a classifier from particles that people reviewed."""

import numpy as np
import pytest

from engine.learning.correction import ReviewedExamples, learn_correction
from engine.nanoparticles.gaussian import smooth_gaussian
from engine.nanoparticles.strain import particle_strain


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, a classifier that looks at the first only, and a truth that hangs on the second as well."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4)).astype(np.float32)
    chance = 1 / (1 + np.exp(-2 * features[:, 0]))
    truth = (2 * features[:, 0] + 3 * features[:, 1] > 0).astype(int)
    return features, np.column_stack([1 - chance, chance]), truth


def lesson(features, chances, truth, reviewed, parents) -> ReviewedExamples:
    return ReviewedExamples(np.arange(len(truth)), features, chances, truth, reviewed, parents, ("no", "yes"))


def test_a_correction_finds_what_the_classifier_does_not_look_at():
    features, chances, truth = made(600, 0)
    reviewed = np.arange(600) < 200
    parents = np.arange(600) % 10
    correction, unseen = learn_correction(lesson(features, chances, truth, reviewed, parents))
    rest = ~reviewed
    before = (chances.argmax(axis=1) == truth)[rest].mean()
    after = (correction.applied(chances, features).argmax(axis=1) == truth)[rest].mean()
    assert after > before + 0.1
    seen = (unseen.argmax(axis=1) == truth[reviewed]).mean()
    assert seen == pytest.approx(after, abs=0.08)  # what it says of itself is what it does elsewhere


def test_a_few_mistakes_do_not_turn_everything_round():
    features, chances, _ = made(600, 1)
    wrong = 1 - chances.argmax(axis=1)
    reviewed = np.arange(600) < 6
    correction, _ = learn_correction(lesson(features, chances, wrong, reviewed, np.arange(600) % 10))
    kept = correction.applied(chances, features).argmax(axis=1) == chances.argmax(axis=1)
    assert kept[~reviewed].mean() > 0.85


def test_nothing_learned_changes_nothing():
    features, chances, _ = made(300, 2)
    sure = chances.max(axis=1) > 0.95
    reviewed = sure & (np.cumsum(sure) <= 10)
    found, parents = chances.argmax(axis=1), np.arange(300) % 5
    correction, _ = learn_correction(lesson(features, chances, found, reviewed, parents))
    after = correction.applied(chances, features)
    assert (after.argmax(axis=1) == chances.argmax(axis=1)).mean() > 0.97


@pytest.mark.parametrize("sigma", [2.0, 5.0, 17.5, 60.0])
def test_boxes_stand_for_a_gaussian(sigma: float):
    from scipy import ndimage

    size = int(10 * sigma) | 1
    point = np.zeros((size, size))
    point[size // 2, size // 2] = 1
    found, exact = smooth_gaussian(point, sigma), ndimage.gaussian_filter(point, sigma)
    assert np.abs(found - exact).max() < 0.2 * exact.max()
    places = np.arange(size) - size // 2
    spread = np.sqrt((found.sum(axis=0) * places**2).sum())
    assert spread == pytest.approx(sigma, rel=0.04)


def test_strain_of_half_a_particle_is_measured():
    rows, columns = np.indices((160, 160), dtype=float)
    x = columns - 80
    period, strain = 6.0, 0.02
    phase = 2 * np.pi * np.where(x < 0, x / period, x / (period * (1 + strain)))
    inside = np.hypot(rows - 80, columns - 80) < 60
    crop = np.where(inside, np.cos(phase), 0) + 0.05 * np.random.default_rng(0).normal(size=rows.shape)
    found = particle_strain(crop.astype(np.float32), inside)
    assert np.isfinite(found).sum() > 0.3 * inside.sum()
    left, right = np.nanmedian(found[:, 55:65]), np.nanmedian(found[:, 95:105])
    assert right - left == pytest.approx(100 * strain, rel=0.25)


def test_without_a_lattice_there_is_no_strain():
    noise = np.random.default_rng(0).normal(size=(60, 60)).astype(np.float32)
    inside = np.hypot(*(np.indices((60, 60)) - 30)) < 20
    assert np.isnan(particle_strain(noise, inside)).all()
