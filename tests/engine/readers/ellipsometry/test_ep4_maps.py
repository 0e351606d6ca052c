"""Tests of `engine.readers.ellipsometry.ep4_maps`."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import FileError
from engine.readers import describe, open_images, source
from engine.readers.ellipsometry import accurion_map, ep4_maps


def _damage(path: Path, at: int, value: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= value
    path.write_bytes(raw)


def test_opening_a_large_folder_reads_no_pixels_and_a_view_of_one_map_only_its_rows(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ep4_maps, "VERIFY_BYTES", 0)
    read: list[tuple[str, int]] = []

    def counting(path: Path, offset: int, out: np.ndarray) -> None:
        read.append((path.name, out.nbytes))
        source.read_rows(path, offset, out)

    monkeypatch.setattr(accurion_map, "read_rows", counting)
    images = open_images(ep4_folder, chunks={"y": 2})
    assert read == []
    images["psi"].data[1, :2].compute()
    assert read == [("p1.png", 2 * 5 * 4)]


def test_opening_reads_only_the_beginning_of_each_file(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ep4_maps, "VERIFY_BYTES", 0)
    monkeypatch.setattr(accurion_map, "verify", lambda _: pytest.fail("a checksum needs all values"))
    found = accurion_map.find_map(ep4_folder / "d0.png")
    assert found.shape == (6, 5)
    assert found.has_floats


def test_in_a_large_folder_a_wrong_checksum_is_found_when_any_part_of_the_map_is_read(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ep4_maps, "VERIFY_BYTES", 0)
    path = ep4_folder / "d1.png"
    _damage(path, accurion_map.find_map(path).offset + 3, 0x10)
    images = open_images(ep4_folder)
    with pytest.raises(FileError, match=r"the map d1.png is damaged"):
        images["delta"].data[1, -1].compute()
    facts = describe(images)
    assert facts["nan_share"] is None
    assert "d1.png is damaged" in facts["warnings"][0]
