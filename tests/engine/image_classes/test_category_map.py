"""Tests of `engine.image_classes.category_map`."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine.__main__ import main
from engine.errors import InputError
from engine.schema import table
from tests.engine.image_classes.drawn_pictures import EDGE, picture


def test_the_parts_of_a_large_picture_are_classified_each_by_itself(model) -> None:
    rng = np.random.default_rng(5)
    kinds = np.array([["dots", "lines", "squares"], ["lines", "lines", "dots"]])
    large = np.block([[picture(kind, rng) for kind in row] for row in kinds]).astype(np.float32)
    pair = np.stack([large, np.pad(large[:EDGE, :EDGE], ((0, EDGE), (0, 2 * EDGE)), constant_values=np.nan)])
    images = xr.Dataset({"picture": (("image", "y", "x"), pair)})
    parts = table(engine.run("micrographs", images, model=model, map_tile=EDGE, error=1.0), "tiles").load()
    assert dict(parts.sizes) == {"image": 2, "tile_row": 2, "tile_column": 3}
    assert parts["left"].values.tolist() == [[0, EDGE, 2 * EDGE], [0, -1, -1]]
    names = np.array(["", *model.class_names])
    found = names[parts["category"].values]
    told = found[0] != ""
    assert told.mean() >= 0.5
    assert (found[0] == kinds)[told].mean() >= 0.8
    assert (found[1].ravel()[1:] == "").all()
    assert np.isfinite(parts["confidence"].values).sum() == 7
    with pytest.raises(InputError, match=r"parts of 3 pixels are too small .*; give map_tile 32"):
        engine.run("micrographs", images, model=model, map_tile=3)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def labels(path: Path) -> np.ndarray:
    return np.asarray(engine.load(path)["labels"])


def test_parts_of_one_file_are_different_data(tmp_path: Path) -> None:
    steps = np.repeat([0.0, 9.0], [5, 11])[None, None] + np.random.default_rng(0).random((3, 6, 16))
    np.savez(tmp_path / "two.npz", a=steps, b=steps.transpose(0, 2, 1))
    run = ["run", "kmeans", "--n-clusters", "2"]
    for key in "ab":
        out = ["--out", str(tmp_path / f"{key}.zarr")]
        assert main([*run, f"{tmp_path / 'two.npz'}::{key}", *out]) == 0
    np.testing.assert_array_equal(labels(tmp_path / "a.zarr"), labels(tmp_path / "b.zarr").T)
