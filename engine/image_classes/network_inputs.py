"""Input of a network: a grey square of a micrograph without its data bar."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import dask
import dask.array as da
import numpy as np
import xarray as xr
from dask.delayed import Delayed
from dask.optimization import cull

from engine import blocks
from engine.image_classes.databar import without_databar
from engine.preprocess.intensity import intensity
from engine.readers.collection import PIXEL_SIZE, pixel_size, without_fill
from engine.schema import IMAGE, image_variables, spectral_dim

LEVELS: Final = (0.002, 0.998)
"""Quantiles of the values that become black and white."""
FIELD: Final = (4.0, 1.5)
"""Middle and spread of the decimal logarithms of the fields of view of SEM pictures, in nm: 10 µm, most
between 0.3 and 300 µm."""


class InputSquare(NamedTuple):
    """Input of a network, and the number of rows that the image has."""

    grey: np.ndarray
    n_pixels: int


def square(image: np.ndarray, *, edge: int, databar: bool = False) -> InputSquare:
    """Return the largest square in the middle of a micrograph, scaled to `edge` pixels.

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
    View
        `grey (y, x)` uint8.
    """
    picture = specimen(image, databar=databar)
    side = min(picture.shape)
    top, left = ((n - side) // 2 for n in picture.shape)
    return InputSquare(reduce_image(picture[top : top + side, left : left + side], edge), side)


def tile_starts(n: int, tile: int) -> np.ndarray:
    """Return where the tiles begin that cover n pixels, the first and the last at the ends.

    Parameters
    ----------
    n : int
        Number of pixels to cover.
    tile : int
        Rows and columns of a tile.

    Examples
    --------
    >>> tile_starts(700, 300).tolist(), tile_starts(200, 300).tolist()
    ([0, 200, 400], [0])
    """
    return np.linspace(0, max(0, n - tile), max(1, -(-n // tile))).round().astype(int)


def specimen(image: np.ndarray, *, databar: bool = False) -> np.ndarray:
    """Return the part of a micrograph that shows the specimen, `(y, x)`: without fill and data bar.

    Parameters
    ----------
    image : ndarray (y, x)
        The micrograph.
    databar : bool
        Whether the data bar is kept.
    """
    image = without_fill(np.asarray(image))
    return image if databar else without_databar(image)


def reduce_image(part: np.ndarray, edge: int) -> np.ndarray:
    """Return a part of a micrograph scaled to `edge` rows and columns of grey levels, uint8.

    Parameters
    ----------
    part : ndarray (y, x)
        Part of an image.
    edge : int
        Rows and columns of the result in pixels.
    """
    from PIL import Image

    values = Image.fromarray(np.nan_to_num(np.asarray(part, np.float32)))
    return level_background(np.asarray(values.resize((edge, edge), Image.Resampling.BOX)))


def level_background(values: np.ndarray) -> np.ndarray:
    """Return values as grey levels, uint8: black and white are quantiles of them."""
    black, white = np.quantile(values, LEVELS)
    return np.asarray(np.clip((values - black) / max(float(white - black), 1e-6) * 255, 0, 255), np.uint8)


def squares(images: xr.Dataset, *, edge: int, databar: bool = False) -> list[Any]:
    """Return a task for each micrograph that gives the `View` of its square; lazy.

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
    return of_each(images, partial(square, edge=edge, databar=databar))


def of_each(images: xr.Dataset, function: Callable[[np.ndarray], Any]) -> list[Any]:
    """Return a task for each micrograph `(y, x)` that gives what a function makes of it; lazy.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    function
        Called with each image `(y, x)`.
    """
    lifted = dask.delayed(partial(_of_first, function), pure=False, traverse=False)
    if spectral_dim(images) != IMAGE:
        stack = blocks.as_tiles(intensity(images))[np.newaxis]
    else:
        stack = da.asarray(images[image_variables(images)[0]].data)
    one_by_one = stack.rechunk({0: 1, 1: -1, 2: -1})
    graph = dict(one_by_one.__dask_graph__())
    keys = [(one_by_one.name, n, 0, 0) for n in range(len(one_by_one))]
    # Each with what it needs alone: a task that carries the graph of all costs as much as all.
    return [lifted(Delayed(key, cull(graph, [key])[0])) for key in keys]


def _of_first(function: Callable[[np.ndarray], Any], stack: np.ndarray) -> Any:
    return function(stack[0])


def pixel_sizes(images: xr.Dataset) -> np.ndarray:
    """Return the edge of a pixel of each picture in nm, `(image,)`; NaN where it is not known."""
    if PIXEL_SIZE in images.coords:
        return np.atleast_1d(images[PIXEL_SIZE].values).astype(np.float64)
    if IMAGE in images.sizes:
        return np.full(images.sizes[IMAGE], np.nan)
    return np.array([pixel_size(intensity(images))])


def inputs(grey: np.ndarray, fields: np.ndarray, *, n_channels: int) -> np.ndarray:
    """Return what goes into a network, `(image, y, x, channel)` float32.

    Parameters
    ----------
    grey : ndarray (image, y, x)
    fields : ndarray (image,)
        Edge of what each square shows, in nm; NaN where it is not known.
    n_channels
        1: the standardised squares. 2: beside them the logarithm of the field, 0 where it is not known.
    """
    values = standardise(grey)
    if n_channels == 1:
        return values
    scale = (np.log10(np.maximum(fields, 1e-6)) - FIELD[0]) / FIELD[1]
    channel = np.broadcast_to(np.nan_to_num(scale)[:, None, None, None], values.shape)
    return np.concatenate([values, channel.astype(np.float32)], axis=-1)


def standardise(grey: np.ndarray) -> np.ndarray:
    """Squares of mean 0 and standard deviation 1 each, `(image, y, x, 1)` float32.

    Parameters
    ----------
    grey : ndarray (image, y, x)
    """
    values = np.asarray(grey, np.float32)
    values = values - values.mean(axis=(1, 2), keepdims=True)
    spread = values.std(axis=(1, 2), keepdims=True)
    return np.asarray((values / np.maximum(spread, 1e-3))[..., np.newaxis])
