"""Labelled pictures in memory as squares, which of them judge, and batches of them with variations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.errors import InputError
from engine.image_classes.network_inputs import InputSquare, inputs, pixel_sizes, squares
from engine.learning import leaks
from engine.learning.splits import by_parent
from engine.schema import IMAGE, class_names
from engine.schema import columns as c

LEARN, VALIDATE, JUDGE = range(3)
"""Parts of a split: to learn from, to choose by, to judge by once."""
AT_ONCE: Final = 64
"""Pictures that are read together."""
LEAST_ZOOM: Final = 0.65
"""Smallest part of a square's edge that a variation shows."""
NOISE: Final = 0.25
"""Largest standard deviation of the noise of a variation, in units of the picture's."""


@dataclass(frozen=True)
class TrainingImages:
    """Pictures with their classes, all arrays `(image, ...)`."""

    squares: np.ndarray
    classes: np.ndarray
    parents: np.ndarray
    """Number of the original that a picture is of."""
    fields: np.ndarray
    """Edge of what a square shows, in nm; NaN where it is not known."""
    origins: np.ndarray
    """Where a picture is from: its source where sources are told, else its original."""
    files: tuple[str, ...]
    names: tuple[str, ...]
    """Of the classes."""

    def of(self, chosen: np.ndarray) -> "TrainingImages":
        """Return some of the pictures."""
        files = tuple(self.files[n] for n in np.arange(len(self.files))[chosen])
        return replace(
            self,
            squares=self.squares[chosen],
            classes=self.classes[chosen],
            parents=self.parents[chosen],
            fields=self.fields[chosen],
            origins=self.origins[chosen],
            files=files,
        )


def examples(images: xr.Dataset, labels: xr.DataArray | None, *, edge: int, databar: bool) -> TrainingImages:
    """Read labelled pictures; those without a label are left out.

    Parameters
    ----------
    images : Dataset, dims (image, y, x)
        With a coordinate `label` unless labels are given; `parent` and `file` where they are known.
    labels : DataArray, dims (image,)
        Class numbers from 1, 0 for none, with `flag_meanings`; a coordinate `file` says of which picture.

    Raises
    ------
    InputError
        If there are no labels, or fewer than two classes.
    """
    named = _names(images, labels)
    kept = np.flatnonzero(named != "")
    names = tuple(sorted(set(named[kept].tolist())))
    if len(names) < 2:
        raise InputError(
            f"the pictures are of {len(names)} classes ({', '.join(names) or 'none has a label'}); give two"
            " or more: a folder per class, or a labels.csv with the columns file and label"
        )
    tasks = squares(images, edge=edge, databar=databar)
    seen: list[InputSquare] = []
    for start in range(0, kept.size, AT_ONCE):
        lot = kept[start : start + AT_ONCE]
        with progress.stage(start / kept.size, min(1.0, (start + AT_ONCE) / kept.size)):
            found = blocks.compute(*(tasks[n] for n in lot), doing="reading pictures")
        seen.extend(found)
    files, parents, origins = (_column(images, name)[kept] for name in ("file", "parent", "origin"))
    numbers = np.unique(parents, return_inverse=True)[1]
    classes = np.searchsorted(names, named[kept])
    origins = np.where(origins == "", parents, origins)
    fields = pixel_sizes(images)[kept] * [one.n_pixels for one in seen]
    grey = np.stack([one.grey for one in seen])
    return TrainingImages(grey, classes, numbers, fields, origins, tuple(files.tolist()), names)


def without_copies(pictures: TrainingImages, *, seed: int) -> tuple[TrainingImages, int]:
    """Return the same pictures, those that are copies of each other with one parent.

    And how many have a copy.

    So no copy of a picture that is learned from is held out to judge.

    Parameters
    ----------
    pictures : Examples
        The training images.
    seed : int
        Seed of every random choice.
    """
    if np.unique(pictures.parents).size < 2:
        return pictures, 0
    copies = leaks.duplicates(pictures.squares, pictures.parents, seed=seed)
    parents = pictures.parents.copy()
    for first, second in zip(copies.first, copies.second, strict=True):
        parents[parents == parents[second]] = parents[first]
    numbers = np.unique(parents, return_inverse=True)[1]
    n_copied = int(np.union1d(copies.first, copies.second).size)
    return replace(pictures, parents=numbers), n_copied


