"""Tests of `engine.readers.microscopes.signal`."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import FileError
from engine.readers import open_images
from engine.readers.microscopes import signal
from tests.engine.readers.micrograph_files import WRITERS


@pytest.mark.parametrize("name", WRITERS)
def test_opening_reads_no_pixels(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    WRITERS[name][0](tmp_path / name)

    def never(*arguments: Any) -> None:
        raise AssertionError("pixels were read")

    monkeypatch.setattr(signal, "load_planes", never)
    monkeypatch.setattr("engine.readers.microscopes.emd._load", never)
    images = open_images(tmp_path / name)
    with pytest.raises(FileError, match="pixels were read"):
        images.load()
