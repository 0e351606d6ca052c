"""Outlines of label maps along the edges of their pixels, exact: the polygon's area is its pixels' area."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit

# The four ways along pixel edges, clockwise in the image (y down): east, south, west, north.


@dataclass(frozen=True)
class Outline:
    """Outline of one region of edge-connected pixels; vertex (0, 0) is the corner of the map."""

    outer: np.ndarray
    """Vertices `(n, 2)` as row, column; not closed."""
    holes: tuple[np.ndarray, ...]


def trace(mask: np.ndarray) -> list[Outline]:
    """Outline every region of a mask, regions in raster order of their first pixel.

    Parameters
    ----------
    mask : ndarray of bool (y, x)
        Pixels that touch only at a corner are different regions.
    """
    from scipy import ndimage

    rows, columns = ndimage.find_objects(mask.view(np.uint8), max_label=1)[0] or (slice(0), slice(0))
    regions, _ = ndimage.label(mask[rows, columns])
    padded = np.pad(regions, 1)
    vertices, starts, owners = _rings(padded, _n_edges(padded))
    vertices += np.array([rows.start or 0, columns.start or 0], np.int32)
    rings = np.split(vertices, starts[1:]) if starts.size else []
    # The first ring of a region that is met in raster order is its outer one: it holds the topmost edge.
    found: dict[int, list[np.ndarray]] = {}
    for owner, ring in zip(owners.tolist(), rings, strict=True):
        found.setdefault(owner, []).append(ring)
    return [Outline(first, tuple(holes)) for first, *holes in found.values()]


def boxes_of(objects: np.ndarray) -> dict[int, tuple[slice, slice]]:
    """Return rows and columns of each object, by its number; numbers need not follow each other.

    Parameters
    ----------
    objects : ndarray (y, x), int
        Number of each pixel's object, 0 = none.
    """
    from scipy import ndimage

    here, compact = np.unique(objects, return_inverse=True)
    compact = compact.reshape(objects.shape) + int(here.size > 0 and here[0] != 0)
    return dict(zip(here[here != 0].tolist(), ndimage.find_objects(compact), strict=True))


def trace_objects(objects: np.ndarray) -> Iterator[tuple[int, list[Outline]]]:
    """Yield number and outlines of each object of a map `(y, x)`, in the order of the numbers."""
    for number, box in boxes_of(objects).items():
        corner = np.array([box[0].start, box[1].start], np.int32)
        yield (
            number,
            [
                Outline(one.outer + corner, tuple(hole + corner for hole in one.holes))
                for one in trace(objects[box] == number)
            ],
        )


def _n_edges(regions: np.ndarray) -> int:
    """Return the number of pixel edges between regions; an edge counts once for each side in a region."""
    across = regions[:, 1:] != regions[:, :-1]
    down = regions[1:] != regions[:-1]
    return 2 * int(np.count_nonzero(across) + np.count_nonzero(down))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _rings(regions: np.ndarray, n_edges: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the corners of all rings one after another, and the first corner and the region of each ring.

    Follows each boundary with the region on the right hand, turning right wherever that is possible: regions
    that touch at a corner stay apart. `regions` has a border of zeros, one pixel wide.
    """
    vertices = np.empty((n_edges, 2), np.int32)
    starts = np.empty(n_edges, np.int64)
    owners = np.empty(n_edges, np.int32)
    seen = np.zeros(regions.shape, np.bool_)
    n_vertices = 0
    n_rings = 0
    for top in range(1, regions.shape[0] - 1):
        for left in range(1, regions.shape[1] - 1):
            region = regions[top, left]
            if region == 0 or regions[top - 1, left] == region or seen[top, left]:
                continue
            starts[n_rings] = n_vertices
            owners[n_rings] = region
            n_rings += 1
            n_vertices = _follow(regions, seen, vertices, n_vertices, (top, left))
    return vertices[:n_vertices], starts[:n_rings], owners[:n_rings]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _follow(
    regions: np.ndarray, seen: np.ndarray, vertices: np.ndarray, n_vertices: int, start: tuple[int, int]
) -> int:
    """Add the corners of the ring with the upper edge of pixel `start`; return the new number of vertices."""
    region = regions[start]
    y, x = start  # vertex (y, x) is the upper left corner of pixel (y, x)
    dy, dx = 0, 1
    while True:
        if dx == 1:
            seen[y, x] = True
        y += dy
        x += dx
        # The pixels ahead: vertex (y, x) has pixels (y-1, x-1) ... (y, x) around it.
        ahead_y, ahead_x = y + (dy - 1) // 2, x + (dx - 1) // 2
        if dx != 0:
            right = regions[y if dx == 1 else y - 1, ahead_x]
            wrong = regions[y - 1 if dx == 1 else y, ahead_x]
        else:
            right = regions[ahead_y, x - 1 if dy == 1 else x]
            wrong = regions[ahead_y, x if dy == 1 else x - 1]
        if right != region:
            dy, dx = dx, -dy
        elif wrong == region:
            dy, dx = -dx, dy
        else:
            continue
        vertices[n_vertices, 0] = y - 1
        vertices[n_vertices, 1] = x - 1
        n_vertices += 1
        if y == start[0] and x == start[1] and dy == 0 and dx == 1:
            return n_vertices
