"""Micrographs and their particles as the page shows them."""

import numpy as np
import pytest

import engine
from dashboard.pages.nanoparticles import state as state
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.image_collection import open_collection
from dashboard.workspace.object_table import ObjectSelection
from dashboard.workspace.workspace import Workspace
from engine.simulate.hrtem import Hrtem


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("served")
    Hrtem(size=200, n_frames=2, n_particles=3, pixel_size=0.05, empty=0.0, seed=3).write(root / "hrtem")
    small = Hrtem(size=160, n_frames=1, n_particles=2, pixel_size=0.02, empty=0.0, seed=4).write(
        root / "other"
    )
    (small / "frame_000.tif").rename(root / "hrtem" / "frame_002.tif")
    return Workspace([root], tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def tree(workspace: Workspace):
    return engine.run("particles", engine.open(workspace.roots[0] / "hrtem"))


def test_a_sheet_knows_its_particles_by_place_and_outline(workspace: Workspace, tree):
    stack = open_collection(workspace, "hrtem")
    result = prepare_result(tree, "", workspace.home)
    objects = ObjectSelection(sort="confidence")
    objects.adopt(result)
    sheet = state.load_micrograph(workspace, stack, 2, result)
    here = objects.every[objects.every["image"] == 2]
    assert sorted(sheet.rings) == sorted(here["object"])
    for row in here.to_dict("records"):
        y, x = np.argwhere(sheet.objects == row["object"])[0] * 0.02
        assert sheet.at(x, y) == row["object"]
        x0, x1, y0, y1 = sheet.box(row)
        corners = np.concatenate(sheet.rings[row["object"]])
        assert (corners >= [x0 - 1e-9, y0 - 1e-9]).all()
        assert (corners <= [x1 + 1e-9, y1 + 1e-9]).all()
    assert sheet.at(-1, -1) == 0


def test_agreement_counts_what_people_said_against_what_the_model_said_unasked(workspace: Workspace, tree):
    table = tree["object_table"].to_dataset(inherit=False)
    first, label = int(table["object"][0]), int(table["class"][0])
    other = 2 if label != 2 else 1
    edited = engine.edit(tree, "relabel_objects", objects=[first], label=other)
    result = prepare_result(edited, "", workspace.home)
    assert state.compare_with_model(prepare_result(tree, "", workspace.home)) == {}
    assert state.compare_with_model(result) == {(other - 1, label - 1): [first]}
    assert state.find_changed_particles(prepare_result(tree, "", workspace.home), result) == [first]
    rows = state.fraction_rows(result)
    assert [row["name"] for row in rows] == ["yes", "no", "null", "no particle"]
    assert rows[0]["low"] <= rows[0]["fraction"] <= rows[0]["high"]
    assert "corrected" in state.describe_corrected_fractions(prepare_result(tree, "", workspace.home))
    assert state.describe_corrected_fractions(result) == ""
