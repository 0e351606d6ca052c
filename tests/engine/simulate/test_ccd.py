"""Tests of `engine.simulate.ccd`."""

import numpy as np
import pytest

from engine.simulate import ccd
from engine.simulate.mosaic import Mosaic


def test_a_pedestal_drifts_slowly_within_each_amplifier_and_all_else_stays():
    steady, drifting = (Mosaic(size=256, n_amplifiers=2, seed=6, drift=most).frame(0) for most in (0.0, 30.0))
    np.testing.assert_array_equal(steady.labels, drifting.labels)
    curves = []
    for before, after in zip(steady.parts, drifting.parts, strict=True):
        added = after.astype(float) - before
        inside = (before > 0) & (after < ccd.MOST_ADU)
        rows = np.array([np.median(line[good]) for line, good in zip(added, inside, strict=True)])
        assert np.abs(rows).max() == pytest.approx(30, abs=1)
        assert np.abs(np.diff(rows)).max() <= 3
        assert np.abs(added - rows[:, None])[inside].max() <= 1
        curves.append(rows)
    assert (curves[0] != curves[1]).any()


def test_a_tracks_charge_is_found_in_the_frame_within_the_noise():
    frame = Mosaic(size=512, seed=2).frame(1)
    n_compared = 0
    signal = (frame.image - np.float64(frame.amplifiers[0].pedestal)) / frame.amplifiers[0].gain - ccd.DARK
    for number, kind in zip(frame.tracks["track"], frame.tracks["kind"], strict=True):
        here = frame.instance == number
        around = np.zeros_like(here)
        rows, columns = np.nonzero(here)
        if kind != "worm" or rows.size < 8 or rows.min() < 4 or rows.max() > 507:
            continue
        around[rows.min() - 3 : rows.max() + 4, max(0, columns.min() - 3) : columns.max() + 4] = True
        if (frame.labels[around & ~here] > 0).any():
            continue
        noise = 5 * ccd.READOUT_NOISE * np.sqrt(around.sum())
        expected = frame.tracks["charge"][number - 1]
        assert signal[around].sum() == pytest.approx(expected, abs=noise + 0.01 * expected)
        n_compared += 1
    assert n_compared >= 5, "the test looks at some tracks that stand alone"


def test_electrons_that_stay_behind_arrive_one_row_later_and_none_is_lost():
    electrons = np.zeros((1000, 400), np.float32)
    electrons[900] = 50_000
    moved = ccd.transfer_charge(electrons, np.random.default_rng(0))
    assert moved.sum() == electrons.sum()
    assert moved[901].mean() == pytest.approx(50_000 * (1 - (1 - ccd.LOSS) ** 901), rel=0.01)


def test_what_is_beyond_the_full_well_bleeds_along_the_column():
    electrons = np.zeros((64, 5), np.float32)
    electrons[32, 2] = 4.5 * ccd.FULL_WELL
    out = ccd.bleed_charge(electrons)
    assert out.max() <= ccd.FULL_WELL * 1.001
    assert out.sum() == pytest.approx(electrons.sum())
    assert out[[31, 33], 2].min() > 0
    assert out[:, [0, 1, 3, 4]].max() == 0
