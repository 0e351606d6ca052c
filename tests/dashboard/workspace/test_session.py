"""What a tab shows and selects."""

from pathlib import Path

import pytest

from dashboard.workspace.example_data import open_example
from dashboard.workspace.session import Session, read_position
from dashboard.workspace.workspace import Workspace
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
