"""Tests of `engine.runtime.warmup`."""

import tempfile
from pathlib import Path

import pytest

from engine import catalogue, pipeline
from engine.runtime.warmup import warm_up


def test_every_analysis_is_run_once_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, names = pipeline.run, []
    monkeypatch.setattr(pipeline, "run", lambda name, images: names.append(name) or run(name, images))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    warm_up()
    assert names == list(catalogue.ANALYSES)
    assert list(tmp_path.iterdir()) == []
