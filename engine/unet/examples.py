"""Training examples of a U-Net: crops of labelled frames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import dask.array as da
import numpy as np
from scipy import ndimage

from engine import blocks
from engine.unet.augment import turn_crops
from engine.unet.predict_tiles import Background, normalise

REGION: Final = 1024
"""Edge of the regions that are read and held, in pixels."""
HELD: Final = 128
"""Regions from which the crops of a step are drawn: about half a gigabyte of 16-bit frames."""
STAY: Final = 512
"""Steps for which a region is held, so that many crops are laid for one reading."""
POSITIONS: Final = 500
"""Pixels of each rarer class that are remembered of a region."""
RARE: Final = 0.75
"""Share of the crops that are laid round a pixel of a rarer class."""
NEAR: Final = 9
"""Edge of the square in which two classes meet, in pixels."""
NONE: Final = -1
"""Class number of pixels that are not learned from."""


class Region(NamedTuple):
    """A part of a labelled frame with its surroundings."""

    values: np.ndarray
    """Dims (y, x), raw; mirrored beyond the frame's edges."""
    classes: np.ndarray
    """Dims (y, x), int8; `NONE` beyond the frame's edges and where there is no label."""
    positions: list[np.ndarray]
    """Rows and columns `(n, 2)` of some pixels of each class but the most common, and of where these meet."""


class Place(NamedTuple):
    """Position of a region: number of the frame, first row and column."""

    frame: int
    row: int
    column: int


@dataclass(frozen=True)
class LabelledFrames:
    """Labelled frames and their backgrounds.

    Attributes
    ----------
    frames : sequence of dask arrays, dims (y, x)
    labels : sequence of dask arrays, dims (y, x)
    values : sequence of int
        Label value of each class; pixels of other values are not learned from.
    backgrounds : sequence of Background
    halo : int
        Pixels round a pixel on which the network's answer depends.
    """

    frames: Sequence[da.Array]
    labels: Sequence[da.Array]
    values: Sequence[int]
    backgrounds: Sequence[Background]
    halo: int

    @property
    def places(self) -> list[Place]:
        """All regions of all frames."""
        return [
            Place(number, row, column)
            for number, frame in enumerate(self.frames)
            for row in range(0, frame.shape[0], REGION)
            for column in range(0, frame.shape[1], REGION)
        ]

    def of(self, numbers: Sequence[int]) -> "LabelledFrames":
        """Return some of the frames."""
        parts = ([whole[n] for n in numbers] for whole in (self.frames, self.labels, self.backgrounds))
        frames, labels, backgrounds = parts
        return LabelledFrames(frames, labels, self.values, backgrounds, self.halo)

    def region(self, place: Place) -> Region:
        """Read a region; lets the surroundings beyond the frame's edges be its mirror image."""
        frame, around = self.frames[place.frame], self.halo
        spans = [
            (start - around, min(start + REGION, n) + around)
            for start, n in zip(place[1:], frame.shape, strict=True)
        ]
        inside = tuple(slice(max(0, a), min(b, n)) for (a, b), n in zip(spans, frame.shape, strict=True))
        beyond = [(max(0, -a), max(0, b - n)) for (a, b), n in zip(spans, frame.shape, strict=True)]
        values, labels = blocks.compute(frame[inside], self.labels[place.frame][inside], doing="reading")
        classes = np.pad(self._numbered(np.asarray(labels)), beyond, constant_values=NONE)
        return Region(np.pad(values, beyond, mode="symmetric"), classes, _rarer(classes, place))

    def _numbered(self, labels: np.ndarray) -> np.ndarray:
        classes = np.full(labels.shape, NONE, np.int8)
        for number, value in enumerate(self.values):
            classes[labels == value] = number
        return classes


@dataclass(frozen=True, eq=False)
class Crops:
    """Batches of square crops, drawn at random by the number of the step: the same for the same step.

    They come from a few regions at a time, of which one after the other makes room for the next; in the end
    all have had their turn.
    """

    examples: LabelledFrames
    edge: int
    """In pixels."""
    n_crops: int
    """In a batch."""
    seed: int
    _places: list[Place] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        places = self.examples.places
        order = np.random.default_rng(self.seed).permutation(len(places))
        object.__setattr__(self, "_places", [places[n] for n in order])

    def __call__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Return images `(crop, y, x, 1)` as the network sees them, and classes `(crop, y, x)`."""
        rng = np.random.default_rng((self.seed, step))
        crops = [self._crop(self._place(step, rng), rng) for _ in range(self.n_crops)]
        images, classes = (np.stack(planes) for planes in zip(*crops, strict=True))
        return images[..., None], classes.astype(np.int32)

    def _place(self, step: int, rng: np.random.Generator) -> Place:
        """Return one of the places whose turn it is."""
        first = step * HELD // STAY
        return self._places[(first + rng.integers(min(HELD, len(self._places)))) % len(self._places)]

    def _crop(self, place: Place, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        region = _read_region(self, place)
        rows, columns = (n - self.edge + 1 for n in region.values.shape)
        row, column = rng.integers(rows), rng.integers(columns)
        if region.positions and rng.random() < RARE:
            chosen = region.positions[rng.integers(len(region.positions))]
            y, x = chosen[rng.integers(len(chosen))] - rng.integers(self.edge, size=2)
            row, column = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
        here = (slice(row, row + self.edge), slice(column, column + self.edge))
        image = normalise(region.values[here], self.examples.backgrounds[place.frame])
        return turn_crops(image, region.classes[here], rng)


@lru_cache(maxsize=HELD)
def _read_region(crops: Crops, place: Place) -> Region:
    return crops.examples.region(place)


def _rarer(classes: np.ndarray, place: Place) -> list[np.ndarray]:
    """Return some pixels of each class but the commonest, and some where two of these meet (the hardest)."""
    counts = np.bincount(classes[classes >= 0].ravel(), minlength=1)
    rare = [int(n) for n in np.flatnonzero(counts) if n != counts.argmax()]
    planes = [classes == number for number in rare]
    if len(planes) > 1:
        near = sum(ndimage.maximum_filter(plane, NEAR).astype(np.uint8) for plane in planes)
        planes.append(np.isin(classes, rare) & (near > 1))
    rng = np.random.default_rng(place)
    found = []
    for where in (np.flatnonzero(plane) for plane in planes):
        some = rng.choice(where, min(POSITIONS, where.size), replace=False)
        found.append(np.stack(np.unravel_index(some, classes.shape), axis=1))
    return [positions for positions in found if len(positions)]
