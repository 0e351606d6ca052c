"""Crops turned and mirrored."""

import numpy as np

from engine.unet.augment import turn_crops


def test_image_and_classes_are_turned_alike_in_all_eight_ways() -> None:
    image = np.arange(9).reshape(3, 3)
    seen = set()
    for seed in range(60):
        turned, classes = turn_crops(image, 10 * image, np.random.default_rng(seed))
        np.testing.assert_array_equal(classes, 10 * turned)
        assert sorted(turned.ravel()) == list(range(9))
        seen.add(turned.tobytes())
    assert len(seen) == 8
