"""The benchmarks of the U-Net run in their small forms and print what they promise."""

import re
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def printed(script: str, *options: str) -> str:
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_lean_network_is_faster_than_the_prior_way_and_learns_faster() -> None:
    ratios = re.findall(
        r"^  lean, (.+?) +[\d.]+ +([\d.]+) x$", printed("unet_speed.py", "--quick"), re.MULTILINE
    )
    assert len(ratios) >= 2
    assert all(float(ratio) > 2 for _, ratio in ratios)


def test_the_model_that_mapstack_brings_is_far_better_than_a_threshold() -> None:
    text = printed("unet_accuracy.py", "--frames", "1")
    for part in text.split("simulated, ")[1:]:
        f1 = {
            m[1]: float(m[2]) for m in re.finditer(r"^(\w+) +[\d.]+ +[\d.]+ +([\d.]+) ", part, re.MULTILINE)
        }
        baseline = float(re.search(r"best threshold F1 ([\d.]+)", part)[1])  # type: ignore[index]
        assert f1["cluster"] > max(0.8, baseline)
        assert f1["hot_pixel"] > 0.8
    for found in re.findall(r"^U-Net .*cluster ([\d.]+);", text, re.MULTILINE):
        assert float(found) > 0.8


def test_a_large_frame_is_segmented_in_little_memory() -> None:
    text = printed("unet_large.py", "--size", "5120")
    assert float(re.search(r"peak resident size ([\d.]+) GiB", text)[1]) < 2  # type: ignore[index]
