"""Tests of `engine.image_classes.result`."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import recipes
from engine.__main__ import main
from engine.schema import IMAGE_TABLE, PICTURES, table


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_result_says_where_its_source_lies_seen_from_itself(example: Path, tmp_path: Path) -> None:
    out = tmp_path / "results" / "o.zarr"
    assert main(["run", "kmeans", str(example), "--n-clusters", "2", "--out", str(out)]) == 0
    stored = json.loads((out / "zarr.json").read_text())["attributes"]["source"]
    assert not Path(stored).is_absolute()
    assert (out.parent / stored).resolve() == example.resolve()
    assert Path(engine.load(out).attrs["source"]).resolve() == example.resolve()


def test_several_files_name_the_one_at_fault_and_spare_a_result(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "empty.npy", np.full((2, 5, 5), np.nan))
    several = ["run", "kmeans", str(example), str(tmp_path / "empty.npy"), "--n-clusters", "2", "--out"]
    assert main([*several, str(tmp_path / "all")]) == 2
    said = capsys.readouterr()
    assert said.out.strip() == str(tmp_path / "all" / f"{example.name}.zarr")
    assert "empty.npy" in said.err
    assert main([*several, said.out.strip()]) == 2
    assert "is a result" in capsys.readouterr().err


def test_a_result_says_class_confidence_evidence_and_what_is_alike(result: xr.DataTree, model) -> None:
    rows = table(result, IMAGE_TABLE).load()
    assert (rows["class"] == rows["truth"]).mean() > 0.9
    chances = np.sort(rows["probability"].values, axis=1)
    np.testing.assert_allclose(rows["confidence"], chances[:, -1] - chances[:, -2], atol=1e-6)
    known = table(result, "known")
    nearest = known["class"].values[rows["similar"].values[:, 0]]
    assert (nearest == rows["truth"].values).mean() > 0.8
    evidence = table(result, PICTURES)["evidence"].values
    assert np.isfinite(evidence).all()
    assert (evidence.std(axis=(1, 2)) > 0).all()
    assert not rows["unlike"].values.mean() > 0.1


def test_a_recipe_names_a_large_model_by_its_digest_and_the_result_holds_it(tmp_path: Path) -> None:
    from engine.analysis import find_shipped_model, model_of
    from engine.simulate.hrtem import Hrtem

    frames = Hrtem(size=128, n_frames=1, seed=2).write(tmp_path)
    result = engine.run("particles", engine.open(frames / "frame_000.tif"))
    recipe = recipes.recipe_of(result)
    assert "arrays" not in recipe.model
    assert len(result.attrs["recipe"]) < 10_000
    assert (
        model_of(result).digest()
        == recipe.model["digest"]
        == engine.load(find_shipped_model("particles")).digest()
    )
