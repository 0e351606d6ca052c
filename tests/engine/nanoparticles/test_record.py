"""Tests of `engine.nanoparticles.record`: record of a micrograph whose particles were detected."""

from pathlib import Path

import pytest

import engine
from engine import progress
from engine.errors import CancelledError
from engine.nanoparticles import record as records_module


def test_what_is_finished_is_found_again_after_a_cancel(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(records_module, "AT_ONCE", 1)
    images, looked = engine.open(folder), []
    look = records_module._detect_in_image
    monkeypatch.setattr(records_module, "_detect_in_image", lambda *a, **k: looked.append(1) or look(*a, **k))

    def stop_at_half(share: float, _doing: str) -> None:
        if share > 0.32:
            raise CancelledError("enough")

    with progress.keeping(tmp_path, lambda _: None):
        with progress.reporting(stop_at_half), pytest.raises(CancelledError):
            engine.run("particles", images)
        n_kept = len(list(tmp_path.glob("micrograph_*.npz")))
        assert 0 < n_kept < 4
        looked.clear()
        engine.run("particles", images)
    assert len(looked) == 4 - n_kept
