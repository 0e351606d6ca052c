"""Folders to learn from, and models."""

from pathlib import Path

import pytest

from dashboard.workspace.workspace import Workspace
from engine.simulate.mosaic import Mosaic

FRAMES = Mosaic(size=256, n_frames=1, seed=1)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("root")
    FRAMES.write(root / "mosaic")
    return Workspace([root], tmp_path_factory.mktemp("home"))


def test_labelled_folders_are_found_in_the_roots_and_among_the_simulated(workspace):
    from dashboard.views.train_panel import FRAMES
    from dashboard.workspace import trained_models

    assert trained_models.list_folders(workspace, FRAMES) == {"mosaic: 1 labelled frames": "mosaic"}
    made = trained_models.simulate_examples(workspace, "mosaic", {"size": 32, "n_frames": 2})
    found = trained_models.list_folders(workspace, FRAMES)
    assert found[f"simulated {made.name}: 2 frames"] == str(made)
    assert Path(trained_models.find_folder(workspace, str(made))) == made
    assert trained_models.find_folder(workspace, "mosaic") == str(workspace.roots[0] / "mosaic")


@pytest.mark.parametrize("text", ["", "/etc", "../.."])
def test_frames_elsewhere_are_not_learned_from(workspace, text):
    from dashboard.workspace import trained_models
    from engine.errors import MapstackError

    with pytest.raises(MapstackError):
        trained_models.find_folder(workspace, text)


def test_the_models_are_the_one_that_mapstack_brings_and_those_trained_here(workspace):
    from dashboard.workspace import trained_models

    (own,) = trained_models.list_models(workspace, "unet")
    assert own.is_shipped
    assert set(own.scores) == {"F1 background", "F1 glowing", "F1 hot_pixel", "F1 cluster"}
    assert {"step", "loss", "f1_cluster"} <= set(own.history.columns)
    assert trained_models.read_curves(workspace, "0123456789abcdef").empty
