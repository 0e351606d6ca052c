"""Objects of a result: which pass, which is next, which lies where."""

import json

import numpy as np
import pandas as pd
import pytest

import engine
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.datasets import MapResult
from dashboard.workspace.object_table import (
    ALL,
    ObjectSelection,
    count_by_section,
    find_object,
    link_class,
    make_object_table,
    outline,
    section_box,
    section_grid,
    surroundings,
)
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine import pipeline
from engine.simulate.mosaic import Mosaic
from tests.stand_in import true_result

FRAMES = Mosaic(size=256, n_frames=1, seed=1)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("root")
    FRAMES.write(root / "mosaic")
    return Workspace([root], tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def stack(workspace: Workspace):
    return workspace.open_stack("mosaic/frame_000.fits")


@pytest.fixture(scope="module")
def result(workspace: Workspace, stack) -> MapResult:
    tree = true_result(engine.open(stack.source), FRAMES.frame(0).labels)
    recipe = pipeline.make_recipe("unet", stack.source)
    tree.attrs.update(recipe=recipe.to_json(), warnings=json.dumps(["Odd."]))
    return prepare_result(tree, "", workspace.home)


@pytest.fixture
def objects(result: MapResult) -> ObjectSelection:
    made = ObjectSelection()
    made.adopt(result)
    return made


def numbers(objects: ObjectSelection) -> list[int]:
    return objects.shown["object"].tolist()


def test_a_result_tells_its_warnings_and_has_entropy_and_objects(result):
    assert result.warnings == ["Odd."]
    assert result.entropy is not None
    assert result.objects.sizes["object"] == 17


def test_the_table_starts_with_the_highest_energy_and_ends_with_objects_without_one(objects):
    assert numbers(objects)[:6] == [5, 12, 4, 10, 6, 2]
    assert objects.shown["energy"][6:].isna().all()
    assert set(objects.shown["color"]) == {"#009E73", "#D55E00"}


@pytest.mark.parametrize(
    ("limits", "passing"),
    [
        ({"kind": "cluster"}, {2, 4, 5, 6, 10, 12}),
        ({"least_size": 8}, {4, 5, 10, 12}),
        ({"least_size": 4, "most_size": 20}, {4, 6, 8, 10}),
        ({"least_energy": 50.0}, {4, 5, 12}),
        ({"least_confidence": 0.95}, set()),
        ({"kind": "hot_pixel", "least_size": 2}, {8}),
    ],
)
def test_limits_leave_the_objects_that_keep_within_all_of_them(objects, limits, passing):
    objects.param.update(**limits)
    assert set(numbers(objects)) == passing
    objects.param.update(dict.fromkeys(limits, None) | ({"kind": ALL} if "kind" in limits else {}))
    assert len(numbers(objects)) == 17


def test_next_and_previous_stay_in_the_class_and_go_round(objects):
    assert [objects.neighbour(n, 1) for n in (5, 12, 2)] == [12, 4, 5]
    assert objects.neighbour(5, -1) == 2
    assert objects.neighbour(0, 1) == 5
    objects.param.update(least_confidence=0.99)
    assert objects.neighbour(5, 1) == 0


def test_nothing_is_a_table_without_rows():
    assert make_object_table(None).empty
    assert ObjectSelection().row(1) is None
    assert ObjectSelection().neighbour(3, 1) == 0


def test_a_hundred_thousand_objects_are_sifted_in_a_moment(objects):
    n = 100_000
    every = pd.DataFrame(
        {
            "object": np.arange(1, n + 1),
            "name": np.where(np.arange(n) % 2, "cluster", "hot_pixel"),
            "area": np.arange(n) % 50,
            "energy": np.arange(n, dtype=float),
            "confidence": 0.5,
        }
    )
    objects.param.update(every=every)
    objects.param.update(least_size=25, sort="area")
    assert len(objects.shown) == n // 2
    assert objects.shown["area"].iloc[0] == 49


def test_the_selected_class_and_the_class_of_the_objects_are_the_same(result, stack, objects):
    session = Session()
    session.open(stack)
    session.show(result)
    link_class(session, objects)
    session.select([4])
    assert objects.kind == "cluster"
    objects.kind = "hot_pixel"
    assert session.selected == [3]
    objects.kind = ALL
    assert session.selected == []
    session.select([3, 4])
    assert (objects.kind, session.selected) == (ALL, [3, 4])
    session.select([1])
    assert (objects.kind, session.selected) == (ALL, [1]), "the background has no objects"


def test_an_object_is_found_under_a_click_and_next_to_it(result):
    assert find_object(result, 134.2, 56.1, 0.0) == 5
    assert find_object(result, 192.0, 8.0, 0.0) == 0
    assert find_object(result, 192.0, 8.0, 4.0) == 1
    assert find_object(result, -50.0, 8.0, 4.0) == 0


def test_sections_count_objects_and_say_where_they_lie(objects, stack):
    assert section_grid(stack) == (2, 2)
    clusters = objects.shown[objects.shown["name"] == "cluster"]
    assert count_by_section(clusters, stack) == [[2, 2], [0, 2]]
    assert section_box(stack, 1, 0) == (-0.5, 127.5, 127.5, 255.5)


def test_an_object_is_shown_in_the_middle_and_outlined_a_pixel_wider(objects, stack):
    row = objects.row(1)
    assert surroundings(row, stack) == (160, 224, -27, 37)
    assert outline(row, stack) == [[190.5, 3.5], [193.5, 3.5], [193.5, 6.5], [190.5, 6.5]]
