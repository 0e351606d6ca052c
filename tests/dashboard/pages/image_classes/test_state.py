"""Sorted images as the page shows them."""

import json

import numpy as np
import pytest
import xarray as xr

from dashboard.pages.image_classes import state as state
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.object_table import link_class
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine.recipe import Recipe
from engine.schema.kinds import KIND, SORTED_IMAGES
from engine.simulate.sem import Sem

NAMES = ("Long_rods", "Dots", "Tips")


CHANCES = np.array([[0.9, 0.06, 0.04], [0.4, 0.35, 0.25], [0.2, 0.75, 0.05], [0.3, 0.1, 0.6]])


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "served").mkdir()
    (tmp_path / "home").mkdir()
    Sem(n_images=4, size=64, images_per_parent=1, databar=False).write(tmp_path / "served" / "sem")
    return Workspace([tmp_path / "served"], tmp_path / "home")


@pytest.fixture
def result(workspace):
    order = np.argsort(-CHANCES, axis=1)
    table = xr.Dataset(
        {
            "file": ("image", [f"<{n}>.png" for n in range(4)]),
            "class": ("image", (order[:, 0] + 1).astype(np.uint8)),
            "second": ("image", (order[:, 1] + 1).astype(np.uint8)),
            "confidence": ("image", [0.84, 0.05, 0.55, 0.3]),
            "probability": (("image", "label"), CHANCES),
            "novelty": ("image", [0.2, 0.3, 1.4, 0.5]),
            "unlike": ("image", [False, False, True, False]),
            "abstained": ("image", [False, True, True, False]),
            "reviewed": ("image", [False, False, False, True]),
            "truth": ("image", np.array([1, 2, 0, 3], np.uint8)),
            "pixel_size": ("image", [2.5, np.nan, 1.0, 1.0]),
            "similar": (("image", "rank"), np.tile([1, 0], (4, 1))),
        },
        {"image": np.arange(4), "label": [1, 2, 3]},
    )
    classes = xr.Dataset(
        {"name": ("label", list(NAMES)), "color": ("label", ["#112233", "#445566", "#778899"])},
        {"label": [1, 2, 3]},
    )
    small = xr.Dataset(
        {
            "thumbnail": (("image", "row", "column"), np.full((4, 64, 64), 7, np.uint8)),
            "evidence": (("image", "part_row", "part_column"), np.full((4, 16, 16), 0.5)),
        }
    )
    known = xr.Dataset(
        {
            "file": ("example", ["a.png", "b.png"]),
            "class": ("example", np.array([1, 2], np.uint8)),
            "thumbnail": (("example", "row", "column"), np.zeros((2, 64, 64), np.uint8)),
        }
    )
    tables = {"image_table": table, "classes": classes, "pictures": small, "known": known}
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs={KIND: SORTED_IMAGES.name}), **tables})
    judged = [{"name": "Long_rods", "precision": 1.0, "recall": 0.5, "f1": 0.667, "support": 4}]
    tree.attrs["judged"] = json.dumps(judged)
    tree.attrs["recipe"] = Recipe(analysis="micrographs", settings={}).to_json()
    return prepare_result(tree, "", workspace.home)


def test_those_unlike_all_seen_come_first_then_the_least_certain(result):
    pictures = state.ImageSelection()
    pictures.adopt(result)
    assert pictures.shown["object"].tolist() == [3, 2, 4, 1]
    assert pictures.row(1)["name"] == "Long rods"
    np.testing.assert_allclose(pictures.row(2)["first_share"], 0.4)
    np.testing.assert_allclose(pictures.row(2)["second_share"], 0.35)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("all pictures", [1, 2, 3, 4]),
        ("not sure", [2, 3]),
        ("unlike anything seen", [3]),
        ("reviewed", [4]),
        ("not reviewed", [1, 2, 3]),
        ("not as labelled", [2]),
    ],
)
def test_pictures_are_looked_at_by_state(result, kind, numbers):
    pictures = state.ImageSelection()
    pictures.adopt(result)
    pictures.state = kind
    assert sorted(pictures.shown["object"]) == numbers


def test_a_class_selected_by_its_folder_name_is_found_by_the_name_that_is_shown(result):
    session, pictures = Session(), state.ImageSelection()
    session.result = result
    pictures.adopt(result)
    link_class(session, pictures)
    session.select([1])
    assert pictures.kind == "Long rods"
    assert pictures.shown["object"].tolist() == [2, 1]
    pictures.kind = "Tips"
    assert session.selected == [3]


def test_cells_and_shares_count_pictures(result):
    rows = state.image_rows(result)
    assert state.group_by_truth(rows) == {(1, 1): [1], (2, 1): [2], (3, 3): [4]}
    shares = state.count_rows(result, rows)
    assert [(row["name"], row["count"], row["fraction"], row["key"]) for row in shares] == [
        ("Long rods", 1, 50.0, "1"),
        ("Dots", 0, 0.0, "2"),
        ("Tips", 1, 50.0, "3"),
    ]
    (judged,) = state.metric_rows(result)
    assert (judged["precision"], judged["recall"], judged["f1"]) == ("1.00", "0.50", "0.67")


def test_without_a_result_there_is_nothing_and_nothing_fails():
    pictures = state.ImageSelection()
    pictures.adopt(None)
    pictures.state = "not as labelled"
    assert pictures.shown.empty
    assert state.group_by_truth(pictures.every) == {}
    assert state.count_rows(None, pictures.every) == state.metric_rows(None) == []
