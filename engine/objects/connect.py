"""Connected components of a chunked mask or map of classes, numbered as if there were no chunks.

Every tile is labelled by itself and tells its edges; components that touch across a border of tiles are
joined by union-find [1]_ over the rows and columns at the borders alone. Then every tile is labelled again,
from one bit a pixel and class that was kept of it, and takes the final numbers: the mask is computed once,
never held.

References
----------
.. [1] K. Wu, E. Otoo, K. Suzuki, Optimizing two-pass connected-component labeling algorithms, Pattern
   Analysis and Applications 12 (2009) 117-135.
"""

import itertools
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final, NamedTuple

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from numba import njit
from scipy import ndimage

from engine import blocks
from engine.errors import InputError
from engine.schema import OBJECTS, PIXEL, labels_dtype

REACHES: Final = {4: 0, 8: 1}
"""How far along a border a pixel touches those on its other side, by connectivity."""

_kernel = njit(cache=True, nogil=True)


class Edges(NamedTuple):
    """Components of a tile: where each begins, and which touch its border."""

    first: np.ndarray
    """Flat position in the tile of each component's first pixel in raster order."""
    plane: np.ndarray
    """Number of the plane, of those told apart, in which each component lies."""
    top: np.ndarray
    bottom: np.ndarray
    left: np.ndarray
    right: np.ndarray


class Numbers(NamedTuple):
    """Final numbers of the components of all tiles, one tile after the other."""

    starts: np.ndarray
    """Where each tile begins in `final`; the last is the number of all."""
    final: np.ndarray


def connect(mask: xr.DataArray, *, connectivity: int = 8) -> xr.DataArray:
    """Return number the connected components of a mask; lazy.

    Parameters
    ----------
    mask : DataArray (y, x), bool or numbers
        Pixels that are not 0 belong to objects; what value they have makes no difference.
    connectivity
        4: pixels touch over edges; 8: over edges and corners.

    Returns
    -------
    DataArray (y, x), unsigned
        Consecutive from 1 in raster order of each object's first pixel, 0 = none. Dask-backed, in the chunks
        of the mask, and the same for any chunking.

    Raises
    ------
    InputError
        If the mask has other dims or there is no such connectivity.

    Examples
    --------
    >>> mask = xr.DataArray(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]], bool), dims=("y", "x"))
    >>> connect(mask).values
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 0, 2]], dtype=uint32)
    """
    return _connect_tile(mask, TilePlanes(None, connectivity))


def connect_classes(labels: xr.DataArray, *, classes: Sequence[int], connectivity: int = 8) -> xr.DataArray:
    """Return number the connected components of some classes: pixels of one object are of one class; lazy.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned
    classes
        Labels whose pixels belong to objects.
    connectivity
        As for `connect`.

    Returns
    -------
    DataArray (y, x), unsigned
        As of `connect`.

    Raises
    ------
    InputError
        If the labels have other dims or there is no such connectivity.

    Examples
    --------
    >>> labels = xr.DataArray(np.array([[1, 2, 2], [2, 3, 1]], np.uint8), dims=("y", "x"))
    >>> connect_classes(labels, classes=[2, 3]).values
    array([[0, 1, 1],
           [1, 2, 0]], dtype=uint32)
    """
    return _connect_tile(labels, TilePlanes(tuple(classes), connectivity))


class TilePlanes(NamedTuple):
    """Planes of a tile that are connected one by one, and the way pixels touch."""

    classes: tuple[int, ...] | None
    """A plane for each of these values; None: one plane, of all that is not 0."""
    connectivity: int

    def of(self, tile: np.ndarray) -> np.ndarray:
        """Return the planes of a tile, bool (plane, y, x)."""
        if self.classes is None:
            return np.asarray(tile != 0)[np.newaxis]
        return np.asarray(np.equal(tile, np.reshape(self.classes, (-1, 1, 1))))


