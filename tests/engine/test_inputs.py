"""From a path to the inputs of an analysis."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import FileError
from engine.inputs import open_inputs, open_labels
from engine.recipes import choose_analysis
from engine.simulate.hrtem import Hrtem


def test_a_folder_is_a_collection_to_an_analysis_of_collections(tmp_path: Path) -> None:
    folder = Hrtem(size=64, n_frames=2, seed=1).write(tmp_path)
    assert open_inputs(folder, "particles").sizes["image"] == 2


def test_labels_are_found_beside_the_frames_and_not_asked_for_without_need(mosaic: Path) -> None:
    labels = open_labels(choose_analysis("unet", {}), str(mosaic), None)
    assert labels is not None
    assert set(np.unique(labels)) <= {0, 1, 2, 3}
    assert open_labels(choose_analysis("kmeans", {}), str(mosaic), None) is None


def test_missing_labels_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "frame.npy", np.zeros((8, 8)))
    with pytest.raises(FileError, match=r"there are no labels for frame\.npy"):
        open_labels(choose_analysis("unet", {}), str(tmp_path / "frame.npy"), None)
