"""Tests of `engine.runtime.job_files`: files of jobs: their places, and removing them."""

import os
from pathlib import Path

import pytest

from engine.runtime.job_files import bytes_in


def test_files_that_vanish_while_they_are_counted_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "kept").write_bytes(b"12345")
    (tmp_path / "cache").write_bytes(b"123")
    assert bytes_in(tmp_path) == 8
    walk = os.walk

    def meanwhile(folder: Path):
        for where, below, names in walk(folder):
            Path(where, "cache").unlink(missing_ok=True)
            yield where, below, names

    monkeypatch.setattr(os, "walk", meanwhile)
    assert bytes_in(tmp_path) == 5
    assert bytes_in(tmp_path / "none") == 0
