"""What pixels tell of the object they are in: lying in a hot line, touching a track, glow behind something.

Kernels on tiles with a halo; `measure` sums or averages what they say over each object.
"""

from typing import Final

import numpy as np
from scipy import ndimage

CROSSING: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL: Final = ((-1, -1), (-1, 1), (1, -1), (1, 1))
BEHIND: Final = 3
"""How far glow is looked for on both sides of a pixel in front of it: lines up to `BEHIND` - 1 px wide."""


def in_lines(labels: np.ndarray, *, hot: int, shortest: int, reach: int) -> np.ndarray:
    """Which hot pixels lie in a line along their row or column, float32.

    There are at least `shortest` times as many hot pixels along the line, up to `reach` away, as there are
    across it; so lines may have gaps, and lie side by side. Where lines cross, the pixel has hot pixels on
    its four sides and none at its corners.
    """
    is_hot = np.pad(labels == hot, reach)
    y, x = np.nonzero(is_hot)
    steps = range(-reach, reach + 1)
    n_row = sum((is_hot[y, x + step].astype(np.int16) for step in steps), np.zeros(y.size, np.int16))
    n_column = sum((is_hot[y + step, x].astype(np.int16) for step in steps), np.zeros(y.size, np.int16))
    along, across = np.maximum(n_row, n_column), np.minimum(n_row, n_column)
    sides = np.logical_and.reduce([is_hot[y + dy, x + dx] for dy, dx in CROSSING])
    corners = np.logical_or.reduce([is_hot[y + dy, x + dx] for dy, dx in DIAGONAL])
    found = np.zeros(labels.shape, np.float32)
    found[y - reach, x - reach] = (along >= shortest * across) | (sides & ~corners)
    return found


def beside(labels: np.ndarray, *, label: int) -> np.ndarray:
    """Which pixels touch one of that label, uint8."""
    return np.asarray(ndimage.maximum_filter((labels == label).astype(np.uint8), 3, mode="constant"))


def glow_behind(labels: np.ndarray, *, glowing: int, front: tuple[int, ...]) -> np.ndarray:
    """Which pixels glow, or are of a class in `front` between two that do in their row or column."""
    glow = labels == glowing
    near = np.pad(glow, BEHIND)
    behind = np.zeros_like(glow)
    for turned, sides in ((near, behind), (near.T, behind.T)):  # sides: views, filled in place
        inner = turned[BEHIND : turned.shape[0] - BEHIND]
        width = sides.shape[1]
        before = np.logical_or.reduce(
            [inner[:, BEHIND - n : BEHIND - n + width] for n in range(1, BEHIND + 1)]
        )
        after = np.logical_or.reduce(
            [inner[:, BEHIND + n : BEHIND + n + width] for n in range(1, BEHIND + 1)]
        )
        sides |= before & after
    return np.asarray(glow | (behind & np.isin(labels, front)))
