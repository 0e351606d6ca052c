"""Folders that simulators write into."""

from pathlib import Path

import pytest

from engine.errors import FileError
from engine.simulate.folders import filling


def test_a_folder_is_made_and_given(tmp_path: Path) -> None:
    with filling(tmp_path / "a" / "b", what="maps") as folder:
        (folder / "x").write_text("1")
    assert (tmp_path / "a" / "b" / "x").read_text() == "1"


def test_a_folder_that_cannot_be_is_told_with_what_was_to_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = r"cannot write maps to .*give a folder that can be written"
    with pytest.raises(FileError, match=message), filling(tmp_path / "file", what="maps"):
        pass
