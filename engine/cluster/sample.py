"""A spread sample of an image stack: whole row bands at positions that depend on the shape alone.

The sample never depends on how the stack is chunked, so nothing that is learned from it does.
Whole rows are read because single random pixels would touch every page of a large file.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.schema import MASK, PIXEL, WEIGHTS, Y, image_variables

N_BANDS: Final = 64
MAX_PIXELS: Final = 2**18
MIN_PIXELS: Final = 2**14
MAX_VALUES: Final = 2**24
"""Bounds of a sample: pixels, and values over all channels (64 MB as float32)."""


@dataclass(frozen=True)
class Sample:
    """Pixels of an image stack in raster order, without those that are masked or have no value at all.

    Attributes
    ----------
    planes : tuple of ndarray, dims (channel, pixel)
        One array per image variable, in the variables' order; NaN = missing.
    weights : ndarray, dims (pixel,), float32, or None
        Weight of each pixel where the images have weights.
    is_all : bool
        Whether the sample is the whole stack.
    """

    planes: tuple[np.ndarray, ...] = field(repr=False)
    weights: np.ndarray | None = field(repr=False)
    is_all: bool

    @property
    def n_pixels(self) -> int:
        """Number of pixels."""
        return int(self.planes[0].shape[1])


def draw_sample(images: xr.Dataset, *, max_pixels: int | None = None) -> Sample:
    """Load the spread sample of a stack in one pass, all of it if it is small; eager.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    max_pixels : int, optional
        Number of pixels, at most.

    Raises
    ------
    InputError
        If no pixel has a value: everything is missing or masked.
    """
    names = image_variables(images)
    n_rows, n_columns = (images.sizes[dim] for dim in PIXEL)
    n_channels = sum(images[name].size // (n_rows * n_columns) for name in names)
    bound = max(MIN_PIXELS, min(MAX_PIXELS, MAX_VALUES // n_channels))
    bands = row_bands(n_rows, n_columns, max_pixels=min(bound, max_pixels or bound))
    kept = [*names, *(name for name in (MASK, WEIGHTS) if name in images)]
    loaded = dict(zip(kept, _load(images[kept], kept, bands), strict=True))
    return _select(loaded, names, is_all=sum(stop - start for start, stop in bands) == n_rows)


def row_bands(
    n_rows: int, n_columns: int, *, max_pixels: int, n_bands: int = N_BANDS
) -> list[tuple[int, int]]:
    """Start and stop rows of evenly spread bands that hold about `max_pixels` pixels together.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_columns : int
        Number of columns.
    max_pixels : int
        Number of pixels, at most.
    n_bands : int
        Number of bands.

    Examples
    --------
    >>> row_bands(8, 10, max_pixels=40, n_bands=2)
    [(1, 3), (5, 7)]
    """
    wanted = max(1, max_pixels // n_columns)
    if wanted >= n_rows:
        return [(0, n_rows)]
    n_bands = min(n_bands, wanted)
    height = wanted // n_bands
    starts = [((2 * band + 1) * n_rows // n_bands - height) // 2 for band in range(n_bands)]
    return [(start, start + height) for start in starts]


def _load(images: xr.Dataset, names: list[str], bands: list[tuple[int, int]]) -> list[np.ndarray]:
    """Return the values of each variable in the bands, `(channel, pixel)` each, in one computation."""
    pieces: list[list[Any]] = [
        [images[name].isel({Y: slice(*band)}).data for band in bands] for name in names
    ]
    (computed,) = blocks.compute(pieces, doing="reading a sample")
    return [
        np.concatenate([np.asarray(p).reshape(-1, p.shape[-2] * p.shape[-1]) for p in parts], axis=1)
        for parts in computed
    ]


def _select(loaded: dict[str, np.ndarray], names: list[str], *, is_all: bool) -> Sample:
    """Drop what is masked, weightless or without any finite value; a value that is not finite becomes NaN."""
    planes = tuple(_as_floats(loaded[name]) for name in names)
    kept = np.zeros(planes[0].shape[1], bool)
    for plane in planes:
        kept |= ~np.isnan(plane).all(axis=0)
    if MASK in loaded:
        kept &= ~loaded[MASK][0].astype(bool)
    weights = None
    if WEIGHTS in loaded:
        weights = check_weights(loaded[WEIGHTS][0])
        kept &= weights > 0
    if not kept.any():
        raise InputError(
            "no pixel of the images has a value: all are missing, masked or of weight 0;"
            " give images with values, or another mask"
        )
    if not kept.all():
        planes = tuple(np.compress(kept, plane, axis=1) for plane in planes)
        weights = None if weights is None else weights[kept]
    return Sample(planes, weights, is_all)


def _as_floats(plane: np.ndarray) -> np.ndarray:
    """Return the values as float32, or float64 where they may need it; infinite values as NaN."""
    if plane.dtype.kind != "f":
        return plane.astype(np.float32 if plane.dtype.itemsize <= 2 else np.float64)
    finite = np.isfinite(plane)
    return plane if finite.all() else np.where(finite, plane, np.array(np.nan, plane.dtype))


def check_weights(weights: np.ndarray) -> np.ndarray:
    """Return the weights as float32, missing ones as 0.

    Raises
    ------
    InputError
        If a weight is negative or infinite.
    """
    weights = np.nan_to_num(weights.astype(np.float32), nan=0.0, posinf=-1.0)
    if weights.size and weights.min() < 0:
        raise InputError("weights hold negative or infinite values; give weights of 0 or more")
    return weights
