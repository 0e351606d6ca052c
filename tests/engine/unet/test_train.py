"""Tests of `engine.unet.train`: from labelled frames to a trained U-Net and its model card."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import recipes
from engine.__main__ import main
from engine.cluster import KMeans
from engine.errors import InputError
from engine.readers.labels.label_files import labels_of
from engine.simulate.ellipsometry_maps import Maps
from engine.simulate.mosaic import CLASSES
from engine.unet.analysis import UNet


def test_labels_that_cannot_be_learned_from_are_refused_with_a_sentence(frames: Path):
    images, labels = engine.open(frames), labels_of(frames)
    quick = UNet(n_steps=1)
    with pytest.raises(InputError, match="a U-Net learns from labels, and there are none"):
        quick.fit(images)
    with pytest.raises(InputError, match="one label of the same shape a frame"):
        quick.fit(images, labels[:2])
    with pytest.raises(InputError, match="two or more classes"):
        quick.fit(images, xr.zeros_like(labels).drop_attrs())
    with pytest.raises(InputError, match="a name for each value"):
        UNet(class_names="empty,full").fit(images, labels.drop_attrs())


def test_the_command_trains_a_model_and_applies_it(
    frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    model, out = tmp_path / "model", tmp_path / "out.zarr"
    quick = ["--n-steps", "2", "--n-crops", "1", "--crop", "64"]
    assert main(["fit", "unet", str(frames), "--out", str(model), *quick]) == 0
    assert (model / "network.keras").is_file()
    assert (
        main(["run", "unet", str(frames / "frame_000.fits"), "--model", str(model), "--out", str(out)]) == 0
    )
    assert main(["score", str(out), str(frames / "frame_000_truth.fits"), "--json"]) == 0
    scored = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"background", "cluster"} <= {row["name"] for row in scored["classes"]} <= set(CLASSES)
    assert main(["run", "--recipe", str(out), "--out", str(tmp_path / "again.zarr")]) == 0
    again, before = engine.load(tmp_path / "again.zarr"), engine.load(out)
    np.testing.assert_array_equal(again["labels"], before["labels"])


def test_settings_of_training_are_those_of_their_class_and_the_seed() -> None:
    assert {"n_clusters", "seed"} < KMeans.training_settings()
    assert "smooth" not in KMeans.training_settings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Maps(n_regions=2, size=32, n_wavelengths=4, seed=1).write(tmp_path / "maps")


def test_settings_of_training_are_unused_with_a_model(folder: Path) -> None:
    images = engine.open(folder)
    model = engine.fit("kmeans", images, n_clusters=2)
    chosen = recipes.choose_analysis("kmeans", {"n_clusters": 5, "smooth": 1.0})
    fitted, unused = recipes.apply_settings(model, chosen, {"n_clusters": 5, "smooth": 1.0})
    assert unused == ("n_clusters",)
    assert fitted.settings["smooth"] == 1.0
    assert np.asarray(fitted.arrays["centroids"]).shape[0] == 2


BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def printed(script: str, *options: str) -> str:
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_benchmark_of_speed_runs_and_prints_its_ratios() -> None:
    ratios = re.findall(
        r"^  lean, (.+?) +[\d.]+ +([\d.]+) x$", printed("unet_speed.py", "--quick"), re.MULTILINE
    )
    assert len(ratios) >= 2
    assert all(float(ratio) > 0 for _, ratio in ratios)  # how large they are is for a quiet machine to say
