"""Cleaning a label map of specks: small islands of a class take the class that surrounds them."""

import numpy as np
from scipy import ndimage

_EIGHT = np.ones((3, 3), bool)


def remove_specks(labels: np.ndarray, *, min_area: int) -> np.ndarray:
    """Give connected areas of fewer than `min_area` pixels the class most frequent along their edge.

    Parameters
    ----------
    labels : ndarray, dims (y, x), unsigned
        0 = no data: never changed and never taken.
    min_area : int
        Areas, connected over edges and corners, of at least this many pixels stay.

    Returns
    -------
    ndarray, dims (y, x)
        A new array. Every speck looks at the map as it was given and specks touching only specks take
        their class in the next round, so the result does not depend on the order. A speck that touches
        nothing but no data stays.

    Examples
    --------
    >>> remove_specks(np.array([[1, 1, 1], [1, 2, 1], [1, 1, 1]], np.uint8), min_area=2)
    array([[1, 1, 1],
           [1, 1, 1],
           [1, 1, 1]], dtype=uint8)
    """
    cleaned = labels.copy()
    waiting = _specks(labels, min_area)
    for _ in range(labels.size):
        numbered = _components(np.where(waiting, cleaned, 0))
        votes = _votes(numbered, np.where(waiting, 0, cleaned))
        winners = votes.argmax(axis=1)
        settled = (votes[np.arange(len(votes)), winners] > 0)[numbered] & waiting
        if not settled.any():
            break
        cleaned[settled] = winners[numbered[settled]]
        waiting &= ~settled
    return cleaned


def _specks(labels: np.ndarray, min_area: int) -> np.ndarray:
    """Return which pixels are in an area of fewer than `min_area` pixels."""
    numbered = _components(labels)
    areas = np.bincount(numbered.ravel())
    return np.asarray((areas < min_area)[numbered] & (labels > 0))


def _components(labels: np.ndarray) -> np.ndarray:
    """Return the connected areas of equal label, numbered from 1 over all classes; 0 where the label is 0."""
    numbered = np.zeros(labels.shape, np.int64)
    n_found = 0
    for label in np.unique(labels[labels > 0]):
        of_class, n_here = ndimage.label(labels == label, structure=_EIGHT)
        numbered[of_class > 0] = of_class[of_class > 0] + n_found
        n_found += n_here
    return numbered


def _votes(numbered: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return how many neighbour pairs each area (row) has with each class (column); none with class 0."""
    n_classes = int(neighbours.max(initial=0)) + 1
    votes = np.zeros((int(numbered.max(initial=0)) + 1) * n_classes, np.int64)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for here, there in (_shift_plane(dy, dx), _shift_plane(-dy, -dx)):
            area, label = numbered[here], neighbours[there]
            pairs = (area > 0) & (label > 0)
            votes += np.bincount(area[pairs] * n_classes + label[pairs], minlength=votes.size)
    return votes.reshape(-1, n_classes)


def _shift_plane(dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of all pixels that have a neighbour at (dy, dx), and of those neighbours."""

    def pair(step: int) -> tuple[slice, slice]:
        return slice(max(0, -step), -step if step > 0 else None), slice(
            max(0, step), step if step < 0 else None
        )

    (y, y_there), (x, x_there) = pair(dy), pair(dx)
    return (y, x), (y_there, x_there)
