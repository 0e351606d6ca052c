"""Detection of particles with their surroundings."""

import numpy as np

from engine.nanoparticles import detect


def test_a_box_grows_by_a_quarter_within_the_image() -> None:
    assert detect.wider((slice(20, 40), slice(2, 10)), (60, 50)) == (slice(11, 49), slice(0, 19))
    assert detect.wider((slice(0, 8), slice(0, 8)), (10, 10)) == (slice(0, 10), slice(0, 10))


def test_an_image_without_particles_gives_empty_tables() -> None:
    found = detect.look(np.random.default_rng(0).normal(100, 10, (96, 96)).astype(np.float32))
    assert found.objects.max() == 0
    assert found.features.shape[0] == 0
