"""The benchmark of objects runs in its quick form and prints what it promises."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "objects.py"


def test_objects_are_measured_in_little_memory_and_faster_than_by_scikit_image() -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert float(re.search(r"peak resident size ([\d.]+) GiB", run.stdout)[1]) <= 2  # type: ignore[index]
    assert float(re.search(r"= ([\d.]+) x ours", run.stdout)[1]) > 1  # type: ignore[index]
