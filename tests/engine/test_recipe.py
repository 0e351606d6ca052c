"""Recipes travel as JSON and say what makes two computations the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.__main__ import main
from engine.errors import InputError, UnknownNameError
from engine.recipe import Recipe, list_steps, prepare, record_step

RECIPE = Recipe("kmeans", {"n_clusters": 3}, source="a/maps", digest="sha256:1", seed=4)


def test_a_recipe_survives_json() -> None:
    edited = RECIPE.with_edit("merge", author="ada", labels=[1, 2])
    assert Recipe.from_json(edited.to_json()) == edited
    assert edited.edits == ({"name": "merge", "arguments": {"labels": [1, 2]}, "author": "ada"},)


def test_undoing_drops_the_last_edit_only() -> None:
    twice = RECIPE.with_edit("merge", labels=[1, 2]).with_edit("rename", label=1, name="flake")
    assert twice.without_last_edit() == RECIPE.with_edit("merge", labels=[1, 2])


def test_where_the_source_lies_does_not_make_another_computation_but_a_setting_does() -> None:
    moved = Recipe("kmeans", {"n_clusters": 3}, source="b/maps", digest="sha256:1", seed=4)
    other = Recipe("kmeans", {"n_clusters": 4}, source="a/maps", digest="sha256:1", seed=4)
    assert RECIPE.identity() == moved.identity()
    assert RECIPE.identity() != other.identity()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "null", '"x"'])
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a Mapstack recipe"):
        Recipe.from_json(text)


@pytest.mark.parametrize("field", ["settings", "source", "prepare", "edits", "model", "unused"])
def test_a_recipe_with_a_field_of_another_kind_is_refused(field: str) -> None:
    with pytest.raises(InputError, match=rf"not a Mapstack recipe \(TypeError: {field} is 5\)"):
        Recipe.from_json(json.dumps({"schema": 1, "analysis": "kmeans", field: 5}))


def test_a_recipe_of_another_schema_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="recipe of schema 99, expected 1; run it with its own Mapstack"):
        Recipe.from_json(RECIPE.to_json().replace('"schema": 1', '"schema": 99'))


def test_preparation_steps_note_themselves_and_can_be_done_again() -> None:
    @record_step
    def shifted(images: xr.Dataset, *, by: int) -> xr.Dataset:
        return images + by

    images = shifted(shifted(xr.Dataset({"a": 1}), by=2), by=3)
    assert int(images["a"]) == 6
    steps = list_steps(images)
    assert [step["arguments"] for step in steps] == [{"by": 2}, {"by": 3}]
    with pytest.raises(UnknownNameError, match="no steps entry 'shifted'"):
        prepare(xr.Dataset({"a": 1}), steps)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def labels(path: Path) -> np.ndarray:
    return np.asarray(engine.load(path)["labels"])


def test_an_identical_run_is_copied_not_computed_and_a_recipe_gives_the_same_labels(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", "kmeans", str(example), "--n-clusters", "3"]
    assert main([*run, "--out", str(tmp_path / "a.zarr")]) == 0
    assert main([*run, "--out", str(tmp_path / "b.zarr")]) == 0
    assert main(["run", "--recipe", str(tmp_path / "a.zarr"), "--out", str(tmp_path / "c.zarr")]) == 0
    capsys.readouterr()
    assert main(["jobs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [job["state"] for job in listed] == ["done", "done"]  # the run, and its recipe with the model
    created = [engine.load(tmp_path / name).attrs["created"] for name in ("a.zarr", "b.zarr")]
    assert created[0] == created[1]
    np.testing.assert_array_equal(labels(tmp_path / "a.zarr"), labels(tmp_path / "c.zarr"))
    assert main(["jobs", "show", listed[0]["id"], "--json"]) == 0
    expected = {"id", "state", "progress", "doing", "left", "recipe", "result", "error"}
    assert expected <= set(json.loads(capsys.readouterr().out))
