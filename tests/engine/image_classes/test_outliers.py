"""Outliers made of training images."""

import numpy as np

from engine.image_classes.outliers import KINDS, make_outliers


def squares() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (len(KINDS), 32, 32)).astype(np.float64)


def test_every_image_gives_one_outlier_and_the_kinds_take_turns() -> None:
    images = squares()
    outliers = make_outliers(images, seed=3)
    assert outliers.shape == images.shape
    np.testing.assert_array_equal(outliers[1], 255 - images[1])
    assert sorted(outliers[4].ravel()) == sorted(images[4].ravel())


def test_the_same_seed_makes_the_same_outliers() -> None:
    np.testing.assert_array_equal(make_outliers(squares(), seed=1), make_outliers(squares(), seed=1))
    assert (make_outliers(squares(), seed=1)[0] != make_outliers(squares(), seed=2)[0]).any()
