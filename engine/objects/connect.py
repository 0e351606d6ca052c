"""Connected components of a chunked mask, numbered as if there were no chunks.

Every tile is labelled by itself and tells its edges; components that touch across a border of tiles are
joined by union-find [1]_ over the rows and columns at the borders alone. Then every tile is labelled again,
from one bit a pixel that was kept of it, and takes the final numbers: the mask is computed once, never held.

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
    """What a tile tells of its components: where each begins, and which ones lie along its edges."""

    first: np.ndarray
    """Flat position in the tile of each component's first pixel in raster order."""
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
    """Number the connected components of a mask; lazy.

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
    if mask.dims != PIXEL:
        raise InputError(f"the mask has the dims {mask.dims}; expected (y, x)")
    if connectivity not in REACHES:
        raise InputError(
            f"connectivity is {connectivity!r}; expected one of 4 (edges) or 8 (edges and corners)"
        )
    objects = _numbered(blocks.tiled(mask), connectivity)
    attrs = {"units": "1", "long_name": "object"}
    return xr.DataArray(objects, coords=mask.coords, dims=PIXEL, name=OBJECTS, attrs=attrs)


def _numbered(mask: da.Array, connectivity: int) -> da.Array:
    """All tasks in one layer: of several Dask would make one task that computes and renumbers a tile.

    Then every tile of the mask would be computed twice. Edges and bits come from one task, or else Dask would
    put off the bits and hold the mask.
    """
    rows, columns = mask.chunks
    token = tokenize(mask, connectivity)
    parts = ("piece", "edges", "bits", "joined", OBJECTS)
    piece, edges, bits, joined, name = (f"{part}-{token}" for part in parts)
    grid = list(np.ndindex(mask.numblocks))
    look, final = (partial(kernel, connectivity=connectivity) for kernel in (_piece, _renumbered))
    dtype = np.promote_types(np.uint32, labels_dtype(mask.size))
    join = partial(_joined, rows=rows, columns=columns, reach=REACHES[connectivity], dtype=dtype)
    graph: dict[Any, Any] = {joined: (join, [(edges, *block) for block in grid])}
    for tile, block in enumerate(grid):
        place = partial(final, tile=tile, width=columns[block[1]])
        graph[piece, *block] = (look, (mask.name, *block))
        graph[edges, *block] = (itemgetter(0), (piece, *block))
        graph[bits, *block] = (itemgetter(1), (piece, *block))
        graph[name, *block] = (place, (bits, *block), joined)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[mask])
    return da.Array(layers, name, mask.chunks, meta=np.empty((0, 0), dtype))


def _piece(tile: np.ndarray, *, connectivity: int) -> tuple[Edges, np.ndarray]:
    """Edges of a tile and its mask, a bit a pixel."""
    mask = np.asarray(tile) != 0
    labels, n_found = _labelled(mask, connectivity)
    # copies: views would keep the labels of every tile
    sides = (
        side.copy()
        for side in (labels[:1].ravel(), labels[-1:].ravel(), labels[:, :1].ravel(), labels[:, -1:].ravel())
    )
    return Edges(_first_pixels(labels.ravel(), n_found), *sides), np.packbits(mask, axis=1)


def _labelled(mask: np.ndarray, connectivity: int) -> tuple[np.ndarray, int]:
    structure = ndimage.generate_binary_structure(2, 1 + REACHES[connectivity])
    labels = np.zeros(mask.shape, np.int32)
    return labels, int(ndimage.label(mask, structure, output=labels)) if mask.size else 0


@_kernel  # type: ignore[untyped-decorator]
def _first_pixels(labels: np.ndarray, n_found: int) -> np.ndarray:
    """Position of the first pixel of each of the labels 1...n_found."""
    first = np.full(n_found, -1)
    for i in range(labels.size):
        label = labels[i]
        if label > 0 and first[label - 1] < 0:
            first[label - 1] = i
    return first


def _renumbered(
    bits: np.ndarray, numbers: Numbers, *, tile: int, width: int, connectivity: int
) -> np.ndarray:
    """Label a tile again and give its components their final numbers."""
    mask = np.unpackbits(bits, axis=1, count=width).view(bool)
    labels, n_found = _labelled(mask, connectivity)
    start = numbers.starts[tile]
    final = np.zeros(n_found + 1, numbers.final.dtype)
    final[1:] = numbers.final[start : start + n_found]
    return np.asarray(final[labels])


def _joined(
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
    grid = np.arange(len(edges)).reshape(len(rows), len(columns))
    for before, after, sides in _borders(grid):
        lines = (
            _line(edges, starts, tiles, side) for tiles, side in zip((before, after), sides, strict=True)
        )
        _join(parents, *lines, reach)
    _resolve(parents)
    first = _frame_positions(edges, rows, columns)
    roots = parents[1:] - 1
    np.minimum.at(first, roots, first.copy())
    heads = np.flatnonzero(roots == np.arange(roots.size))
    final = np.zeros(roots.size, dtype)
    final[heads[np.argsort(first[heads])]] = np.arange(1, heads.size + 1)
    return Numbers(starts, final[roots])


def _borders(grid: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, tuple[str, str]]]:
    """Tiles before and after each border through the whole frame (so corners are in it), and their sides."""
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
    """Representative of a component; paths are halved on the way."""
    while parents[component] != component:
        parents[component] = parents[parents[component]]
        component = parents[component]
    return component


@_kernel  # type: ignore[untyped-decorator]
def _join(parents: np.ndarray, before: np.ndarray, after: np.ndarray, reach: int) -> None:
    """Join the components that touch across a border, seen from both sides of it."""
    for i in range(before.size):
        if before[i] == 0:
            continue
        for j in range(max(0, i - reach), min(after.size, i + reach + 1)):
            if after[j] != 0:
                a, b = _root(parents, before[i]), _root(parents, after[j])
                parents[max(a, b)] = min(a, b)


@_kernel  # type: ignore[untyped-decorator]
def _resolve(parents: np.ndarray) -> None:
    """Let every component point at its representative, which has the lowest number of all it joins."""
    for i in range(parents.size):
        parents[i] = parents[parents[i]]
