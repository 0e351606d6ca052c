"""Category maps of large pictures: each of their parts classified by itself."""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import dask
import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.analysis import DIGEST, Model
from engine.image_classes import novelty
from engine.image_classes.network_inputs import of_each, pixel_sizes, reduce_image, specimen, tile_starts
from engine.image_classes.predict import TOGETHER, apply_network, reference_images_of
from engine.learning.calibration import at_temperature
from engine.learning.networks import load_network
from engine.schema import CONFIDENCE, IMAGE

LEAST_TILE: Final = 32
"""Rows and columns of the smallest part that is classified by itself."""
AT_ONCE: Final = 16
"""Pictures that are mapped together."""
DIMS: Final = (IMAGE, "tile_row", "tile_column")


def category_maps(model: Model, images: xr.Dataset, *, least: float) -> xr.Dataset:
    """Return what each part of each picture shows.

    Parameters
    ----------
    model
        Its setting `map_tile` says how large a part is.
    images : Dataset, dims ([image,] y, x)
    least
        Probability of the best class below which a part has no class.

    Returns
    -------
    Dataset, dims (image, tile_row, tile_column)
        `category`, 0 where there is no answer or no picture; `confidence`, best minus second probability, NaN
        where there is no picture; `top (image, tile_row)` and `left (image, tile_column)`, in which row and
        column of the picture without its data bar a part begins, -1 where there is none. The attr `tile` is
        the edge of a part in pixels.
    """
    tile, edge, databar = (model.settings[name] for name in ("map_tile", "edge", "databar"))
    look = dask.delayed(_predict_tile, pure=False, traverse=False)
    network = str(model.network), str(model.metadata[DIGEST])
    mapped = of_each(images, partial(_cut_squares, tile=tile, edge=edge, databar=databar))
    sizes = pixel_sizes(images).tolist()
    known, temperature = reference_images_of(model), float(model.metadata["temperature"])
    grids = []
    for start in range(0, len(mapped), AT_ONCE):
        lot = list(zip(mapped, sizes, strict=True))[start : start + AT_ONCE]
        with progress.stage(start / len(mapped), (start + len(lot)) / len(mapped)):
            found = blocks.compute(*(look(*one, *network) for one in lot), doing="mapping pictures")
        for logits, features, top, left in found:
            chances = np.sort(at_temperature(logits, temperature), axis=1)
            unlike = novelty.compare(known, features)[1] > 1
            category = np.where(unlike | (chances[:, -1] < least), 0, logits.argmax(axis=1) + 1)
            shape = top.size, left.size
            sure = (chances[:, -1] - chances[:, -2]).reshape(shape)
            grids.append((category.reshape(shape), sure, top, left))
    return _pad_image(grids, tile)


class Cut(NamedTuple):
    """The parts of a picture: `squares (tile, y, x)` uint8, where they begin, and their edge in pixels."""

    squares: np.ndarray
    top: np.ndarray
    left: np.ndarray
    n_pixels: int


def _cut_squares(image: np.ndarray, *, tile: int, edge: int, databar: bool) -> Cut:
    picture = specimen(image, databar=databar)
    top, left = (tile_starts(n, tile) for n in picture.shape)
    parts = [picture[y : y + tile, x : x + tile] for y in top.tolist() for x in left.tolist()]
    return Cut(np.stack([reduce_image(part, edge) for part in parts]), top, left, min(tile, *picture.shape))


def _predict_tile(
    cut: Cut, size: float, path: str, digest: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Logits `(tile, class)` and features `(tile, feature)` of one picture, and where its tiles begin."""
    network, field = load_network(path, digest), size * cut.n_pixels
    lots = [cut.squares[n : n + TOGETHER] for n in range(0, len(cut.squares), TOGETHER)]
    seen = [apply_network(network, lot, np.full(len(lot), field)) for lot in lots]
    logits, features = (np.concatenate([getattr(s, name) for s in seen]) for name in ("logits", "features"))
    return logits, features, cut.top, cut.left


def _pad_image(grids: Sequence[tuple[np.ndarray, ...]], tile: int) -> xr.Dataset:
    """Return all maps in arrays as large as the largest."""
    shape = tuple(max((grid[0].shape[k] for grid in grids), default=0) for k in (0, 1))
    category = np.zeros((len(grids), *shape), np.uint8)
    sure = np.full((len(grids), *shape), np.nan, np.float32)
    top, left = (np.full((len(grids), n), -1, np.int32) for n in shape)
    for n, (found, certain, rows, columns) in enumerate(grids):
        here = slice(0, rows.size), slice(0, columns.size)
        category[n][here], sure[n][here] = found, certain
        top[n, : rows.size], left[n, : columns.size] = rows, columns
    variables = {
        "category": (DIMS, category, "1", "class of the part"),
        CONFIDENCE: (DIMS, sure, "1", "best minus second probability"),
        "top": (DIMS[:2], top, "pixel", "first row of the part"),
        "left": ((DIMS[0], DIMS[2]), left, "pixel", "first column of the part"),
    }
    return xr.Dataset(
        {
            name: xr.Variable(dims, values, {"units": units, "long_name": said})
            for name, (dims, values, units, said) in variables.items()
        },
        attrs={"tile": tile},
    )
