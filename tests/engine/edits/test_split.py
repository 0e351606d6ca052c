"""Split of a class: its parts, their numbers, and the recipe."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import engine
from engine.edits.split import learn_parts, split
from engine.errors import InputError
from engine.pipeline import recipe_of


def counts(result: xr.DataTree) -> dict[int, int]:
    values, numbers = np.unique(np.asarray(result["labels"]), return_counts=True)
    return dict(zip(values.tolist(), numbers.tolist(), strict=True))


def test_splitting_gives_the_largest_part_the_old_number_and_renumbers_nothing(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    parted = engine.edit(result, "split", images, label=1, n_clusters=2)
    assert counts(parted) == {1: 600, 2: 400, 3: 400, 4: 200}
    labels = np.asarray(parted["labels"])
    np.testing.assert_array_equal(labels[20:], np.asarray(result["labels"])[20:])
    assert (labels[:20, 30:] == 4).all()


def test_a_split_is_learned_once_so_that_other_images_are_split_alike(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    parted = engine.edit(result, "split", images, label=1, n_clusters=2)
    other = images.isel(x=slice(20, 40))
    again = engine.run(recipe=parted, images=other)
    np.testing.assert_array_equal(np.asarray(again["labels"]), np.asarray(parted["labels"])[:, 20:])


def test_a_class_of_another_analysis_is_split_by_default_settings(
    images: xr.Dataset, result: xr.DataTree
) -> None:
    recipe = recipe_of(result)
    other = result.copy()
    other.attrs["recipe"] = replace(recipe, analysis="unet", settings={"rules": True}).to_json()
    parts = split(other, images, label=1, n_clusters=2)
    assert counts(parts)[1] == 600


def test_a_class_that_is_not_there_is_refused(images: xr.Dataset, result: xr.DataTree) -> None:
    with pytest.raises(InputError, match="no class 9"):
        learn_parts(result, images, label=9)
