"""A home for jobs whose processes run `job_fakes` instead of the pipeline."""

import os
import sys
from pathlib import Path

import pytest

FAKES = str(Path(__file__).parents[1] / "faults")
sys.path.insert(0, FAKES)

from job_fakes import Bench  # noqa: E402  (the line above lets it be found, here and by the jobs)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty home; at the end all that still runs in it is cancelled."""
    monkeypatch.setenv("MAPSTACK_EXECUTE", "job_fakes:execute")
    monkeypatch.setenv("PYTHONPATH", FAKES + os.pathsep + os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("MAPSTACK_MAX_JOBS", "4")
    bench = Bench(tmp_path / "home with ümlaut")
    yield bench
    bench.close()
