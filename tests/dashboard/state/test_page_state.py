"""The state behind the page: what is opened once, what a session selects, what the code says."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from dashboard.kit import escape, sentence
from dashboard.workspace.cache import Cache
from dashboard.workspace.drawn_region import read_pixel, summarise_region
from dashboard.workspace.editing import (
    apply_edit,
    class_rows,
    last_edit,
    store_result,
    undo_last_edit,
    write_code,
)
from dashboard.workspace.example_data import open_example
from dashboard.workspace.session import Session, read_position
from dashboard.workspace.workspace import Workspace
from engine import pipeline
from engine.errors import FileError, InputError
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


def test_the_example_is_segmented_into_the_zones_it_has(example):
    assert len(class_rows(example[1])) == 3


def test_a_stack_is_opened_once_for_everybody(workspace):
    assert workspace.open_stack("maps") is workspace.open_stack("maps")


@pytest.mark.parametrize("address", ["../root", "/etc", "maps/../../..", "http://x/maps", "", "maps\0"])
def test_an_address_outside_of_the_served_folders_is_refused(workspace, address):
    with pytest.raises(FileError):
        workspace.open_stack(address)


def test_a_sibling_whose_name_begins_like_a_root_is_not_served(workspace, served):
    sibling = served.with_name(served.name + "_secret")
    sibling.mkdir()
    with pytest.raises(FileError):
        workspace.find_address(str(sibling))


def test_a_thing_that_many_ask_for_at_once_is_made_once():
    shelf: Cache[int] = Cache(2)
    made: list[int] = []
    everybody = threading.Barrier(8)

    def ask() -> None:
        everybody.wait()
        shelf.get("key", lambda: made.append(1) or 7)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_only_the_last_few_things_are_kept():
    shelf: Cache[str] = Cache(2)
    for key in "abc":
        shelf.get(key, lambda key=key: key)
    assert shelf.get("c", lambda: "made again") == "c"
    assert shelf.get("a", lambda: "made again") == "made again"


def test_only_classes_that_exist_are_selected(session):
    session.select([2, 99])
    assert session.selected == [2]


def test_opening_other_data_selects_nothing(session, example):
    session.param.update(selected=[1], pixel=(1.0, 2.0), region=[[0, 0], [1, 0], [1, 1]])
    session.open(example[0])
    assert (session.selected, session.pixel, session.region, session.result) == ([], None, [], None)


def test_the_readout_is_the_value_of_the_pixel_under_the_cursor(session, example):
    images = example[0].images
    row, column = 20, 31
    x, y = float(images["x"][column]), float(images["y"][row])
    found = read_position(session, x, y)
    assert found["values"]["psi"] == pytest.approx(float(images["psi"][0, row, column]))
    assert found["label"] == int(example[1].tree["labels"][row, column])


def test_outside_of_the_map_there_is_nothing_to_read(session):
    assert read_position(session, -1e6, 0)["values"] == {"delta": None, "psi": None}


def test_a_region_has_the_mean_of_its_pixels_and_shares_that_add_up(example):
    stack, result = example
    x, y = stack.images["x"].values, stack.images["y"].values
    half = abs(x[1] - x[0]) / 2
    box = [x[5] - half, x[14] + half, y[10] - half, y[29] + half]
    polygon = [[box[0], box[2]], [box[1], box[2]], [box[1], box[3]], [box[0], box[3]]]
    region = summarise_region(stack, result, polygon)
    assert region.n_pixels == 200
    expected = np.nanmean(stack.images["psi"].values[:, 10:30, 5:15], axis=(1, 2))
    assert region.spectrum["psi_mean"].values == pytest.approx(expected, rel=1e-5)
    assert sum(region.shares.values()) == pytest.approx(1)


def test_a_region_beside_the_map_is_refused(example):
    with pytest.raises(InputError, match="no pixel"):
        summarise_region(*example, [[-90, -90], [-80, -90], [-80, -80]])


def test_a_picked_pixel_has_its_raw_spectrum(example):
    images = example[0].images
    picked = read_pixel(example[0], float(images["x"][7]), float(images["y"][9]))
    assert picked["delta"] == pytest.approx(images["delta"].values[:, 9, 7], nan_ok=True)


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


def test_text_of_files_and_users_becomes_harmless():
    assert escape("<img src=x onerror='a()'>") == "&lt;img src=x onerror=&#x27;a()&#x27;&gt;"


def test_the_user_is_told_a_mistake_as_it_is_and_a_bug_without_its_details(caplog):
    assert sentence(InputError("give\n another")) == "give another"
    assert "secret" not in sentence(RuntimeError("secret path"))
    assert "secret path" in caplog.text


def test_a_stack_prepared_with_a_pixel_size_is_seen_in_its_units_and_excluding_changes_no_map(
    workspace,
):
    step = {"name": "pixel_size", "arguments": {"size": 0.5, "unit": "µm"}}
    region = {"name": "exclude", "arguments": {"polygons": [[[0, 0], [5, 0], [5, 5]]]}}
    plain, scaled = workspace.open_stack("maps"), workspace.open_stack("maps", (step,))
    assert scaled.pyramids["psi"].bounds[2] == pytest.approx(0.5 * plain.pyramids["psi"].bounds[2], abs=0.3)
    assert workspace.open_stack("maps", (step, region)).pyramids is scaled.pyramids


def test_clean_up_deletes_old_caches_and_exports_but_nothing_that_is_looked_at(workspace):
    workspace.open_stack("maps")
    forgotten = workspace.home / "views" / "0123abcd-7-psi"
    exported = workspace.home / "exports" / "fresh"
    old = workspace.home / "exports" / "old"
    used = {f"{name}-psi" for name in workspace._in_use}
    for folder in (forgotten, exported, old, *(workspace.home / "views" / name for name in used)):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert set(workspace.list_leftovers()) == {forgotten, old}
