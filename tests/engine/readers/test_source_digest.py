"""Digests of sources: hashed once, and anew when a file has changed."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from engine.readers import source_digest as digests


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is old enough to be remembered."""
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 4)))
    monkeypatch.setattr(digests, "TICK_NS", 0)
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    calls: list[Path] = []
    whole = digests.hash_files
    monkeypatch.setattr(
        digests, "hash_files", lambda path, files: (calls.append(path), whole(path, files))[1]
    )
    return calls


def test_an_unchanged_file_is_read_once(file: Path, hashed: list[Path]) -> None:
    assert digests.digest(file) == digests.digest(file)
    assert len(hashed) == 1


def test_a_file_of_other_size_or_time_is_read_again(file: Path, hashed: list[Path]) -> None:
    first = digests.digest(file)
    np.save(file, np.ones((4, 4)))
    os.utime(file, ns=(0, 1))
    assert digests.digest(file) != first
    os.utime(file, ns=(0, 2))
    digests.digest(file)
    assert len(hashed) == 3


def test_a_file_that_was_just_written_is_not_trusted(
    file: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "TICK_NS", 10**18 + time.time_ns())
    digests.digest(file)
    digests.digest(file)
    assert len(hashed) == 2


def test_parts_of_a_file_are_different_data(file: Path) -> None:
    assert digests.digest(f"{file}::a") != digests.digest(f"{file}::b")
