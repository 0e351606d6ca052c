"""The table of objects: where they are, their shape, and what maps hold there; one pass over the tiles."""

import itertools
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr
from dask.graph_manipulation import bind

from engine import blocks
from engine.errors import InputError
from engine.objects import shape, sums
from engine.objects.sums import Sums
from engine.schema import CLASSES, CONFIDENCE, LABEL, OBJECT, OBJECTS, PIXEL, X, Y
from engine.statistics.tile_passes import HELD_BYTES

COLUMNS: Final = {
    LABEL: ("1", "number of the object"),
    "class": ("1", "class of most of its pixels, 0 = none"),
    Y: ("px", "centroid along y"),
    X: ("px", "centroid along x"),
    "area": ("px²", "area"),
    "bbox_top": ("px", "first row"),
    "bbox_left": ("px", "first column"),
    "bbox_bottom": ("px", "row past the last"),
    "bbox_right": ("px", "column past the last"),
    "orientation": ("rad", "angle of the long axis from the y axis towards the x axis"),
    "eccentricity": ("1", "eccentricity of the ellipse of the same second moments"),
    "length": ("px", "long axis of the ellipse of the same second moments"),
    "width": ("px", "short axis of the ellipse of the same second moments"),
    "charge": ("1", "sum of the image"),
    "peak": ("1", "largest value of the image"),
    CONFIDENCE: ("1", "mean confidence"),
    "votes": ("1", "share of the pixels whose class was the object's before the rules"),
    "touches_edge": ("1", "whether it touches the edge of the frame"),
}
"""Units and meaning of each column, in their order; units of maps and coordinates come before these."""


def measure(
    objects: xr.DataArray,
    *,
    image: xr.DataArray | None = None,
    classes: xr.DataArray | None = None,
    confidence: xr.DataArray | None = None,
    votes: xr.DataArray | None = None,
) -> xr.Dataset:
    """Measure all objects; computed at once, for only then is it known how many there are.

    Maps too large to be held are computed again for the table where the objects come from them.

    The table always has the same columns: without an image `charge` and `peak` are NaN, without classes
    `class` is 0, without confidence `confidence` is NaN, without votes `votes` is NaN.

    Parameters
    ----------
    objects : DataArray (y, x), unsigned
        Number of each pixel's object, 0 = none; not necessarily consecutive or connected.
    image : DataArray (y, x)
        What `charge` and `peak` are taken of; values that are not finite are no data.
    classes : DataArray (y, x), unsigned
        Class of each pixel, 0 = none. The class of most pixels wins, at a tie the lowest.
    confidence : DataArray (y, x)
        Values that are not finite are no data.
    votes : DataArray (y, x)
        Whether a pixel was of the object's class before rules gave whole objects another.

    Returns
    -------
    Dataset, dim object
        In ascending order of the number: `label` (the number), `class`, the centroid `y` and `x` in the
        coordinates' units (px where there are none), `area` in px², `bbox_*` in px, `orientation` in rad,
        `eccentricity`, `length` and `width` in px (see `shape` for their formulas), `charge`, `peak`,
        `confidence`, `votes` and `touches_edge`. No objects, no rows.

    Raises
    ------
    InputError
        If an array has other dims or another shape than the objects.

    Examples
    --------
    >>> objects = xr.DataArray(np.array([[1, 1, 0], [0, 0, 2]], np.uint32), dims=("y", "x"))
    >>> measure(objects)["x"].values
    array([0.5, 2. ])
    """
    maps = {CLASSES: classes, "image": image, CONFIDENCE: confidence, "votes": votes}
    given = {name: array for name, array in maps.items() if array is not None}
    for name, array in {OBJECTS: objects, **given}.items():
        if array.dims != PIXEL or array.shape != objects.shape:
            raise InputError(
                f"{name!r} has the dims {array.dims} and the shape {array.shape};"
                f" expected {PIXEL} and the shape of the objects, {objects.shape}"
            )
    (found,) = blocks.compute(_reduce_tiles(objects, given), doing="measuring objects")
    return _table(found, objects, image)


def measure_plane(objects: np.ndarray, image: np.ndarray) -> xr.Dataset:
    """Measure the objects of one image in memory, without Dask: for work within a task.

    Parameters
    ----------
    objects : ndarray (y, x), int
        Number of each pixel's object, 0 = none.
    image : ndarray (y, x)

    Returns
    -------
    Dataset, dim object
        As `measure` gives it, without class, confidence and votes; lengths and places in px.
    """
    found = sums.tile_sums(objects, image, given=("image",))
    return _table(found, xr.DataArray(objects, dims=PIXEL), None)


