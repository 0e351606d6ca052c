"""Predictions of a model for images, some at a time, in parallel, kept as they finish."""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zipfile import BadZipFile

import dask
import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.analysis import DIGEST
from engine.errors import InputError
from engine.image_classes import novelty
from engine.image_classes.network_inputs import InputSquare, inputs, pixel_sizes, squares
from engine.image_classes.networks import add_outputs, head_weights
from engine.learning.networks import load_network

if TYPE_CHECKING:
    import keras

    from engine.analysis import Model

TOGETHER: Final = 32
"""Pictures that the network sees together."""
LOTS: Final = 4
"""Times so many are handed out together: progress is told and what is done is kept after each."""
THUMBNAIL: Final = 64
"""Rows and columns of the small pictures that are kept."""
SHOWN: Final = 16
"""Rows and columns of the maps of evidence."""
_tapping: Final = threading.Lock()


class Answers(NamedTuple):
    """Predictions for images, all arrays `(image, ...)`.

    Attributes
    ----------
    logits : ndarray (image, class)
    similar : ndarray (image, rank), int
        Numbers of the known pictures that are most alike, the nearest first.
    distance : ndarray (image,)
        From all known pictures, in units of the distance from which a picture is unlike all.
    evidence : ndarray (image, y, x)
        Share of each part of the square in the best class's logit: positive speaks for it.
    embedding : ndarray (image, feature)
        Means of the last maps.
    thumbnails : ndarray (image, y, x), uint8
    """

    logits: np.ndarray
    similar: np.ndarray
    distance: np.ndarray
    evidence: np.ndarray
    embedding: np.ndarray
    thumbnails: np.ndarray


class NetworkOutput(NamedTuple):
    """Output of a network for some squares: logits, features, evidence."""

    logits: np.ndarray
    features: np.ndarray
    evidence: np.ndarray
    embedding: np.ndarray
    thumbnails: np.ndarray


def answers(model: "Model", images: xr.Dataset) -> Answers:
    """Classify the pictures, a few lots at a time under whatever scheduler is active.

    Parameters
    ----------
    model
        Of the analysis `micrographs`.
    images : Dataset, dims ([image,] y, x)
    """
    known = reference_images_of(model)
    sizes = pixel_sizes(images)
    tasks = squares(images, edge=model.settings["edge"], databar=model.settings["databar"])
    lots = [tasks[start : start + TOGETHER] for start in range(0, len(tasks), TOGETHER)]
    found = {n: one for n in range(len(lots)) if (one := _load_predictions(n)) is not None}
    waiting = [n for n in range(len(lots)) if n not in found]
    look = dask.delayed(_predict_batch, pure=False, traverse=True)
    where = str(model.network), str(model.metadata[DIGEST])
    for start in range(0, len(waiting), LOTS):
        now = waiting[start : start + LOTS]
        with progress.stage(*((len(found) + n) / len(lots) for n in (0, len(now)))):
            asked = (look(lots[n], sizes[n * TOGETHER :][: len(lots[n])], *where) for n in now)
            seen = blocks.compute(*asked, doing="looking at pictures")
        for n, one in zip(now, seen, strict=True):
            found[n] = _compare_with_references(one, known)
            _store_predictions(n, found[n])
    return Answers(
        *(np.concatenate(column) for column in zip(*(found[n] for n in sorted(found)), strict=True))
    )


def reference_images_of(model: "Model") -> novelty.Known:
    """Return what the model keeps of the pictures it learned from.

    Raises
    ------
    InputError
        If it is of a version that kept something else.
    """
    try:
        return novelty.Known(*(model.arrays[f"known_{name}"] for name in novelty.Known._fields))
    except KeyError:
        raise InputError(
            "the model is of an earlier Mapstack, which told the unknown otherwise; fit it again"
        ) from None


def apply_network(network: "keras.Model", grey: np.ndarray, fields: np.ndarray) -> NetworkOutput:
    """Return what a network gives of squares `(image, y, x)` uint8 that show fields `(image,)` in nm.

    Parameters
    ----------
    network
        The network.
    grey : ndarray (image, y, x), uint8
        Squares of grey levels.
    fields : ndarray (image,)
        Width in nm that each square shows.
    """
    given = inputs(grey, fields, n_channels=network.input_shape[-1])
    logits, features, maps = predict_squares(_add_outputs(network), given)
    weights = head_weights(network)
    if weights is None:
        evidence = np.full((len(grey), SHOWN, SHOWN), np.nan, np.float32)
    else:
        parts = np.einsum("nyxm,mn->nyx", maps, weights[:, logits.argmax(axis=1)])
        evidence = resize_square(parts / maps[0, ..., 0].size, SHOWN)
    embedding = maps.mean(axis=(1, 2))
    return NetworkOutput(
        logits, features, evidence, embedding, resize_square(grey, THUMBNAIL).astype(np.uint8)
    )


def predict_squares(network: "keras.Model", given: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a network for inputs `(image, ...)`, float32.

    Batches of one picture or of `TOGETHER` alone: for each other size the network would be compiled anew.

    Parameters
    ----------
    network
        The network.
    given : ndarray (image, ...)
        Inputs of the network.
    """
    n = len(given)
    if 1 < n < TOGETHER:
        given = np.pad(given, ((0, TOGETHER - n), *((0, 0),) * (given.ndim - 1)))
    found = network.predict_on_batch(given)
    parts = found if isinstance(found, list) else [found]
    return [np.asarray(part, np.float32)[:n] for part in parts]


def resize_square(planes: np.ndarray, edge: int) -> np.ndarray:
    """Return planes `(image, y, x)` scaled to `edge` rows and columns, float32.

    Parameters
    ----------
    planes : ndarray (plane, y, x)
        Planes of values.
    edge : int
        Rows and columns of the result in pixels.
    """
    from PIL import Image

    scaled = [
        Image.fromarray(np.asarray(plane, np.float32)).resize((edge, edge), Image.Resampling.BILINEAR)
        for plane in planes
    ]
    return np.stack([np.asarray(one) for one in scaled])


def _predict_batch(views: list[InputSquare], sizes: np.ndarray, path: str, digest: str) -> NetworkOutput:
    grey, n_pixels = (np.stack(column) for column in zip(*views, strict=True))
    return apply_network(load_network(path, digest), grey, sizes * n_pixels)


def _add_outputs(network: "keras.Model") -> "keras.Model":
    with _tapping:  # threads that begin together would each compile it
        return _compile_network(network)


@lru_cache(maxsize=4)
def _compile_network(network: "keras.Model") -> "keras.Model":
    made = add_outputs(network)
    made.make_predict_function()
    return made


def _compare_with_references(seen: NetworkOutput, known: novelty.Known) -> Answers:
    similar, distance = novelty.compare(known, seen.features)
    return Answers(seen.logits, similar, distance, seen.evidence, seen.embedding, seen.thumbnails)


# ------------------------------------------------------------ what a job keeps
def _store_predictions(n: int, one: Answers) -> None:
    file = _file(n)
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft.npz")
    np.savez(draft, **one._asdict())
    draft.rename(file)


def _load_predictions(n: int) -> Answers | None:
    file = _file(n)
    if file is None or not file.is_file():
        return None
    try:
        with np.load(file) as stored:
            parts: dict[str, Any] = {name: stored[name] for name in Answers._fields}
    except (OSError, KeyError, ValueError, BadZipFile):  # damaged: looked at anew
        return None
    return Answers(**parts)


def _file(n: int) -> Path | None:
    folder = progress.checkpoint_folder()
    return None if folder is None else folder / f"pictures_{n:06d}.npz"
