"""Folders of labelled pictures."""

import pytest

from dashboard.pages.image_classes import state as state
from dashboard.views.train_panel import PICTURES
from dashboard.workspace import trained_models
from dashboard.workspace.workspace import Workspace
from engine.simulate.sem import Sem


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "served").mkdir()
    (tmp_path / "home").mkdir()
    Sem(n_images=4, size=64, images_per_parent=1, databar=False).write(tmp_path / "served" / "sem")
    return Workspace([tmp_path / "served"], tmp_path / "home")


def test_folders_of_labelled_pictures_are_found_by_csv_and_by_folders(workspace):
    root = workspace.roots[0]
    for name in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (root / "split" / name).mkdir(parents=True)
        (root / "split" / name / "a.png").touch()
    (root / "flat").mkdir()
    (root / "flat" / "a.png").touch()
    assert trained_models.list_folders(workspace, PICTURES) == {
        "sem: 4 labelled pictures": "sem",
        "split: 4 labelled pictures": "split",
    }
