"""Tests of `engine.nanoparticles.result`."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.__main__ import main
from engine.nanoparticles.tables import CLASSES
from engine.schema import table
from engine.statistics.intervals import class_fractions


def test_a_collection_gives_one_result_that_is_that_of_each_micrograph(folder: Path, result):
    particles, micrographs = table(result, "object_table"), table(result, "image_table")
    assert micrographs["file"].values.tolist() == [f"frame_00{n}.tif" for n in range(4)]
    assert particles["object"].values.tolist() == list(range(1, particles.sizes["object"] + 1))
    for n, name in enumerate(micrographs["file"].values):
        alone = engine.run("particles", engine.open(folder / str(name)))
        own, mine = table(alone, "object_table"), particles.isel(object=particles["image"] == n)
        for column in ("class", "label", "radius", "spacing", "angle", "probability_yes"):
            np.testing.assert_allclose(mine[column].values, own[column].values, rtol=1e-6, err_msg=column)
        rows, columns = alone["labels"].shape
        np.testing.assert_array_equal(result["labels"][n, :rows, :columns], alone["labels"])
        assert not np.asarray(result["labels"][n, rows:]).any()
    counts = np.stack([micrographs[f"n_{name}"].values for name in CLASSES], axis=1)
    shares = table(result, "fractions")
    expected = class_fractions(counts)
    for name, values in zip(("fraction", "low", "high"), expected, strict=True):
        np.testing.assert_allclose(shares[name].values, values)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_sources_of_the_same_name_get_results_of_their_own(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = shutil.copytree(example, tmp_path / "again" / example.name)
    out = tmp_path / "all"
    assert main(["run", "kmeans", str(example), str(again), "--n-clusters", "2", "--out", str(out)]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.split()] == [
        f"{example.name}.zarr",
        f"{example.name}_2.zarr",
    ]
