"""The card of one picture."""

import json

import numpy as np
import pytest
import xarray as xr

from dashboard.pages.image_classes import state as state
from dashboard.pages.image_classes.gallery import badge
from dashboard.pages.image_classes.prediction_card import prediction_html
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.image_collection import open_image_folder
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


def test_the_card_says_what_is_doubtful_and_escapes_names_of_files(workspace, result):
    stack = open_image_folder(workspace, "sem")
    rows = state.image_rows(result).set_index("object", drop=False)
    html = {
        n: prediction_html(state.explain_image(stack, result, rows.loc[n].to_dict())) for n in (1, 2, 3, 4)
    }
    assert "Not sure" in html[2]
    assert "Long rods or Dots?" in html[2]
    assert "Unlike anything seen" in html[3]
    assert "class given by a person" in html[4]
    assert "pixel 2.5 nm" in html[1]
    assert "pixel size unknown" in html[2]
    assert "&lt;0&gt;.png" in html[1]
    assert "<0>" not in html[1]
    assert [badge(rows.loc[n])[1] for n in (1, 2, 3, 4)] == ["", "unsure", "unlike", ""]
