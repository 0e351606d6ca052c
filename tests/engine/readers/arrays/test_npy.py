"""Tests of `engine.readers.arrays.npy`."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.errors import FileError
from engine.readers import open_images
from engine.readers.arrays import npy
from tests.engine.readers.array_files import CUBE


def test_reading_a_tile_of_a_large_npy_takes_only_the_memory_of_the_tile(tmp_path: Path) -> None:
    shape = (8, 2048, 1024)
    with (tmp_path / "large.npy").open("wb") as file:
        header = {"shape": shape, "fortran_order": False, "descr": "<f4"}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 4 * int(np.prod(shape)))
    tracemalloc.start()
    images = open_images(tmp_path / "large.npy", chunks={"y": 64})
    images["values"].data.blocks[0, 5, 0].compute(scheduler="sync")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * 8 * 64 * 1024 * 4


def test_fortran_order_and_big_endian_npy_are_read_by_value(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", np.asfortranarray(CUBE.astype(">i2")))
    images = open_images(tmp_path / "f.npy")
    assert images["values"].dtype == np.dtype("i2")
    np.testing.assert_array_equal(images["values"].values, CUBE)


def test_an_npy_that_claims_more_than_its_bytes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"shape": (9**6, 9**6), "fortran_order": False, "descr": "<f8"}
        )
    with pytest.raises(FileError, match="ends before its last value"):
        open_images(tmp_path / "a.npy")


def test_stored_arrays_of_an_npz_are_read_by_byte_ranges(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", cube=CUBE)
    header = npy._npz_headers(tmp_path / "a.npz")["cube"]
    assert header.offset is not None
    raw = (tmp_path / "a.npz").read_bytes()[header.offset :]
    np.testing.assert_array_equal(np.frombuffer(raw[: CUBE.nbytes], "f4").reshape(CUBE.shape), CUBE)
