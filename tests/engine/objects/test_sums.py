""""""

import numpy as np

from engine.objects import shape, sums


def test_an_object_has_the_same_shape_where_the_sums_of_squares_pass_the_range_of_int64() -> None:
    objects = np.random.default_rng(0).random((40, 30)) < 0.7
    here = sums.tile_sums(objects.astype(np.uint32), given=())
    there = sums.place_sums(here, 3_000_000_000, 2_000_000_001)
    np.testing.assert_array_equal(shape.inertia(there.moments), shape.inertia(here.moments))
    moved = shape.centroids(there.moments) - [[3_000_000_000], [2_000_000_001]]
    np.testing.assert_allclose(moved, shape.centroids(here.moments), atol=1e-6)


def test_sums_of_parts_do_not_lose_what_rounding_takes() -> None:
    parts = [
        sums.tile_sums(np.array([[1]], np.uint8), np.array([[value]]), given=("image",))
        for value in (1.0, 1e100, 1.0, -1e100)
    ]
    for order in ((0, 1, 2, 3), (3, 1, 0, 2), (1, 0, 2, 3)):
        total = sums.add_sums([parts[i] for i in order]).image
        assert total[sums.TOTAL, 0] + total[sums.ERROR, 0] == 2.0
