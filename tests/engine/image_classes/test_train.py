"""Tests of `engine.image_classes.train`."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import FileError
from engine.schema import IMAGE_TABLE, table
from tests.engine.image_classes.drawn_pictures import QUICK


def test_keras_networks_learn_from_a_file_of_weights_and_never_download(
    images: xr.Dataset, tmp_path: Path
) -> None:
    asked = {**QUICK, "n_steps": 6, "network": "mobilenetv3small"}
    with pytest.raises(FileError, match=r"the weights of mobilenetv3small are not in .*missing\.h5; give"):
        engine.fit("micrographs", images, weights=str(tmp_path / "missing.h5"), **asked)
    import keras

    file = tmp_path / "own.weights.h5"
    body = keras.applications.MobileNetV3Small(input_shape=(32, 32, 3), include_top=False, weights=None)
    body.save_weights(file)
    few = images.isel(image=slice(None, None, 3))
    model = engine.fit("micrographs", few, weights=str(file), **asked)
    rows = table(engine.run("micrographs", few, model=model), IMAGE_TABLE)
    np.testing.assert_allclose(rows["probability"].sum(axis=1), 1, atol=1e-5)