def _connect_tile(mask: xr.DataArray, planes: TilePlanes) -> xr.DataArray:
    if mask.dims != PIXEL:
        raise InputError(f"the mask has the dims {mask.dims}; expected (y, x)")
    if planes.connectivity not in REACHES:
        raise InputError(
            f"connectivity is {planes.connectivity!r}; expected one of 4 (edges) or 8 (edges and corners)"
        )
    objects = _number_pixels(blocks.as_tiles(mask), planes)
    attrs = {"units": "1", "long_name": "object"}
    return xr.DataArray(objects, coords=mask.coords, dims=PIXEL, name=OBJECTS, attrs=attrs)


def _number_pixels(mask: da.Array, planes: TilePlanes) -> da.Array:
    """Return all tasks in one layer: of several Dask would make one task that computes and renumbers a tile.

    Then every tile of the mask would be computed twice. Edges and bits come from one task, or else Dask would
    put off the bits and hold the mask.
    """
    rows, columns = mask.chunks
    token = tokenize(mask, planes)
    parts = ("piece", "edges", "bits", "joined", OBJECTS)
    piece, edges, bits, joined, name = (f"{part}-{token}" for part in parts)
    grid = list(np.ndindex(mask.numblocks))
    look = partial(_piece, planes=planes)
    final = partial(_renumber_tile, connectivity=planes.connectivity)
    dtype = np.promote_types(np.uint32, labels_dtype(mask.size))
    join = partial(_join_tiles, rows=rows, columns=columns, reach=REACHES[planes.connectivity], dtype=dtype)
    graph: dict[Any, Any] = {joined: (join, [(edges, *block) for block in grid])}
    for tile, block in enumerate(grid):
        place = partial(final, tile=tile, width=columns[block[1]])
        graph[piece, *block] = (look, (mask.name, *block))
        graph[edges, *block] = (itemgetter(0), (piece, *block))
        graph[bits, *block] = (itemgetter(1), (piece, *block))
        graph[name, *block] = (place, (bits, *block), joined)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[mask])
    return da.Array(layers, name, mask.chunks, meta=np.empty((0, 0), dtype))


def _piece(tile: np.ndarray, *, planes: TilePlanes) -> tuple[Edges, np.ndarray]:
    """Return the edges of a tile and its planes, a bit a pixel."""
    masks = planes.of(np.asarray(tile))
    labels, plane = _label_tile(masks, planes.connectivity)
    # copies: views would keep the labels of every tile
    sides = (
        side.copy()
        for side in (labels[:1].ravel(), labels[-1:].ravel(), labels[:, :1].ravel(), labels[:, -1:].ravel())
    )
    return Edges(_first_pixels(labels.ravel(), plane.size), plane, *sides), np.packbits(masks, axis=-1)


def _label_tile(masks: np.ndarray, connectivity: int) -> tuple[np.ndarray, np.ndarray]:
    """Components of all planes, which share no pixel, counted from 1, and the plane of each."""
    structure = ndimage.generate_binary_structure(2, 1 + REACHES[connectivity])
    labels = np.zeros(masks.shape[1:], np.int32)
    numbers = [int(ndimage.label(masks[0], structure, output=labels)) if masks.size else 0]
    for mask in masks[1:]:
        more = np.zeros_like(labels)
        numbers.append(int(ndimage.label(mask, structure, output=more)) if mask.size else 0)
        np.add(labels, more + sum(numbers[:-1]), out=labels, where=mask)
    return labels, np.repeat(np.arange(len(numbers), dtype=np.uint8), numbers)


@_kernel  # type: ignore[untyped-decorator]
def _first_pixels(labels: np.ndarray, n_found: int) -> np.ndarray:
    """Return the position of the first pixel of each of the labels 1...n_found."""
    first = np.full(n_found, -1)
    for i in range(labels.size):
        label = labels[i]
        if label > 0 and first[label - 1] < 0:
            first[label - 1] = i
    return first


