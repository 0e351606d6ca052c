"""Edits of classified pictures: a person gives the class, or what people said corrects the model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine.analysis import model_from_dict
from engine.edits.classes import colors_of, names_of
from engine.errors import InputError
from engine.image_classes.result import chances_of, class_table, judged, threshold
from engine.learning.correction import Lesson
from engine.recipe import Recipe
from engine.schema import CLASSES, IMAGE, IMAGE_TABLE, LABEL, PICTURES, table


def relabel_images(
    result: xr.DataTree, _images: xr.Dataset, *, images: Sequence[int], label: int
) -> xr.DataTree:
    """Give pictures another class, or confirm that which they have.

    Parameters
    ----------
    images
        Numbers in the image table.
    label
        An existing class.
    """
    names, pictures = names_of(result), pictures_of(result)
    if label not in names:
        known = ", ".join(f"{n} ({name})" for n, name in names.items())
        raise InputError(f"there is no class {label}; the classes are {known}")
    missing = sorted(set(map(int, images)) - set(pictures[IMAGE].values.tolist()))
    if missing:
        raise InputError(f"there is no picture {missing[0]}; the result has {pictures.sizes[IMAGE]}, from 0")
    chosen = np.isin(pictures[IMAGE].values, images)
    return _with_pictures(result, _said(pictures, chosen, label))


def lesson(result: xr.DataTree) -> Lesson:
    """What can be learned from the pictures whose class a person gave."""
    pictures, kept = pictures_of(result), table(result, PICTURES)
    return Lesson(
        numbers=pictures[IMAGE].values,
        features=np.asarray(kept["embedding"].values, np.float64),
        chances=chances_of(_model(result), kept["logits"].values),
        truth=pictures["class"].values.astype(int) - 1,
        reviewed=pictures["reviewed"].values,
        parents=np.arange(pictures.sizes[IMAGE]),
        names=tuple(names_of(result).values()),
    )


def judged_anew(result: xr.DataTree, _images: xr.Dataset, chances: np.ndarray) -> xr.DataTree:
    """The same pictures with other probabilities `(image, class)`; what a person said stays."""
    pictures = pictures_of(result)
    found = judged(chances, pictures["unlike"].values, threshold(_model(result)))
    reviewed = pictures["reviewed"].values
    anew = {
        name: (IMAGE, np.where(reviewed, pictures[name].values, column), pictures[name].attrs)
        for name, column in found.items()
    }
    probability = ((IMAGE, LABEL), chances.astype(np.float32), pictures["probability"].attrs)
    return _with_pictures(result, pictures.assign({**anew, "probability": probability}))


def pictures_of(result: xr.DataTree) -> xr.Dataset:
    """The table of pictures of a result, in memory.

    Raises
    ------
    InputError
        If the result has none.
    """
    if PICTURES not in result.children:
        raise InputError("the result holds no pictures; give a result of 'micrographs'")
    return table(result, IMAGE_TABLE).load()


def _model(result: xr.DataTree) -> Any:
    """The model that classified the pictures."""
    return model_from_dict(Recipe.from_json(result.attrs["recipe"]).model or {})


def _said(pictures: xr.Dataset, chosen: np.ndarray, label: int) -> xr.Dataset:
    columns = {
        "class": np.where(chosen, label, pictures["class"].values).astype(pictures["class"].dtype),
        "reviewed": pictures["reviewed"].values | chosen,
        "abstained": pictures["abstained"].values & ~chosen,
    }
    return pictures.assign({name: (IMAGE, column, pictures[name].attrs) for name, column in columns.items()})


def _with_pictures(result: xr.DataTree, pictures: xr.Dataset) -> xr.DataTree:
    edited = result.copy()
    edited[IMAGE_TABLE] = xr.DataTree(pictures)
    edited[CLASSES] = xr.DataTree(class_table(pictures, names_of(result), colors=colors_of(result)))
    return edited
