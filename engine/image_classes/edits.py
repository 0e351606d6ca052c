"""Edits of sorted images: a person gives the class, or a correction is learned from the classes given."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine.analysis import model_of
from engine.errors import InputError
from engine.image_classes.result import chances_of, choose_classes, class_table, threshold
from engine.learning import review
from engine.learning.correction import ReviewedExamples
from engine.schema import CLASSES, IMAGE, IMAGE_TABLE, LABEL, PICTURES, table
from engine.schema import columns as c
from engine.schema.accessors import colors_of, names_of
from engine.schema.kinds import SORTED_IMAGES, check_kind


def relabel_images(
    result: xr.DataTree, _images: xr.Dataset, *, images: Sequence[int], label: int
) -> xr.DataTree:
    """Give images another class, or confirm that which they have.

    Parameters
    ----------
    result
        Sorted images.
    _images
        Not needed; every edit gets the images.
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
    return _replace_images(result, _give_class(pictures, chosen, label))


def retrain(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> xr.DataTree:
    """Learn from the images whose class a person gave, and classify the others again.

    Parameters
    ----------
    result
        Sorted images.
    images : Dataset, dims (image, y, x)
        The images.
    correction
        From `learn_correction`; None: it is learned now.

    Raises
    ------
    InputError
        If too little was reviewed to learn from.
    """
    return review.retrain(result, images, correction, collect=collect_reviewed, reclassify=reclassify)


def learn_correction(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of `retrain` with what it learns, for the recipe.

    Parameters
    ----------
    result
        Sorted images.
    images
        Not needed; every edit gets them.
    correction
        What was learned earlier; it is kept.

    Raises
    ------
    InputError
        If too little was reviewed to learn from.
    """
    del images
    return {"correction": dict(correction or review.learn(collect_reviewed(result)))}


def collect_reviewed(result: xr.DataTree) -> ReviewedExamples:
    """Return all images as examples, those that a person reviewed marked."""
    pictures, kept = pictures_of(result), table(result, PICTURES)
    model: Any = model_of(result)
    return ReviewedExamples(
        numbers=pictures[IMAGE].values,
        features=np.asarray(kept[c.EMBEDDING].values, np.float64),
        chances=chances_of(model, kept[c.LOGITS].values),
        truth=pictures[c.CLASS].values.astype(int) - 1,
        reviewed=pictures[c.REVIEWED].values,
        parents=np.arange(pictures.sizes[IMAGE]),
        names=tuple(names_of(result).values()),
    )


def reclassify(result: xr.DataTree, _images: xr.Dataset, chances: np.ndarray) -> xr.DataTree:
    """Return sorted images with other probabilities; the classes that a person gave stay.

    Parameters
    ----------
    result
        Sorted images.
    _images
        Not needed.
    chances : ndarray (image, class)
        Probabilities.
    """
    pictures = pictures_of(result)
    model: Any = model_of(result)
    found = choose_classes(chances, pictures[c.UNLIKE].values, threshold(model))
    reviewed = pictures[c.REVIEWED].values
    anew = {
        name: (IMAGE, np.where(reviewed, pictures[name].values, column), pictures[name].attrs)
        for name, column in found.items()
    }
    probability = ((IMAGE, LABEL), chances.astype(np.float32), pictures[c.PROBABILITY].attrs)
    return _replace_images(result, pictures.assign({**anew, c.PROBABILITY: probability}))


def pictures_of(result: xr.DataTree) -> xr.Dataset:
    """Return the table of images of a result, in memory.

    Raises
    ------
    InputError
        If the result is of another kind.
    """
    check_kind(result, SORTED_IMAGES, what="an edit of images")
    return table(result, IMAGE_TABLE).load()


def _give_class(pictures: xr.Dataset, chosen: np.ndarray, label: int) -> xr.Dataset:
    columns = {
        c.CLASS: np.where(chosen, label, pictures[c.CLASS].values).astype(pictures[c.CLASS].dtype),
        c.REVIEWED: pictures[c.REVIEWED].values | chosen,
        c.ABSTAINED: pictures[c.ABSTAINED].values & ~chosen,
    }
    return pictures.assign({name: (IMAGE, column, pictures[name].attrs) for name, column in columns.items()})


def _replace_images(result: xr.DataTree, pictures: xr.Dataset) -> xr.DataTree:
    edited = result.copy()
    edited[IMAGE_TABLE] = xr.DataTree(pictures)
    edited[CLASSES] = xr.DataTree(class_table(pictures, names_of(result), colors=colors_of(result)))
    return edited
