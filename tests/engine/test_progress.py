"""Progress, checkpoints and figures without passing them through every call."""

from pathlib import Path

from engine import progress


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
