"""Overviews of a label map in which no object is lost, however small it is on the screen.

The majority, as maps of zones are shown by, leaves nothing of tracks a few pixels wide.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.pyramid import Bounds, Pyramid

Plane = npt.NDArray[np.unsignedinteger]
MOST_PIXELS: Final = 2**28
"""Larger frames are shown by the majority after all."""


class ObjectOverview:
    """Levels without background, each with the highest class of 2 x 2 pixels; a view loses no object.

    Parameters
    ----------
    labels
        What is shown where a pixel is no smaller than one of the screen.
    background
        Label that counts as nothing.
    """

    def __init__(self, labels: Pyramid, background: int) -> None:
        self.labels, self.background = labels, background
        (x0, y0, x1, y1), (n_rows, n_columns) = labels.bounds, labels.shape
        whole, _ = labels.view((x0, x1), (y0, y1), n_columns, n_rows)
        self._levels = [keep_highest(whole * (whole != background))]
        while max(self._levels[-1].shape) > 1:
            self._levels.append(keep_highest(self._levels[-1]))

    def view(
        self, x_range: tuple[float, float], y_range: tuple[float, float], width: int, height: int
    ) -> tuple[Plane, Bounds]:
        """Return the labels of the visible part in cells of at least a screen pixel, as `Pyramid.view`."""
        x, y = self.labels.x, self.labels.y
        scale = max(
            abs(x_range[1] - x_range[0]) / x.step / width, abs(y_range[1] - y_range[0]) / y.step / height
        )
        level = min(int(np.ceil(np.log2(max(scale, 1.0)))), len(self._levels))
        if level == 0:
            return self.labels.view(x_range, y_range, width, height)
        (c0, c1), (r0, r1) = x.pixels(*x_range), y.pixels(*y_range)
        a0, a1, b0, b1 = c0 >> level, ((c1 - 1) >> level) + 1, r0 >> level, ((r1 - 1) >> level) + 1
        overview = self._levels[level - 1][b0:b1, a0:a1]
        ends = (x.position(a0 << level), y.position(b0 << level), x.position(a1 << level))
        nothing = overview.dtype.type(self.background)
        return np.where(overview > 0, overview, nothing), (*ends, y.position(b1 << level))


def keep_highest(plane: Plane) -> Plane:
    """Return the highest of each 2 x 2 block; an odd last row or column stands alone.

    Examples
    --------
    >>> highest(np.array([[0, 0, 3], [4, 0, 0], [0, 0, 0]], dtype="uint8")).tolist()
    [[4, 3], [0, 0]]
    """
    even = np.pad(plane, ((0, plane.shape[0] % 2), (0, plane.shape[1] % 2)))
    rows = np.maximum(even[::2], even[1::2])
    blocks: Plane = np.maximum(rows[:, ::2], rows[:, 1::2])
    return blocks


def make_overview(labels: Pyramid, background: int) -> ObjectOverview | None:
    """Return the overview of a label map that is not too large; takes a moment.

    Parameters
    ----------
    labels
        Pyramid of the label map.
    background
        Label of the background.

    Returns
    -------
    ObjectOverview | None
        The overview, None for very large maps.
    """
    return ObjectOverview(labels, background) if labels.shape[0] * labels.shape[1] <= MOST_PIXELS else None
