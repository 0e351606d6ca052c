"""The benchmarks of this folder run in their quick form and print what they promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


def printed(script: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, str(FOLDER / script), *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_kmeans_is_as_good_as_scikit_learn_and_prints_ratios() -> None:
    text = printed("kmeans.py", "--quick")
    excess = float(re.search(r"mapstack: .* inertia ([+-][\d.]+) %", text)[1])  # type: ignore[index]
    assert excess <= 0.02
    assert re.search(r"scikit-learn on a sample \+ predict: [\d.]+ x our", text)
    assert re.search(r"one pass over all pixels: \d+ % of the read bandwidth", text)


def test_a_tenth_of_the_larger_than_memory_stack_stays_far_below_the_bound() -> None:
    text = printed("larger_than_memory.py", "--gigabytes", "0.6")
    assert float(re.search(r"peak resident size ([\d.]+) GiB", text)[1]) <= 1.2  # type: ignore[index]


@pytest.mark.real
def test_the_real_folder_is_clustered_faster_than_by_the_prior_steps(hbn: Path) -> None:
    text = printed("hbn.py", "--quick", "--folder", str(hbn))
    assert float(re.search(r"= ([\d.]+) x", text)[1]) > 1  # type: ignore[index]
