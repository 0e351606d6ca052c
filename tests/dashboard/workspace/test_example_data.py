"""The example that a page shows first."""

from pathlib import Path

import pytest

from dashboard.workspace.editing import (
    class_rows,
)
from dashboard.workspace.example_data import open_example
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


def test_the_example_is_segmented_into_the_zones_it_has(example):
    assert len(class_rows(example[1])) == 3
