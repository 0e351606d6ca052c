"""Fit, run, edit and undo, joined."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import pipeline
from engine.errors import InputError


def test_an_edit_and_its_undoing_are_in_the_recipe(images: xr.Dataset) -> None:
    result = engine.run("kmeans", images, n_clusters=3)
    merged = engine.edit(result, "merge", images, author="ada", labels=[1, 2])
    assert [step["name"] for step in pipeline.recipe_of(merged).edits] == ["merge"]
    undone = engine.undo(merged, images)
    assert pipeline.recipe_of(undone).edits == ()
    with pytest.raises(InputError, match="nothing to undo"):
        engine.undo(undone, images)


def test_a_recipe_executes_into_a_store(images: xr.Dataset, tmp_path: Path) -> None:
    np.save(tmp_path / "stack.npy", images["values"].values)
    pipeline.execute(
        pipeline.make_recipe("kmeans", tmp_path / "stack.npy", n_clusters=3), tmp_path / "out.zarr"
    )
    assert engine.load(tmp_path / "out.zarr")["classes"].sizes["label"] == 3


def test_a_model_of_another_analysis_is_refused(images: xr.Dataset) -> None:
    model = engine.fit("kmeans", images, n_clusters=2)
    with pytest.raises(InputError, match="the model is one of 'kmeans', not of 'profile'"):
        engine.run("profile", images, model=model)


def test_a_given_model_is_applied_and_not_fitted_again(images: xr.Dataset) -> None:
    model = engine.fit("kmeans", images, n_clusters=3)
    result = engine.run("kmeans", images, model=model, n_clusters=9)
    assert pipeline.recipe_of(result).unused == ("n_clusters",)
    assert result["classes"].sizes["label"] == 3
