"""Edits of class maps: what they do to labels, names, tables and the recipe."""

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import InputError
from engine.pipeline import recipe_of


def counts(result: xr.DataTree) -> dict[int, int]:
    values, numbers = np.unique(np.asarray(result["labels"]), return_counts=True)
    return dict(zip(values.tolist(), numbers.tolist(), strict=True))


def test_merging_keeps_the_lowest_number_and_the_tables_follow(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    merged = engine.edit(result, "merge", images, labels=[3, 2])
    assert counts(result) == {1: 800, 2: 400, 3: 400}
    assert counts(merged) == {1: 800, 2: 800}
    classes = merged["classes"].to_dataset().compute()
    assert classes["label"].values.tolist() == [1, 2]
    assert classes["count"].values.tolist() == [800, 800]
    assert np.atleast_1d(merged["labels"].attrs["flag_values"]).tolist() == [1, 2]
    whole = images["intensity"].values[:, np.asarray(merged["labels"]) == 2]
    np.testing.assert_allclose(
        merged["spectra"]["intensity_mean"].sel(label=2), whole.mean(axis=1), rtol=1e-5
    )


def test_relabelling_a_polygon_touches_labelled_pixels_inside_it_only(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    box = [[-0.5, -0.5], [9.5, -0.5], [9.5, 4.5], [-0.5, 4.5]]
    edited = engine.edit(result, "relabel", images, polygon=box, label=3)
    expected = np.asarray(result["labels"]).copy()
    expected[:5, :10] = 3
    np.testing.assert_array_equal(np.asarray(edited["labels"]), expected)


def test_cleaning_gives_specks_the_class_around_them(images: xr.Dataset) -> None:
    speckled = images.copy(deep=True)
    speckled["intensity"][:, 5, 5] = 30
    result = engine.run("kmeans", speckled, n_clusters=3, features="raw")
    before = np.asarray(result["labels"])
    after = np.asarray(engine.edit(result, "clean", speckled, min_area=3)["labels"])
    assert before[5, 5] != before[5, 6]
    assert after[5, 5] == after[5, 6]
    assert (before != after).sum() == 1


def test_undoing_gives_the_labels_and_the_recipe_from_before(result: xr.DataTree, images: xr.Dataset) -> None:
    merged = engine.edit(result, "merge", images, author="ada", labels=[2, 3])
    back = engine.undo(engine.edit(merged, "rename", images, label=1, name="all"), images)
    assert recipe_of(back).edits == recipe_of(merged).edits
    assert recipe_of(merged).edits[0]["author"] == "ada"
    np.testing.assert_array_equal(np.asarray(back["labels"]), np.asarray(merged["labels"]))


@pytest.mark.parametrize(
    ("name", "arguments", "what"),
    [
        ("merge", {"labels": [1]}, "give two or more"),
        ("merge", {"labels": [1, 9]}, "no class 9"),
        ("rename", {"label": 9, "name": "x"}, "no class 9"),
        ("rename", {"label": 1, "name": " "}, "empty name"),
        ("recolour", {"label": 1, "color": "red"}, "give it as #rrggbb"),
        ("relabel", {"polygon": [[0, 0], [1, 0], [1, 1]], "label": 9}, "no class 9"),
        ("clean", {"min_area": 0}, "1 or more"),
        ("split", {"label": 9}, "no class 9"),
        ("split", {"labels": 1}, "edit 'split'"),
    ],
)
def test_an_impossible_edit_is_refused_with_one_sentence(
    result: xr.DataTree, images: xr.Dataset, name: str, arguments: dict[str, object], what: str
) -> None:
    with pytest.raises(InputError, match=what):
        engine.edit(result, name, images, **arguments)
