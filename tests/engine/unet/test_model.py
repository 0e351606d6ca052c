"""Tests of `engine.unet.model`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine.analysis import load_model
from engine.errors import FileError
from engine.readers.labels.label_files import labels_of
from engine.simulate.mosaic import CLASSES
from engine.unet.model import UNetModel


@pytest.fixture(scope="module")
def learned(frames: Path) -> UNetModel:
    settings = {"n_steps": 4, "n_crops": 2, "crop": 64, "seed": 1}
    return engine.fit("unet", engine.open(frames), labels_of(frames), **settings)


def test_a_model_says_what_it_learned_from_and_how_good_it_is_on_frames_held_out(learned: UNetModel):
    card = learned.metadata
    assert learned.class_names == CLASSES
    assert [row["name"] for row in card["metrics"]] == list(CLASSES)
    assert {"precision", "recall", "f1", "f1_low", "f1_high", "support"} <= set(card["metrics"][0])
    assert card["n_frames"] == 3
    assert len(card["held_out"]) == 1
    assert card["judged_on"] == "frames held out"
    assert sum(row["support"] for row in card["metrics"]) == 192 * 192
    assert set(card["range"]) == {"bright", "dark", "grain"}
    assert card["history"][-1]["step"] == 4


def test_a_model_without_its_network_or_with_another_is_refused(learned: UNetModel, tmp_path: Path):
    folder = learned.save(tmp_path / "model")
    (folder / "network.keras").write_bytes(b"other")
    with pytest.raises(FileError, match="its network is damaged or missing"):
        load_model(folder)
    (folder / "network.keras").unlink()
    with pytest.raises(FileError, match="its network is damaged or missing"):
        load_model(folder)


BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def printed(script: str, *options: str) -> str:
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


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
