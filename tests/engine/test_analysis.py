"""Settings, models as folders and in recipes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import analysis
from engine.cluster import KMeans, KMeansModel
from engine.errors import FileError, InputError


@pytest.fixture
def model() -> KMeansModel:
    arrays = {"centroids": np.arange(6.0).reshape(2, 3), "scale": np.float32(2)}
    return KMeansModel("kmeans", KMeans().settings(), ("a", "b"), arrays, {"features": "raw"})


def test_a_wrong_setting_is_told_with_what_it_takes() -> None:
    with pytest.raises(InputError, match="n_clusters is 0; give a whole number from 1 to 64"):
        KMeans(n_clusters=0)
    with pytest.raises(InputError, match="KMeans has no setting 'clusters'"):
        KMeans(clusters=3)


def test_settings_of_training_are_those_of_their_class_and_the_seed() -> None:
    assert {"n_clusters", "seed"} < KMeans.training_settings()
    assert "smooth" not in KMeans.training_settings()


def test_a_model_survives_a_folder_a_recipe_and_a_group_with_the_same_digest(
    model: KMeansModel, tmp_path: Path
) -> None:
    copies = [
        analysis.load_model(model.save(tmp_path / "model")),
        analysis.model_from_dict(json.loads(json.dumps(model.to_dict()))),
        analysis.model_from_dict(json.loads(json.dumps(model.reference()))),
        analysis.model_from_group(model.to_group()),
    ]
    for copy in copies:
        assert copy.digest() == model.digest()
        assert copy.names == {1: "a", 2: "b"}
        np.testing.assert_array_equal(copy.arrays["centroids"], model.arrays["centroids"])
        assert copy.arrays["scale"].shape == ()


def test_the_digest_is_of_what_was_learned_not_of_settings(model: KMeansModel) -> None:
    assert replace(model, settings={}).digest() == model.digest()
    assert replace(model, class_names=("a", "c")).digest() != model.digest()
    assert replace(model, arrays={**model.arrays, "scale": np.float32(3)}).digest() != model.digest()


def test_a_large_model_is_named_and_found_in_its_folder_or_told_missing(
    model: KMeansModel, tmp_path: Path
) -> None:
    large = replace(model, arrays={"centroids": np.zeros((100, 1000))})
    loaded = analysis.load_model(large.save(tmp_path / "large"))
    reference = json.loads(json.dumps(loaded.reference()))
    assert "arrays" not in reference
    assert analysis.model_from_dict(reference).digest() == large.digest()
    (tmp_path / "large").rename(tmp_path / "moved")
    with pytest.raises(InputError, match="not there any more; give the folder of the model"):
        analysis.model_from_dict(reference)


def test_a_copied_model_is_the_same_and_a_damaged_one_is_told(model: KMeansModel, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    assert analysis.load_model(analysis.copy_model(folder, tmp_path / "copy")).digest() == model.digest()
    (folder / "arrays.npz").write_bytes(b"")
    with pytest.raises(FileError, match="no readable model"):
        analysis.load_model(folder)