def split(pictures: TrainingImages, *, shares: Sequence[float], seed: int) -> np.ndarray:
    """Part of each picture, all of a parent in the same one.

    Parameters
    ----------
    pictures : Examples
        The training images.
    shares : sequence of float
        Shares of the parts; they sum to 1.
    seed : int
        Seed of every random choice.
    """
    return by_parent(pictures.parents, shares=shares, seed=seed, classes=pictures.classes)


class Batches:
    """Batches of standardised squares and their classes, a new variation of each picture every time."""

    def __init__(
        self, pictures: TrainingImages, *, n_together: int, seed: int, weights: np.ndarray, n_channels: int
    ) -> None:
        self.pictures = pictures
        self.n_channels = n_channels
        self.n_together = min(n_together, len(pictures.classes))
        self.seed = seed
        self.weights = weights
        """Weight of each class."""

    def __call__(self, step: int) -> tuple[np.ndarray, ...]:
        """Return pictures `(image, y, x, channel)`, classes one-hot `(image, class)`, weights `(image,)`."""
        n_pictures = len(self.pictures.classes)
        start = step * self.n_together
        places = np.arange(start, start + self.n_together)
        turns, within = np.divmod(places, n_pictures)
        chosen = [
            np.random.default_rng((self.seed, 1, int(turn))).permutation(n_pictures)[n]
            for turn, n in zip(turns, within, strict=True)
        ]
        rng = np.random.default_rng((self.seed, 2, step))
        varied, shares = zip(*(variation(self.pictures.squares[n], rng) for n in chosen), strict=True)
        fields = self.pictures.fields[chosen] * shares
        batch = inputs(np.stack(varied), fields, n_channels=self.n_channels)
        noise = rng.uniform(0, NOISE, (len(chosen), 1, 1, 1))
        grey = batch[..., :1]
        grey += (noise * rng.standard_normal(grey.shape)).astype(np.float32)
        classes = self.pictures.classes[chosen]
        return batch, np.eye(len(self.pictures.names), dtype=np.float32)[classes], self.weights[classes]


def variation(grey: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return a part of a square scaled to its size, turned or mirrored, with another contrast.

    Parameters
    ----------
    grey : ndarray (y, x), uint8
        One square.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ndarray (y, x), float32
    share : float
        Of the square's edge that it shows.
    """
    from PIL import Image

    edge = len(grey)
    side = edge * rng.uniform(LEAST_ZOOM, 1)
    left, top = rng.uniform(0, edge - side, 2)
    box = (left, top, left + side, top + side)
    part = Image.fromarray(grey).resize((edge, edge), Image.Resampling.BILINEAR, box=box)
    values = (np.asarray(part, np.float32) / 255) ** np.exp(rng.uniform(-0.4, 0.4))
    turned = np.rot90(np.asarray(values, np.float32), int(rng.integers(4)))
    return (turned[:, ::-1] if rng.random() < 0.5 else turned), side / edge


def _names(images: xr.Dataset, labels: xr.DataArray | None) -> np.ndarray:
    if labels is None:
        return _column(images, "label")
    called = {0: "", **class_names(labels)}
    told = [called.get(int(value), f"class {value}") for value in labels.values]
    if c.FILE in labels.coords and c.FILE in images.coords:
        by_file = dict(zip(labels[c.FILE].values.tolist(), told, strict=True))
        told = [by_file.get(file, "") for file in _column(images, "file").tolist()]
    return np.array(told, dtype=str)


def _column(images: xr.Dataset, name: str) -> np.ndarray:
    """Return a column of the list of pictures.

    Without one, a number for files and originals, "" for the others.
    """
    if name in images.coords:
        return np.atleast_1d(images[name].values).astype(str)
    numbers = range(images.sizes.get(IMAGE, 1))
    return np.array([f"{n}" if name in ("file", "parent") else "" for n in numbers], dtype=str)
