"""Tests of `engine.readers.ellipsometry.accurion_map`."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from engine.errors import FileError
from engine.readers import open_images
from engine.readers.ellipsometry import accurion_map

Said = Callable[[xr.Dataset], list[str]]


def _damage(path: Path, at: int, value: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= value
    path.write_bytes(raw)


def test_a_wrong_checksum_drops_the_pair_with_a_warning(ep4_folder: Path, warnings_of: Said) -> None:
    path = ep4_folder / "d1.png"
    _damage(path, accurion_map.find_map(path).offset + 3, 0x10)
    images = open_images(ep4_folder)
    assert images["wavelength"].values.tolist() == [500.0, 520.0]
    assert "510 nm" in warnings_of(images)[0]
    assert "checksum of its values is wrong" in warnings_of(images)[0]


def test_a_float_chunk_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    floats = struct.pack(">H", 2) + struct.pack(">III", 4 * 10**9, 10**5, 10**4) + bytes(64)
    data = b".ACCURION_RAWDATA\0" + floats
    chunk = struct.pack(">I", len(data)) + b"tEXt" + data + struct.pack(">I", zlib.crc32(b"tEXt" + data))
    path = tmp_path / "bomb.png"
    path.write_bytes(accurion_map.SIGNATURE + chunk)
    with pytest.raises(FileError, match="claims 100000 × 10000 values"):
        accurion_map.find_map(path)
