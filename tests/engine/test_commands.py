"""The command line: what users type and what they get."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_an_interrupted_run_exits_with_130_and_leaves_nothing_behind(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "big"
    np.save(tmp_path / "big.npy", np.random.default_rng(0).random((40, 1024, 1024), np.float32))
    out = tmp_path / "out.zarr"
    command = [sys.executable, "-m", "engine", "run", "kmeans", str(tmp_path / "big.npy"), "--out", str(out)]
    command += ["--algorithm", "lloyd", "--n-clusters", "64", "--results", str(home)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    while not any(home.glob("jobs/*/progress.json")):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            pytest.fail("the run ended before it was interrupted")
    process.send_signal(signal.SIGINT)
    # what is under way is finished: a tile, and on a fresh machine the compiling of a kernel
    assert process.wait() == 130
    assert not out.exists()
    assert not folder.exists()
    assert list((home / "results").glob("*")) == []
