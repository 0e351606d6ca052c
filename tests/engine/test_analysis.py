"""Settings, models as folders and in recipes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import analysis
from engine.cluster import KMeans, KMeansModel
from engine.errors import InputError


@pytest.fixture
def model() -> KMeansModel:
    arrays = {"centroids": np.arange(6.0).reshape(2, 3), "scale": np.float32(2)}
    return KMeansModel("kmeans", KMeans().settings(), ("a", "b"), arrays, {"features": "raw"})


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
