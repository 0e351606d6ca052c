"""Tests of `engine.export.atomic`: files and folders that appear whole or not at all."""

import threading
from pathlib import Path

import pytest

from engine.errors import FileError
from engine.export import atomic
from engine.export.atomic import appearing, writing


def test_a_late_writer_is_waited_for_and_brings_nothing_back(tmp_path: Path) -> None:
    entered, release = threading.Event(), threading.Event()

    def write_late(draft: Path) -> None:
        with writing(draft) as wanted:
            assert wanted
            entered.set()
            release.wait()
            (draft / "labels" / "c").mkdir(parents=True)  # as Zarr does for each chunk

    def fail() -> None:
        with appearing(tmp_path / "a.zarr") as draft:
            writer = threading.Thread(target=write_late, args=(draft,))
            writers.append(writer)
            writer.start()
            entered.wait()
            threading.Timer(0.05, release.set).start()
            raise RuntimeError("cancelled")

    writers: list[threading.Thread] = []
    with pytest.raises(RuntimeError, match="cancelled"):
        fail()
    writers[0].join()
    assert not list(tmp_path.iterdir())


def test_a_writer_that_comes_after_the_end_is_told_so(tmp_path: Path) -> None:
    with appearing(tmp_path / "a") as draft:
        draft.touch()
        (draft.parent / "given up").touch()
        with writing(draft) as wanted:
            assert not wanted
    with writing(draft) as wanted:
        assert not wanted
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_writer_that_died_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_PATIENCE", 0.0)
    with appearing(tmp_path / "a") as draft:
        draft.touch()
        (draft.parent / "writing" / "dead").touch()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = pytest.raises(FileError, match=r"a\.zarr could not be written: Not a directory")
    with error, appearing(tmp_path / "file" / "a.zarr"):
        pass
