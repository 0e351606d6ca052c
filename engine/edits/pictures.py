"""Edits of classified pictures: a person gives the class, or what people said corrects the model."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.analysis import model_from_dict
from engine.edits.classes import colors_of, names_of
from engine.errors import InputError
from engine.learning import scores
from engine.learning.correction import Correction, learn_correction
from engine.micrographs.result import class_table, judged, threshold
from engine.recipe import Recipe
from engine.schema import CLASSES, IMAGE, IMAGE_TABLE, LABEL, PICTURES, table

RETRAINED: Final = "retrained"
"""Attr of a result that was judged anew: how good the correction is on pictures that it did not see."""


def relabel_images(
    result: xr.DataTree,
    _images: xr.Dataset,
    *,
    images: Sequence[int],
    label: int,
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


def retrain_images(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> xr.DataTree:
    """Learn from the pictures whose class a person gave, and judge the others anew.

    Parameters
    ----------
    correction
        What an earlier retraining learned; with it the same is applied.
    """
    learned = learn(result, images, correction=correction)["correction"]
    pictures = pictures_of(result)
    made = Correction(learned["weights"], learned["centre"], learned["scale"])
    chances = made.applied(pictures["probability"].values.astype(np.float64), _embedding(result))
    model: Any = model_from_dict(Recipe.from_json(result.attrs["recipe"]).model or {})
    found = judged(chances, pictures["unlike"].values, threshold(model))
    reviewed = pictures["reviewed"].values
    kept = {name: pictures[name].values for name in found}
    anew = {
        name: (IMAGE, np.where(reviewed, kept[name], column), pictures[name].attrs)
        for name, column in found.items()
    }
    attrs = pictures["probability"].attrs
    edited = pictures.assign(anew).assign(probability=((IMAGE, LABEL), chances.astype(np.float32), attrs))
    corrected = _with_pictures(result, edited)
    corrected.attrs[RETRAINED] = json.dumps(learned["report"])
    return corrected


def learn(
    result: xr.DataTree,
    images: xr.Dataset,  # noqa: ARG001  (every edit gets them)
    *,
    correction: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments of `retrain` with what it learns from these pictures, for the recipe."""
    if correction is not None:
        return {"correction": dict(correction)}
    pictures, names = pictures_of(result), names_of(result)
    reviewed, truth = pictures["reviewed"].values, pictures["class"].values.astype(int) - 1
    before = pictures["probability"].values.astype(np.float64)
    made, unseen = learn_correction(
        _embedding(result), before, truth, reviewed, np.arange(pictures.sizes[IMAGE])
    )
    counts = {
        "before": scores.confusion(truth[reviewed], before[reviewed].argmax(1), n_classes=len(names)),
        "after": scores.confusion(truth[reviewed], unseen.argmax(1), n_classes=len(names)),
    }
    report = {"n_reviewed": int(reviewed.sum()), "names": list(names.values())}
    report |= {name: matrix.tolist() for name, matrix in counts.items()}
    return {"correction": {**made._asdict(), "report": report}}


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


def _embedding(result: xr.DataTree) -> np.ndarray:
    return np.asarray(table(result, PICTURES)["embedding"].values, np.float64)


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
