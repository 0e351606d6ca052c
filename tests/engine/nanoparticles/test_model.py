"""Tests of `engine.nanoparticles.model`."""

import csv
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.__main__ import main
from engine.analysis import load_model


def test_the_shipped_model_finds_and_classifies_simulated_particles(micrographs: Path):
    with (micrographs / "truth.csv").open(encoding="utf-8") as file:
        truth = [row for row in csv.DictReader(file) if row["file"] == "frame_003.tif"]
    result = engine.run("particles", engine.open(micrographs / "frame_003.tif"))
    objects, labels = np.asarray(result["objects"]), np.asarray(result["labels"])
    table = result["object_table"].to_dataset()
    assert ((objects > 0) == (labels > 0)).all()
    assert table.sizes["object"] == objects.max() > 0
    inner = [
        (row, int(objects[round(float(row["y"])), round(float(row["x"]))]))
        for row in truth
        if row["class"] != "null"
    ]
    measured = [(row, table.isel(object=number - 1)) for row, number in inner if number]
    assert measured
    assert table["spacing"].attrs["units"] == "nm"
    off = []
    for row, found in measured:
        planes = np.array([float(value) for value in row["spacings"].split()])
        off.append(np.abs(float(found["spacing"]) / planes - 1).min())
    assert np.median(off) < 0.01
    fractions = result["fractions"].to_dataset(inherit=False)
    assert int(fractions["count"].sum()) == table.sizes["object"]
    assert (fractions["low"] <= fractions["fraction"]).all()


def test_a_folder_with_label_files_teaches_a_model_that_is_judged_by_other_micrographs(
    micrographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    assert main(["fit", "particles", str(micrographs), "--out", str(tmp_path / "model")]) == 0
    model = load_model(tmp_path / "model")
    assert model.metadata["n_micrographs"] == 4
    assert model.metadata["judged_on"] == "micrographs held out, in folds"
    assert model.arrays["confusion"].shape[0] == 4
    out = tmp_path / "out"
    paths = [str(micrographs / f"frame_00{n}.tif") for n in (0, 1)]
    options = ["--model", str(tmp_path / "model"), "--certainty", "0.9", "--out", str(out)]
    assert main(["run", "particles", *paths, *options]) == 0
    result = engine.load(out / "frame_001.zarr")
    table = result["object_table"].to_dataset()
    columns = [f"probability_{name}" for name in ("yes", "no", "null", "empty")]
    chances = np.stack([table[name].values for name in columns], axis=1)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(table["abstained"].values, chances.max(axis=1) < 0.9)
    counted = int(result["fractions"].to_dataset(inherit=False)["count"].sum())
    assert counted == (~table["abstained"].values).sum()
