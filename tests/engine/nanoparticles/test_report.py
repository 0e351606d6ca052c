"""Tests of `engine.nanoparticles.report`."""

from pathlib import Path

import dask.array as da

from engine import blocks, progress


def test_stages_scale_the_reports_inside_them() -> None:
    seen: list[tuple[float, str]] = []
    with progress.reporting(lambda share, doing: seen.append((share, doing))):
        progress.report(0.5, "all")
        with progress.stage(0.5, 1.0), progress.stage(0.0, 0.5):
            progress.report(0.5, "half")
    progress.report(1.0, "nobody listens")
    assert seen == [(0.5, "all"), (0.625, "half")]


def test_checkpoints_and_figures_go_where_the_block_says(tmp_path: Path) -> None:
    figures = []
    assert progress.checkpoint_folder() is None
    progress.record({"loss": 1.0})
    with progress.keeping(tmp_path, figures.append):
        assert progress.checkpoint_folder() == tmp_path
        progress.record({"loss": 0.5})
    assert figures == [{"loss": 0.5}]
    assert progress.checkpoint_folder() is None


def test_computing_reports_progress_to_its_end() -> None:
    seen: list[tuple[float, str]] = []
    with progress.reporting(lambda share, doing: seen.append((share, doing))), progress.stage(0.5, 1.0):
        blocks.compute(da.ones((50, 50), chunks=10).sum(), doing="adding")
    assert seen[0] == (0.5, "adding")
    assert seen[-1] == (1.0, "adding")
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
