"""Tests of `engine.readers.guard`."""

import tracemalloc
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from engine.errors import InputError
from engine.readers import guard, open_images


def test_bombs_are_refused_by_their_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "HARMLESS_BYTES", 2**20)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (100_000, 100_000), "u1", chunks=(100, 100), compression="gzip")
    zarr.create_array(str(tmp_path / "a.zarr"), shape=(10**5, 10**5), chunks=(10, 10), dtype="u1")
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w") as f,
    ):
        np.lib.format.write_array_header_1_0(f, {"shape": (2, 2**23), "fortran_order": False, "descr": "|u1"})
        for _ in range(2 * 2**23 // 2**20):
            f.write(bytes(2**20))
    for name in ("a.h5", "a.zarr", "a.npz"):
        tracemalloc.start()
        with pytest.raises(InputError, match="damaged or hostile"):
            open_images(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
        tracemalloc.stop()
