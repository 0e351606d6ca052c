"""Tests of `engine.cluster.model`: model of a clustering: centroids and the feature space they are in."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from engine import analysis
from engine.analysis import load_model
from engine.cluster import KMeans, KMeansModel
from engine.errors import FileError


@pytest.fixture
def model() -> KMeansModel:
    arrays = {"centroids": np.arange(6.0).reshape(2, 3), "scale": np.float32(2)}
    return KMeansModel("kmeans", KMeans().settings(), ("a", "b"), arrays, {"features": "raw"})


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


def test_a_copied_model_is_the_same_and_a_damaged_one_is_told(model: KMeansModel, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    assert analysis.load_model(analysis.copy_model(folder, tmp_path / "copy")).digest() == model.digest()
    (folder / "arrays.npz").write_bytes(b"")
    with pytest.raises(FileError, match="no readable model"):
        analysis.load_model(folder)


N_Y, N_X, N_CHANNELS = 60, 70, 7


def stack(seed: int = 0, holes: float = 0.0) -> tuple[xr.Dataset, np.ndarray]:
    """Three zones of 50, 30 and 20 % of the columns with far-apart spectra, noise and holes."""
    rng = np.random.default_rng(seed)
    truth = np.digitize(np.arange(N_X), [0.5 * N_X, 0.8 * N_X])[None, :].repeat(N_Y, axis=0)
    spectra = np.array([[5.0], [20.0], [40.0]]) + rng.normal(0, 3, (3, N_CHANNELS))
    values = spectra[truth].transpose(2, 0, 1) + rng.normal(0, 1, (N_CHANNELS, N_Y, N_X))
    values[rng.random(values.shape) < holes] = np.nan
    data = xr.DataArray(values.astype(np.float32), dims=("channel", "y", "x"), attrs={"units": "1"})
    return xr.Dataset({"counts": data}), truth


def test_a_saved_model_labels_other_images_with_the_same_numbers(tmp_path: object) -> None:
    images, truth = stack()
    KMeans(n_clusters=3).fit(images).save(str(tmp_path))
    model = load_model(str(tmp_path))
    mirrored = images.isel(x=slice(None, None, -1))
    np.testing.assert_array_equal(model.predict(mirrored)["labels"], truth[:, ::-1] + 1)
    assert model.class_names == ("cluster 1", "cluster 2", "cluster 3")
