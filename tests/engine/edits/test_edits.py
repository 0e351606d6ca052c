"""Edits of results: what they do to labels, names, tables and the recipe."""

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import InputError
from engine.pipeline import recipe_of


@pytest.fixture(scope="module")
def images() -> xr.Dataset:
    """Four zones of 20 x 20 pixels with clear steps between them; the first is two levels."""
    rng = np.random.default_rng(0)
    levels = np.kron([[0, 0], [10, 30]], np.ones((20, 20)))
    levels[:20, 30:] = 2
    values = levels + rng.normal(0, 0.01, (3, 40, 40))
    return xr.Dataset({"intensity": (("channel", "y", "x"), values.astype("f4"), {"units": "1"})})


@pytest.fixture(scope="module")
def result(images: xr.Dataset) -> xr.DataTree:
    return engine.run("kmeans", images, n_clusters=3, features="raw", seed=0)


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


def test_splitting_gives_the_largest_part_the_old_number_and_renumbers_nothing(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    split = engine.edit(result, "split", images, label=1, n_clusters=2)
    assert counts(split) == {1: 600, 2: 400, 3: 400, 4: 200}
    labels = np.asarray(split["labels"])
    np.testing.assert_array_equal(labels[20:], np.asarray(result["labels"])[20:])
    assert (labels[:20, 30:] == 4).all()


def test_a_split_is_learned_once_so_that_other_images_are_split_alike(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    split = engine.edit(result, "split", images, label=1, n_clusters=2)
    other = images.isel(x=slice(20, 40))
    again = engine.run(recipe=split, images=other)
    np.testing.assert_array_equal(np.asarray(again["labels"]), np.asarray(split["labels"])[:, 20:])


def test_renaming_and_recolouring_change_words_and_colours_only(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    renamed = engine.edit(result, "rename", images, label=2, name="thin film")
    coloured = engine.edit(renamed, "recolour", images, label=2, color="#123456")
    assert coloured["classes"]["name"].sel(label=2).item() == "thin film"
    assert coloured["classes"]["color"].sel(label=2).item() == "#123456"
    assert coloured["labels"].attrs["flag_meanings"].split()[1] == "thin_film"
    np.testing.assert_array_equal(np.asarray(coloured["labels"]), np.asarray(result["labels"]))
    assert result["classes"]["name"].sel(label=2).item() == "cluster 2"


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
