"""Tests of `engine.image_classes.predict`."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import progress
from engine.image_classes import predict
from engine.schema import IMAGE_TABLE, table


def test_what_a_job_has_finished_is_not_looked_at_again(
    images: xr.Dataset, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    real = predict._predict_batch

    def counted(views, *rest):
        looked.append(len(views))
        return real(views, *rest)

    monkeypatch.setattr(predict, "_predict_batch", counted)
    with progress.keeping(tmp_path, lambda _: None):
        first = engine.run("micrographs", images, model=model)
        n_first = sum(looked)
        (tmp_path / "pictures_000001.npz").write_bytes(b"damaged")
        again = engine.run("micrographs", images, model=model)
    assert n_first == images.sizes["image"]
    assert sum(looked) - n_first == predict.TOGETHER
    np.testing.assert_array_equal(table(first, IMAGE_TABLE)["class"], table(again, IMAGE_TABLE)["class"])