def _table(found: Sums, objects: xr.DataArray, image: xr.DataArray | None) -> xr.Dataset:
    columns = _shape_columns(found, objects) | _value_columns(found)
    table = xr.Dataset(
        {
            name: (OBJECT, columns[name], {"units": units, "long_name": meaning})
            for name, (units, meaning) in COLUMNS.items()
        },
        {OBJECT: (OBJECT, found.numbers, {"units": "1", "long_name": "object"})},
    )
    sources = {"charge": image, "peak": image} | {dim: objects.coords.get(dim) for dim in PIXEL}
    for name, source in sources.items():
        if source is not None and "units" in source.attrs:
            table[name].attrs["units"] = source.attrs["units"]
    return table


def _reduce_tiles(objects: xr.DataArray, given: dict[str, xr.DataArray]) -> Any:
    """Delayed sums of all objects."""
    arrays = [blocks.as_tiles(objects), *(_later(array, objects) for array in given.values())]
    parts = blocks.per_tile(sums.tile_sums, *arrays, given=tuple(given))
    tops, lefts = (np.cumsum([0, *sizes[:-1]]).tolist() for sizes in arrays[0].chunks)
    placed = dask.delayed(sums.place_sums, pure=False)
    corners = itertools.product(tops, lefts)
    parts = [placed(part, *corner) for part, corner in zip(parts, corners, strict=True)]
    return blocks.combine_parts(parts, sums.add_sums)


def _later(array: xr.DataArray, objects: xr.DataArray) -> da.Array:
    """Return the tiles of a map.

    Those of a large one are computed for the table alone, once their objects are known.

    The objects often come from the same map, which would else be held until the last of them is found. A row
    of tiles waits for its first tile of objects: all at once would be held until their objects come.
    """
    tiles = blocks.as_tiles(array)
    if tiles.nbytes <= HELD_BYTES or not all(isinstance(a.data, da.Array) for a in (array, objects)):
        return tiles
    awaited = objects.data
    tiles = blocks.cut_tiles(tiles, awaited.chunks)
    rows = [bind(tiles.blocks[row], awaited.blocks[row, 0]) for row in range(awaited.numblocks[0])]
    later: da.Array = da.concatenate(rows)
    return later


def _shape_columns(found: Sums, objects: xr.DataArray) -> dict[str, np.ndarray]:
    top, left, bottom, right = found.corners
    height, width = objects.shape
    y, x = shape.centroids(found.moments)
    inertia = shape.inertia(found.moments)
    long, short = shape.axes(*inertia)
    return {
        LABEL: found.numbers,
        Y: _in_coordinates(y, objects, Y),
        X: _in_coordinates(x, objects, X),
        "area": found.moments[sums.AREA],
        "bbox_top": top,
        "bbox_left": left,
        "bbox_bottom": -bottom,
        "bbox_right": -right,
        "orientation": shape.orientation(*inertia),
        "eccentricity": shape.eccentricity(*inertia),
        "length": long,
        "width": short,
        "touches_edge": (top == 0) | (left == 0) | (-bottom == height) | (-right == width),
    }


def _in_coordinates(places: np.ndarray, objects: xr.DataArray, dim: str) -> np.ndarray:
    """Centroids in a coordinate's values, which are taken to be straight between pixels; else in pixels."""
    if dim not in objects.coords or not places.size:
        return places
    centres = objects.coords[dim].values.astype(np.float64)
    return np.asarray(np.interp(places, np.arange(centres.size), centres))


def _value_columns(found: Sums) -> dict[str, np.ndarray]:
    charge, n_charged = found.image[sums.TOTAL] + found.image[sums.ERROR], found.image[sums.COUNT]
    return {
        "class": _winners(found),
        "charge": np.where(n_charged > 0, charge, np.nan),
        "peak": np.where(n_charged > 0, found.image[sums.PEAK], np.nan),
        CONFIDENCE: _mean(found.confidence),
        "votes": _mean(found.votes),
    }


def _mean(values: np.ndarray) -> np.ndarray:
    count = values[sums.COUNT]
    total = values[sums.TOTAL] + values[sums.ERROR]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _winners(found: Sums) -> np.ndarray:
    """Return the class of most pixels of each object, the lowest of several, 0 where no pixel has one."""
    numbers, classes, counts = found.classes
    order = np.lexsort((-classes, counts, numbers))  # the last of each object wins
    winners = np.zeros(found.numbers.size, np.int64)
    winners[np.searchsorted(found.numbers, numbers[order])] = classes[order]
    return winners
