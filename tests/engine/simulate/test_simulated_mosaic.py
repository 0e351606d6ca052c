import numpy as np
import pytest
from astropy.io import fits

from engine.__main__ import main
from engine.errors import FileError
from engine.simulate import ccd, ionisation
from engine.simulate.mosaic import CLASSES, OVERSCAN, Mosaic


def test_a_frame_is_the_same_for_the_same_seed_and_number_and_another_for_another():
    frame = Mosaic(size=128, seed=3, n_frames=2).frame(1)
    again = Mosaic(size=128, seed=3, n_frames=9).frame(1)
    np.testing.assert_array_equal(frame.image, again.image)
    np.testing.assert_array_equal(frame.labels, again.labels)
    assert (Mosaic(size=128, seed=3).frame(2).image != frame.image).any()
    assert (Mosaic(size=128, seed=4).frame(1).image != frame.image).any()


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


@pytest.mark.parametrize("difficulty", ["easy", "hard"])
def test_all_classes_are_there_and_most_pixels_are_background(difficulty):
    frames = [Mosaic(size=512, difficulty=difficulty, seed=1).frame(number) for number in range(4)]
    counts = sum(np.bincount(frame.labels.ravel(), minlength=len(CLASSES)) for frame in frames)
    assert (counts > 0).all()
    assert counts[0] / counts.sum() > 0.85


def test_hard_frames_have_fainter_hot_pixels_and_tracks_than_easy_ones():
    levels = {}
    for difficulty in ("easy", "hard"):
        frame = Mosaic(size=512, difficulty=difficulty, seed=5).frame(0)
        above = frame.image.astype(float) - np.median(frame.image)
        levels[difficulty] = [np.median(above[frame.labels == value]) for value in (2, 3)]
    assert levels["hard"][0] < 0.2 * levels["easy"][0]
    assert levels["hard"][1] < 0.8 * levels["easy"][1]


def test_pixels_of_a_cluster_name_the_track_that_is_in_the_table_and_others_name_none():
    frame = Mosaic(size=512, seed=2).frame(0)
    assert ((frame.instance > 0) == (frame.labels == CLASSES.index("cluster"))).all()
    counts = np.bincount(frame.instance.ravel(), minlength=len(frame.tracks["track"]) + 1)[1:]
    np.testing.assert_array_equal(counts, frame.tracks["n_pixels"])
    np.testing.assert_array_equal(frame.tracks["track"], np.arange(1, len(counts) + 1))
    assert set(frame.tracks["kind"]) == set(ionisation.KINDS)
    np.testing.assert_allclose(frame.tracks["energy"], 3.745 * frame.tracks["charge"])


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


def test_a_frame_of_one_amplifier_is_written_with_its_truth(tmp_path):
    folder = Mosaic(size=96, n_frames=2, seed=1).write(tmp_path / "mosaic")
    assert sorted(p.name for p in folder.iterdir()) == [
        f"frame_00{n}{part}.fits" for n in (0, 1) for part in ("", "_truth")
    ]
    frame = Mosaic(size=96, n_frames=2, seed=1).frame(1)
    with fits.open(folder / "frame_001.fits") as written, fits.open(folder / "frame_001_truth.fits") as truth:
        np.testing.assert_array_equal(written[0].data, frame.image)
        assert written[0].data.dtype == np.uint16
        assert written[0].header["BUNIT"] == "adu"
        np.testing.assert_array_equal(truth[0].data, frame.labels)
        np.testing.assert_array_equal(truth["INSTANCE"].data, frame.instance)
        np.testing.assert_allclose(truth["TRACKS"].data["ENERGY"], frame.tracks["energy"])
        assert [truth[0].header[f"CLASS{n}"] for n in range(4)] == list(CLASSES)


def test_amplifiers_are_written_as_they_read_with_sections_that_lead_back_to_the_frame(tmp_path):
    simulator = Mosaic(size=64, n_frames=1, n_amplifiers=4, seed=1)
    frame = simulator.frame(0)
    built = np.zeros_like(frame.image)
    with fits.open(simulator.write(tmp_path / "m") / "frame_000.fits") as written:
        assert written[0].data is None
        assert len(written) == 5
        for unit in written[1:]:
            assert unit.data.shape == (32, 32 + OVERSCAN)
            (x0, x1), (y0, y1) = (
                map(int, part.split(":")) for part in unit.header["DETSEC"].strip("[]").split(",")
            )
            data = unit.data[:, :32][:: 1 if y1 > y0 else -1, :: 1 if x1 > x0 else -1]
            built[min(y0, y1) - 1 : max(y0, y1), min(x0, x1) - 1 : max(x0, x1)] = data
            pedestal = frame.amplifiers[int(unit.name[3:]) - 1].pedestal
            assert unit.data[:, 32:].mean() == pytest.approx(pedestal, abs=5 * 19 / np.sqrt(32 * OVERSCAN))
    np.testing.assert_array_equal(built, frame.image)


def test_the_command_takes_whole_numbers_to_choose_from(tmp_path):
    words = ["simulate", "mosaic", "--out", str(tmp_path / "m"), "--size", "64", "--n-frames", "1"]
    assert main([*words, "--n-amplifiers", "2"]) == 0
    with fits.open(tmp_path / "m" / "frame_000.fits") as written:
        assert len(written) == 3


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"cannot write frames to .*; give a folder"):
        Mosaic(size=32, n_frames=1).write(tmp_path / "file")
