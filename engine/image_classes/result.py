"""The result of the analysis `micrographs`: a row a picture, with what speaks for its class."""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray as xr

from engine import palette
from engine.analysis import Model
from engine.image_classes.network_inputs import pixel_sizes
from engine.image_classes.predict import Answers
from engine.learning.calibration import abstain_below, at_temperature
from engine.readers.collection import PIXEL_SIZE
from engine.recipe import SOURCE
from engine.schema import (
    CLASSES,
    CONFIDENCE,
    EXAMPLE,
    IMAGE,
    IMAGE_TABLE,
    KIND,
    KNOWN,
    LABEL,
    PICTURES,
    RANK,
)
from engine.schema import columns as c
from engine.schema.kinds import SORTED_IMAGES

SMALL: Final = ("row", "column")
PARTS: Final = ("part_row", "part_column")


def result_of(model: Model, images: xr.Dataset, found: Answers) -> xr.DataTree:
    """Return the result of pictures that were classified.

    Parameters
    ----------
    model
        The fitted model.
    images : Dataset, dims (image, y, x)
        The images.
    found : Answers
        Predictions of the network.

    Returns
    -------
    DataTree
        `image_table`, rows `image`: `file class confidence second probability novelty unlike abstained
        reviewed truth pixel_size similar`; `classes`; `pictures`: small pictures and evidence; `known`: the
        pictures learned from, which `similar` numbers.
    """
    tables = {
        IMAGE_TABLE: image_table(model, images, found),
        PICTURES: _pictures(found),
        KNOWN: _reference_table(model),
    }
    tables[CLASSES] = class_table(tables[IMAGE_TABLE], model.names)
    tree = xr.DataTree(xr.Dataset(attrs={"long_name": "micrographs", KIND: SORTED_IMAGES.name}))
    for name, table in tables.items():
        tree[name] = xr.DataTree(table)
    tree.attrs["judged"] = json.dumps(model.metadata["metrics"])
    return tree


def image_table(model: Model, images: xr.Dataset, found: Answers) -> xr.Dataset:
    """Return one row a picture.

    Parameters
    ----------
    model
        The fitted model.
    images : Dataset, dims (image, y, x)
        The images.
    found : Answers
        Predictions of the network.
    """
    chances = chances_of(model, found.logits)
    unlike = found.distance > 1
    said = choose_classes(chances, unlike, threshold(model))
    n_images = len(chances)
    columns: dict[str, tuple[Any, str, str]] = {
        "file": (files_of(images, n_images), "1", "file"),
        "class": (said[c.CLASS], "1", "most probable class"),
        "second": (said[c.SECOND], "1", "second most probable class"),
        CONFIDENCE: (said[CONFIDENCE], "1", "best minus second probability"),
        "novelty": (found.distance, "1", "distance from the known pictures, 1: the limit"),
        "unlike": (unlike, "1", "unlike anything seen"),
        "abstained": (said[c.ABSTAINED], "1", "no answer: too unsure, or unlike anything"),
        "reviewed": (np.zeros(n_images, bool), "1", "a person said the class"),
        "truth": (_truth(model, images, n_images), "1", "class that the picture came with, 0: none"),
        PIXEL_SIZE: (pixel_sizes(images), "nm", "edge of a pixel"),
    }
    table = xr.Dataset({name: _column(IMAGE, *parts) for name, parts in columns.items()})
    table[c.PROBABILITY] = (
        (IMAGE, LABEL),
        chances.astype(np.float32),
        {"units": "1", "long_name": "probability"},
    )
    table[c.SIMILAR] = (
        (IMAGE, RANK),
        found.similar.astype(np.int32),
        {"units": "1", "long_name": "most alike"},
    )
    coords = {
        IMAGE: (IMAGE, np.arange(n_images), {"units": "1", "long_name": "picture"}),
        LABEL: (LABEL, np.array(sorted(model.names)), {"units": "1", "long_name": "class"}),
    }
    return table.assign_coords(coords)


def chances_of(model: Model, logits: np.ndarray) -> np.ndarray:
    """Return probabilities `(image, class)` by logits.

    Parameters
    ----------
    model
        The fitted model.
    logits : ndarray (image, class)
        Output of the network.
    """
    return at_temperature(logits, float(model.metadata["temperature"]))


