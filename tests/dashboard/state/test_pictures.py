"""Pictures that were sorted, as the page looks at them, and pictures that were dropped."""

import json
import os
import time

import numpy as np
import pytest
import xarray as xr

from dashboard.pages.image_classes import state as state
from dashboard.pages.image_classes.gallery import badge
from dashboard.pages.image_classes.plots import paint_evidence
from dashboard.pages.image_classes.prediction_card import prediction_html
from dashboard.views.train_panel import PICTURES
from dashboard.workspace import training
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.object_table import link_class
from dashboard.workspace.session import Session
from dashboard.workspace.uploads import Upload, make_safe_names
from dashboard.workspace.workspace import Workspace
from engine.errors import InputError
from engine.recipe import Recipe
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
    tree = xr.DataTree.from_dict({"/": xr.Dataset(), **tables})
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


def test_the_card_says_what_is_doubtful_and_escapes_names_of_files(workspace, result):
    stack = state.open_image_folder(workspace, "sem")
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


def test_evidence_colours_what_speaks_for_the_class_and_against_it():
    picture = np.full((64, 64), 100, np.uint8)
    evidence = np.zeros((16, 16))
    evidence[:, :4], evidence[:, -4:] = 1.0, -1.0
    drawn = paint_evidence(picture, evidence).astype(int)
    left, middle, right = drawn[32, 4], drawn[32, 32], drawn[32, -4]
    assert left[0] > left[2]
    assert right[2] > right[0]
    assert middle.tolist() == [100, 100, 100]
    assert (paint_evidence(picture, np.full((16, 16), np.nan)) == 100).all()


# ------------------------------------------------------------ dropped pictures
def test_a_drop_arrives_in_parts_and_is_opened_by_its_address(workspace):
    source = next((workspace.roots[0] / "sem").rglob("*.png"))
    content = source.read_bytes()
    drop = Upload(workspace.uploads, ["../x.png", "notes.txt", "x.png"], [len(content), 3, len(content)])
    assert drop.left_out == ["notes.txt"]
    drop.part(1, b"abc")
    for number in (0, 2):
        drop.part(number, content[:100])
        drop.part(number, content[100:])
    folder = drop.finish()
    assert sorted(path.name for path in folder.iterdir()) == ["x-2.png", "x.png"]
    assert folder.parent == workspace.uploads
    stack = state.open_image_folder(workspace, workspace.find_address(str(folder)))
    assert stack.title == "2 dropped pictures"
    assert (folder / "x.png").read_bytes() == content


def test_a_single_dropped_picture_is_a_file(workspace):
    drop = Upload(workspace.uploads, ["one.PNG"], [3])
    drop.part(0, b"abc")
    assert drop.finish().name == "one.PNG"


@pytest.mark.parametrize(
    ("names", "sizes", "said"),
    [
        (["notes.txt"], [3], "notes.txt is no picture"),
        ([], [], "no picture"),
        (["a.png"], [10**9], "larger than 200 MB"),
        (["a.png"], [0], "is empty"),
        ([f"{n}.png" for n in range(1001)], [1] * 1001, "too many"),
        ([f"{n}.png" for n in range(20)], [150 * 10**6] * 20, "larger than 2 GB"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_sentence(workspace, names, sizes, said):
    with pytest.raises(InputError, match=said):
        Upload(workspace.uploads, names, sizes)
    assert not workspace.uploads.exists()


def test_more_or_fewer_bytes_than_said_are_refused(workspace):
    drop = Upload(workspace.uploads, ["a.png"], [3])
    with pytest.raises(InputError, match="larger than the browser said"):
        drop.part(0, b"abcd")
    short = Upload(workspace.uploads, ["a.png"], [3])
    short.part(0, b"a")
    with pytest.raises(InputError, match="did not arrive whole"):
        short.finish()
    short.discard()
    assert not short.folder.exists()


@pytest.mark.parametrize(
    "name", ["/etc/passwd.png", "..\\..\\a.png", "a\0b.png", "." * 300 + "png", "CON\n.png"]
)
def test_names_stay_in_their_folder(name, tmp_path):
    (safe,) = make_safe_names([name])
    assert (tmp_path / safe).resolve().parent == tmp_path.resolve()
    assert not safe.startswith(".")
    assert safe.isprintable()


def test_drops_that_no_result_is_of_can_be_deleted_after_a_while(workspace):
    drop = Upload(workspace.uploads, ["a.png"], [1])
    drop.part(0, b"x")
    drop.finish()
    assert drop.folder not in workspace.list_leftovers()
    long_ago = time.time() - 10**5
    os.utime(drop.folder, (long_ago, long_ago))
    assert drop.folder in workspace.list_leftovers()


def test_folders_of_labelled_pictures_are_found_by_csv_and_by_folders(workspace):
    root = workspace.roots[0]
    for name in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (root / "split" / name).mkdir(parents=True)
        (root / "split" / name / "a.png").touch()
    (root / "flat").mkdir()
    (root / "flat" / "a.png").touch()
    assert training.list_folders(workspace, PICTURES) == {
        "sem: 4 labelled pictures": "sem",
        "split: 4 labelled pictures": "split",
    }
