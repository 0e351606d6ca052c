"""Tests of `engine.simulate.ionisation`."""

import numpy as np
import pytest

from engine.simulate import ionisation
from engine.simulate.mosaic import CLASSES, Mosaic


def test_pixels_of_a_cluster_name_the_track_that_is_in_the_table_and_others_name_none():
    frame = Mosaic(size=512, seed=2).frame(0)
    assert ((frame.instance > 0) == (frame.labels == CLASSES.index("cluster"))).all()
    counts = np.bincount(frame.instance.ravel(), minlength=len(frame.tracks["track"]) + 1)[1:]
    np.testing.assert_array_equal(counts, frame.tracks["n_pixels"])
    np.testing.assert_array_equal(frame.tracks["track"], np.arange(1, len(counts) + 1))
    assert set(frame.tracks["kind"]) == set(ionisation.KINDS)
    np.testing.assert_allclose(frame.tracks["energy"], 3.745 * frame.tracks["charge"])


@pytest.mark.parametrize("kind", ionisation.KINDS)
def test_no_electron_of_a_track_is_lost_in_its_stamp_and_its_energy_is_in_the_kinds_range(kind):
    rng = np.random.default_rng(0)
    least, most = {"point": (1, 20), "worm": (20, 400), "line": (60, 1e3), "blob": (4e3, 6e3)}[kind]
    for _ in range(20):
        path = ionisation.KINDS[kind](rng)
        stamp = ionisation.stamp(path, y=3.0, x=-2.0, scale=0.5, rng=rng)
        assert stamp.charge.sum() == pytest.approx(0.5 * path.charge.sum(), rel=1e-4)
        energy = path.charge.sum() * ionisation.EV_PER_ELECTRON / 1e3
        assert least * 0.98 <= energy <= most * 1.02
