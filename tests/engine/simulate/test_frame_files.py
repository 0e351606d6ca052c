"""Simulated frames as FITS files, read back by astropy."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from engine.simulate.mosaic import Mosaic


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


def _sections(unit: fits.ImageHDU) -> list[tuple[str, str]]:
    parts = unit.header["DETSEC"].strip("[]").split(",")
    return [tuple(sorted(part.split(":"), key=int)) for part in parts]


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
