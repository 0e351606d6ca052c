"""Tests of `engine.readers.microscopes.emd`."""

from pathlib import Path

import h5py

from engine.readers.dispatch import reader_of
from tests.engine.readers.micrograph_files import SERIES


def test_plain_hdf5_goes_to_its_own_reader_even_if_called_emd(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["entry/data"] = SERIES
        file.attrs.update(version_major=0, version_minor=2)  # others number their versions so too
    assert reader_of(tmp_path / "a.emd") == "hdf5"
