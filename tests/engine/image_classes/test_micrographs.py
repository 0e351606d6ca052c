"""Pictures are classified with confidence, evidence and similar ones, and the unknown is told as such."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image

import engine
from engine.errors import InputError
from engine.schema import IMAGE_TABLE, table
from tests.engine.image_classes.drawn_pictures import QUICK, picture


def test_a_smaller_allowed_error_leaves_more_pictures_without_an_answer(images: xr.Dataset, model) -> None:
    none, all_ = (
        table(engine.run("micrographs", images, model=model, error=error), IMAGE_TABLE)
        for error in (0.0, 1.0)
    )
    assert none["abstained"].values.sum() >= all_["abstained"].values.sum()
    np.testing.assert_array_equal(all_["abstained"], all_["unlike"])


def test_a_single_picture_gets_the_same_answer(folder: Path, result: xr.DataTree, model) -> None:
    alone = table(
        engine.run("micrographs", engine.open(folder / "lines/picture_000.png"), model=model), IMAGE_TABLE
    )
    rows = table(result, IMAGE_TABLE).load()
    row = rows.isel(image=int(np.flatnonzero(rows["file"].values == "lines/picture_000.png")[0]))
    assert int(alone["class"][0]) == int(row["class"])
    np.testing.assert_allclose(alone["probability"][0], row["probability"], atol=1e-4)


def test_every_source_is_left_out_in_turn(images: xr.Dataset) -> None:
    model = engine.fit("micrographs", images, judged_by="origins", **{**QUICK, "n_steps": 12})
    assert model.metadata["n_pictures"][2] == images.sizes["image"]
    assert "every origin in turn" in model.metadata["judged_on"]
    assert model.metadata["unscored"] == []


def test_one_class_or_no_labels_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "dots").mkdir()
    for n in range(3):
        Image.fromarray(picture("dots", rng)).save(tmp_path / "dots" / f"{n}.png")
    with pytest.raises(InputError, match=r"are of 1 classes \(dots\); give two or more: a folder"):
        engine.fit("micrographs", engine.open(tmp_path), **QUICK)
