"""Traits of pixels that tell of their object: lying in a hot line, touching a track, glow behind it.

Kernels on tiles with a halo; `measure` sums or averages what they say over each object.
"""

from typing import Final

import numpy as np

CROSSING: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL: Final = ((-1, -1), (-1, 1), (1, -1), (1, 1))
BEHIND: Final = 3
"""How far glow is looked for on both sides of a pixel in front of it: lines up to `BEHIND` - 1 px wide."""


def in_lines(
    labels: np.ndarray, *, hot: int, shortest: int, reach: int, crossings: bool = True
) -> np.ndarray:
    """Return 1 for the hot pixels that lie in a line along their row or column, else 0; float32.

    There are at least `shortest` times as many hot pixels along the line, up to `reach` away, as there are
    across it; so lines may have gaps, and lie side by side. Where lines cross, the pixel has hot pixels on
    its four sides and none at its corners: with `crossings` it counts.

    Parameters
    ----------
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    hot
        Label of hot pixels.
    shortest
        Number of hot pixels along a line of width 1, at least.
    reach
        Distance in pixels up to which others are counted.
    crossings
        Whether a pixel where lines cross counts.
    """
    is_hot = np.pad(labels == hot, reach)
    y, x = np.nonzero(is_hot)
    steps = range(-reach, reach + 1)
    n_row = sum((is_hot[y, x + step].astype(np.int16) for step in steps), np.zeros(y.size, np.int16))
    n_column = sum((is_hot[y + step, x].astype(np.int16) for step in steps), np.zeros(y.size, np.int16))
    along, across = np.maximum(n_row, n_column), np.minimum(n_row, n_column)
    straight = along >= shortest * across
    if crossings:
        sides = np.logical_and.reduce([is_hot[y + dy, x + dx] for dy, dx in CROSSING])
        corners = np.logical_or.reduce([is_hot[y + dy, x + dx] for dy, dx in DIAGONAL])
        straight |= sides & ~corners
    found = np.zeros(labels.shape, np.float32)
    found[y - reach, x - reach] = straight
    return found


def touching_pixels(labels: np.ndarray, *, label: int) -> np.ndarray:
    """Return 1 for the pixels that touch one of a label, else 0; uint8.

    Parameters
    ----------
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    label
        The label that is touched.
    """
    near = np.pad(labels == label, 1)
    rows = near[:-2] | near[1:-1] | near[2:]
    return np.asarray((rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]).view(np.uint8))


def glow_behind(labels: np.ndarray, *, glowing: int, front: tuple[int, ...]) -> np.ndarray:
    """Return where pixels glow, or are of a class in `front` between two that do in their row or column.

    Parameters
    ----------
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    glowing
        Label of glow.
    front
        Labels of what may lie before it.
    """
    glow = labels == glowing
    near = np.pad(glow, BEHIND)
    y, x = np.nonzero(np.isin(labels, front))
    before, after = range(BEHIND), range(BEHIND + 1, 2 * BEHIND + 1)
    left, right = (_any([near[y + BEHIND, x + n] for n in side]) for side in (before, after))
    above, below = (_any([near[y + n, x + BEHIND] for n in side]) for side in (before, after))
    glow[y, x] = (left & right) | (above & below)
    return np.asarray(glow)


def _any(masks: list[np.ndarray]) -> np.ndarray:
    return np.asarray(np.logical_or.reduce(masks))