def _renumber_tile(
    bits: np.ndarray, numbers: Numbers, *, tile: int, width: int, connectivity: int
) -> np.ndarray:
    """Label a tile again and give its components their final numbers."""
    masks = np.unpackbits(bits, axis=-1, count=width).view(bool)
    labels, plane = _label_tile(masks, connectivity)
    start = numbers.starts[tile]
    final = np.zeros(plane.size + 1, numbers.final.dtype)
    final[1:] = numbers.final[start : start + plane.size]
    return np.asarray(final[labels])


def _join_tiles(
    edges: list[Edges],
    *,
    rows: Sequence[int],
    columns: Sequence[int],
    reach: int,
    dtype: np.dtype[np.unsignedinteger],
) -> Numbers:
    """Join the components of all tiles and number them in raster order of their first pixels."""
    starts = np.cumsum([0, *(tile.first.size for tile in edges)])
    parents = np.arange(starts[-1] + 1)
    plane = np.concatenate([np.zeros(1, np.uint8), *(tile.plane for tile in edges)])
    grid = np.arange(len(edges)).reshape(len(rows), len(columns))
    for before, after, sides in _borders(grid):
        lines = (
            _line(edges, starts, tiles, side) for tiles, side in zip((before, after), sides, strict=True)
        )
        _join(parents, plane, *lines, reach)
    _resolve(parents)
    first = _frame_positions(edges, rows, columns)
    roots = parents[1:] - 1
    np.minimum.at(first, roots, first.copy())
    heads = np.flatnonzero(roots == np.arange(roots.size))
    final = np.zeros(roots.size, dtype)
    final[heads[np.argsort(first[heads])]] = np.arange(1, heads.size + 1)
    return Numbers(starts, final[roots])


def _borders(grid: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, tuple[str, str]]]:
    """Return the tiles before and after each border through the frame, with corners, and their sides."""
    across = [(above, below, ("bottom", "top")) for above, below in itertools.pairwise(grid)]
    down = [(left, right, ("right", "left")) for left, right in itertools.pairwise(grid.T)]
    return across + down


def _line(edges: list[Edges], starts: np.ndarray, tiles: np.ndarray, side: str) -> np.ndarray:
    """Components along one side of a row or column of tiles, counted over all tiles; 0 = none."""
    parts = [getattr(edges[tile], side).astype(np.int64) for tile in tiles]
    return np.concatenate(
        [np.where(part > 0, part + starts[tile], 0) for part, tile in zip(parts, tiles, strict=True)]
    )


def _frame_positions(edges: list[Edges], rows: Sequence[int], columns: Sequence[int]) -> np.ndarray:
    """Flat position in the frame of the first pixel of every component of every tile."""
    corners = [(y, x) for y in np.cumsum([0, *rows[:-1]]) for x in np.cumsum([0, *columns[:-1]])]
    widths = np.tile(columns, len(rows))
    parts = [
        (y + tile.first // max(1, width)) * sum(columns) + x + tile.first % max(1, width)
        for tile, (y, x), width in zip(edges, corners, widths, strict=True)
    ]
    return np.concatenate(parts)


@_kernel  # type: ignore[untyped-decorator]
def _root(parents: np.ndarray, component: int) -> int:
    """Return the representative of a component; paths are halved on the way."""
    while parents[component] != component:
        parents[component] = parents[parents[component]]
        component = parents[component]
    return component


@_kernel  # type: ignore[untyped-decorator]
def _join(parents: np.ndarray, plane: np.ndarray, before: np.ndarray, after: np.ndarray, reach: int) -> None:
    """Join the components of one plane that touch across a border, seen from both sides of it."""
    for i in range(before.size):
        if before[i] == 0:
            continue
        for j in range(max(0, i - reach), min(after.size, i + reach + 1)):
            if after[j] != 0 and plane[before[i]] == plane[after[j]]:
                a, b = _root(parents, before[i]), _root(parents, after[j])
                parents[max(a, b)] = min(a, b)


@_kernel  # type: ignore[untyped-decorator]
def _resolve(parents: np.ndarray) -> None:
    """Let every component point at its representative, which has the lowest number of all it joins."""
    for i in range(parents.size):
        parents[i] = parents[parents[i]]
