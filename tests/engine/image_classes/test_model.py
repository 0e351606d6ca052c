"""Tests of `engine.image_classes.model`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.__main__ import main
from engine.analysis import load_model
from engine.catalogue import find
from engine.errors import InputError
from engine.schema import IMAGE_TABLE, table


def test_a_model_of_an_earlier_version_is_refused_and_younger_settings_have_their_defaults(
    images: xr.Dataset, model, tmp_path: Path
) -> None:
    header = model.save(tmp_path / "model") / "model.json"
    old = json.loads(header.read_text())
    del old["settings"]["map_tile"]
    header.write_text(json.dumps(old))
    found = load_model(tmp_path / "model")
    assert found.settings == model.settings
    kept = {name: array for name, array in found.arrays.items() if name != "known_direction"}
    with pytest.raises(InputError, match="the model is of an earlier Mapstack"):
        engine.run("micrographs", images, model=replace(found, arrays=kept))


def test_a_model_survives_its_folder(model, images: xr.Dataset, result: xr.DataTree, tmp_path: Path) -> None:
    again = engine.run("micrographs", images, model=load_model(model.save(tmp_path / "model")))
    np.testing.assert_array_equal(table(again, IMAGE_TABLE)["class"], table(result, IMAGE_TABLE)["class"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def labels(path: Path) -> np.ndarray:
    return np.asarray(engine.load(path)["labels"])


def test_a_model_gives_the_same_zone_the_same_number_on_other_samples(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = find("simulators", "maps")(n_regions=3, size=64, n_wavelengths=4, seed=3).write(tmp_path / "twin")
    model = tmp_path / "model"
    assert main(["fit", "kmeans", str(example), "--n-clusters", "3", "--out", str(model)]) == 0
    several = ["run", "kmeans", str(example), str(twin), "--model", str(model), "--n-restarts", "2"]
    assert main([*several, "--out", str(tmp_path / "all")]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()[-2:]]
    assert all(path.parent == tmp_path / "all" for path in written)
    np.testing.assert_array_equal(labels(written[0]), labels(written[1]))
    assert json.loads(engine.load(written[0]).attrs["recipe"])["unused"] == ["n_restarts"]
