"""Tests of `engine.simulate.mosaic`."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from engine.errors import FileError
from engine.simulate.mosaic import CLASSES, OVERSCAN, Mosaic


def test_a_frame_is_the_same_for_the_same_seed_and_number_and_another_for_another():
    frame = Mosaic(size=128, seed=3, n_frames=2).frame(1)
    again = Mosaic(size=128, seed=3, n_frames=9).frame(1)
    np.testing.assert_array_equal(frame.image, again.image)
    np.testing.assert_array_equal(frame.labels, again.labels)
    assert (Mosaic(size=128, seed=3).frame(2).image != frame.image).any()
    assert (Mosaic(size=128, seed=4).frame(1).image != frame.image).any()


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


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"cannot write frames to .*; give a folder"):
        Mosaic(size=32, n_frames=1).write(tmp_path / "file")


def _sections(unit: fits.ImageHDU) -> list[tuple[str, str]]:
    parts = unit.header["DETSEC"].strip("[]").split(",")
    return [tuple(sorted(part.split(":"), key=int)) for part in parts]


def test_frames_of_several_amplifiers_say_where_each_part_belongs(tmp_path: Path) -> None:
    folder = Mosaic(size=64, n_frames=4, seed=1).write(tmp_path)
    counts = []
    for file in sorted(folder.glob("frame_*.fits")):
        if file.stem.endswith("truth"):
            continue
        with fits.open(file) as units:
            amplifiers = [unit for unit in units if "DETSEC" in unit.header]
            counts.append(len(amplifiers))
            area = sum(np.prod([int(b) - int(a) + 1 for a, b in _sections(unit)]) for unit in amplifiers)
            assert not amplifiers or area == 64 * 64
    assert set(counts) <= {0, 2, 4}


def test_the_truth_names_its_classes_and_lists_its_tracks(tmp_path: Path) -> None:
    folder = Mosaic(size=64, n_frames=1, seed=1).write(tmp_path)
    with fits.open(folder / "frame_000_truth.fits") as units:
        assert [units[0].header[f"CLASS{n}"] for n in range(4)] == [
            "background",
            "glowing",
            "hot_pixel",
            "cluster",
        ]
        tracks, instance = units["TRACKS"].data, units["INSTANCE"].data
        assert instance.max() <= len(tracks)
        assert set(np.unique(units[0].data)) <= {0, 1, 2, 3}
