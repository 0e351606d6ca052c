"""What a network sees of a micrograph: a grey square without the data bar, in 256 levels."""

from functools import partial
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr
from dask.delayed import Delayed
from dask.optimization import cull

from engine import blocks
from engine.micrographs.databar import without_databar
from engine.preprocess.intensity import intensity
from engine.readers.collection import without_fill
from engine.schema import IMAGE, image_variables, spectral_dim

LEVELS: Final = (0.002, 0.998)
"""Quantiles of the values that become black and white."""


def square(image: np.ndarray, *, edge: int, databar: bool = False) -> np.ndarray:
    """The largest square in the middle of a micrograph, scaled to `edge` pixels.

    Parameters
    ----------
    image : ndarray (y, x)
        NaN below and on the right is no part of it.
    edge
        Rows and columns of the square.
    databar
        Leave the data bar in, for a network that is to see it.

    Returns
    -------
    ndarray (y, x), uint8
    """
    from PIL import Image

    image = without_fill(np.asarray(image))
    picture = image if databar else without_databar(image)
    side = min(picture.shape)
    top, left = ((n - side) // 2 for n in picture.shape)
    middle = np.nan_to_num(np.asarray(picture[top : top + side, left : left + side], np.float32))
    reduced = Image.fromarray(middle).resize((edge, edge), Image.Resampling.BOX)
    values = np.asarray(reduced)
    black, white = np.quantile(values, LEVELS)
    return np.asarray(np.clip((values - black) / max(float(white - black), 1e-6) * 255, 0, 255), np.uint8)


def squares(images: xr.Dataset, *, edge: int, databar: bool = False) -> list[Any]:
    """A task for each micrograph that gives its square; lazy.

    Parameters
    ----------
    images : Dataset, dims ([image,] y, x), or a colour picture
    edge, databar
        As of `square`.

    Raises
    ------
    InputError
        If they are neither a picture nor a collection.
    """
    lifted = dask.delayed(partial(_square_of, edge=edge, databar=databar), pure=False, traverse=False)
    if spectral_dim(images) != IMAGE:
        stack = blocks.tiled(intensity(images))[np.newaxis]
    else:
        stack = da.asarray(images[image_variables(images)[0]].data)
    one_by_one = stack.rechunk({0: 1, 1: -1, 2: -1})
    graph = dict(one_by_one.__dask_graph__())
    keys = [(one_by_one.name, n, 0, 0) for n in range(len(one_by_one))]
    # Each with what it needs alone: a task that carries the graph of all costs as much as all.
    return [lifted(Delayed(key, cull(graph, [key])[0])) for key in keys]


def _square_of(stack: np.ndarray, *, edge: int, databar: bool) -> np.ndarray:
    return square(stack[0], edge=edge, databar=databar)


def standardised(grey: np.ndarray) -> np.ndarray:
    """Squares of mean 0 and standard deviation 1 each, `(image, y, x, 1)` float32.

    Parameters
    ----------
    grey : ndarray (image, y, x)
    """
    values = np.asarray(grey, np.float32)
    values = values - values.mean(axis=(1, 2), keepdims=True)
    spread = values.std(axis=(1, 2), keepdims=True)
    return np.asarray((values / np.maximum(spread, 1e-3))[..., np.newaxis])