def choose_classes(chances: np.ndarray, unlike: np.ndarray, least: float) -> dict[str, np.ndarray]:
    """Return what probabilities say of each picture: `class second confidence abstained`.

    Parameters
    ----------
    chances : ndarray (image, class)
    unlike : ndarray (image,), bool
        Whether it is unlike anything known.
    least
        Probability of the best class below which there is no answer.
    """
    order = np.argsort(-chances, axis=1, kind="stable")
    best, second = (np.take_along_axis(chances, order[:, [k]], axis=1)[:, 0] for k in (0, 1))
    return {
        "class": (order[:, 0] + 1).astype(np.uint8),
        "second": (order[:, 1] + 1).astype(np.uint8),
        CONFIDENCE: (best - second).astype(np.float32),
        "abstained": unlike | (best < least),
    }


def threshold(model: Model) -> float:
    """Return the probability of the best class below which there is no answer."""
    sure, right = (model.arrays[f"held_out_{name}"] for name in ("probability", "right"))
    least = abstain_below(sure, right, error=float(model.settings["error"])) if sure.size else 0.0
    return 0.0 if least <= sure.min(initial=1.0) else least


def class_table(
    images: xr.Dataset, names: Mapping[int, str], *, colors: Mapping[int, str] | None = None
) -> xr.Dataset:
    """Return one row a class: `name color count fraction`, of the pictures with an answer.

    Parameters
    ----------
    images : Dataset, rows image
        The table of images.
    names : mapping of int to str
        Class names by label.
    colors : mapping of int to str, optional
        Class colours by label, as `#rrggbb`.
    """
    labels = sorted(names)
    given = images[c.CLASS].values[~images[c.ABSTAINED].values]
    count = np.array([(given == label).sum() for label in labels])
    paint = dict(zip(labels, palette.class_colors(len(labels)), strict=True)) | dict(colors or {})
    columns = {
        "name": ([str(names[label]) for label in labels], "1", "class name"),
        "color": ([paint[label] for label in labels], "1", "colour"),
        "count": (count.astype(np.int64), "1", "pictures"),
        "fraction": (count / max(1, count.sum()), "1", "share of the pictures with an answer"),
    }
    coords = {LABEL: (LABEL, np.array(labels), {"units": "1", "long_name": "class"})}
    return xr.Dataset({name: _column(LABEL, *parts) for name, parts in columns.items()}, coords)


def files_of(images: xr.Dataset, n_images: int) -> np.ndarray:
    """File of each picture, relative to the folder that was opened.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    n_images : int
        Number of images.
    """
    if c.FILE in images.coords:
        return np.atleast_1d(images[c.FILE].values).astype(str)
    name = str(images.attrs.get(SOURCE, "")).rsplit("/", 1)[-1]
    return np.array([name] * n_images, dtype=str)


def _truth(model: Model, images: xr.Dataset, n_images: int) -> np.ndarray:
    if LABEL not in images.coords:
        return np.zeros(n_images, np.uint8)
    numbers = {name: label for label, name in model.names.items()}
    told = np.atleast_1d(images[LABEL].values).astype(str)
    return np.array([numbers.get(name, 0) for name in told.tolist()], np.uint8)


def _pictures(found: Answers) -> xr.Dataset:
    evidence = found.evidence.astype(np.float32)
    return xr.Dataset(
        {
            "thumbnail": _column((IMAGE, *SMALL), found.thumbnails, "1", "small picture"),
            "logits": _column((IMAGE, LABEL), found.logits, "1", "what the network itself says"),
            "embedding": _column((IMAGE, "feature"), found.embedding, "1", "mean of each map of features"),
            "evidence": _column((IMAGE, *PARTS), evidence, "1", "what speaks for the class"),
        }
    )


def _reference_table(model: Model) -> xr.Dataset:
    files = np.array(model.metadata["known_files"], dtype=str)
    thumbnails = model.arrays["known_thumbnails"]
    return xr.Dataset(
        {
            "file": _column(EXAMPLE, files, "1", "file"),
            "class": _column(EXAMPLE, model.arrays["known_classes"] + np.uint8(1), "1", "class"),
            "thumbnail": _column((EXAMPLE, *SMALL), thumbnails, "1", "small picture"),
        }
    )


def _column(dims: str | tuple[str, ...], values: Any, units: str, long_name: str) -> xr.Variable:
    return xr.Variable(dims, values, {"units": units, "long_name": long_name})
