"""Edits on a page, undo, and the code that makes a result again."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dashboard.workspace.editing import (
    apply_edit,
    class_rows,
    last_edit,
    own_model,
    store_result,
    undo_last_edit,
    write_code,
)
from dashboard.workspace.example_data import open_example
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine import pipeline
from engine.analysis import find_shipped_model
from engine.recipe import Recipe
from engine.simulate.ellipsometry_maps import Maps


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    Maps(n_regions=3, size=48, n_wavelengths=5, seed=3, holes=0.0).write(root / "maps")
    return root


@pytest.fixture(scope="module")
def workspace(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace([served], tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def example(workspace: Workspace):
    return open_example(workspace, "kmeans")


@pytest.fixture
def session(example) -> Session:
    made = Session()
    made.open(example[0])
    made.show(example[1])
    return made


def test_edits_are_undone_in_memory_and_from_the_recipe(workspace, session, example):
    renamed = apply_edit(workspace, *example, "rename", label=1, name="ground")
    session.show(renamed, keep=True)
    assert (last_edit(renamed), class_rows(renamed)[0]["name"]) == ("rename", "ground")
    session.step(back=True)
    assert session.result is example[1]
    session.step(back=False)
    assert session.result is renamed
    assert class_rows(undo_last_edit(workspace, renamed))[0]["name"] == class_rows(example[1])[0]["name"]


def test_a_stored_edit_is_what_was_shown(workspace, example):
    merged = apply_edit(workspace, *example, "merge", labels=[2, 3])
    kept = workspace.open_result(store_result(workspace, merged).id)
    assert np.array_equal(kept.tree["labels"], merged.tree["labels"])
    assert len(class_rows(kept)) == 2


def test_the_code_of_an_edited_and_masked_result_gives_its_labels(workspace, example, tmp_path):
    stack, _ = example
    x, y = stack.images["x"].values, stack.images["y"].values
    polygon = [[x[2], y[2]], [x[20], y[2]], [x[20], y[20]]]
    recipe = pipeline.make_recipe("kmeans", stack.source, n_clusters=3, seed=4)
    masked = pipeline.replace(recipe, prepare=({"name": "exclude", "arguments": {"polygons": [polygon]}},))
    result = pipeline.run(recipe=masked)
    result = pipeline.edit(result, "split", label=1)
    python, _ = write_code(pipeline.recipe_of(result), None)
    subprocess.run([sys.executable, "-c", python], cwd=tmp_path, check=True)
    again = pipeline.load(tmp_path / "result.zarr")
    assert np.array_equal(again["labels"], result["labels"])
    assert (np.asarray(result["labels"]) == 0).sum() > 100


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        ({"digest": "0", "folder": "/models/mine"}, Path("/models/mine")),
        ({"arrays": {}, "network": "/models/mine/network.keras"}, Path("/models/mine")),
        ({"arrays": {}}, None),
        (None, None),
    ],
)
def test_the_next_run_applies_the_model_of_the_shown_result(model, folder):
    assert own_model(Recipe("micrographs", {}, model=model)) == folder


def test_the_model_that_mapstack_brings_is_not_the_users_own():
    shipped = str(find_shipped_model("particles"))
    assert own_model(Recipe("particles", {}, model={"digest": "0", "folder": shipped})) is None
