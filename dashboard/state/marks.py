"""Overviews of a label map in which no object is lost, however small it is on the screen.

The majority, as maps of zones show it, leaves nothing of tracks a few pixels wide.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from engine.pyramid import Pyramid, label_pyramid


def mark_pyramid(labels: xr.DataArray, background: int, *, cache: Path) -> Pyramid:
    """Pyramid of what is not background: each level keeps the highest class of 2 x 2 pixels, else 0.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned
    background
        Label that counts as nothing.
    cache
        As for `label_pyramid`.
    """
    marks = labels.copy(data=labels.data * (labels.data != background).astype(labels.dtype))
    pyramid = label_pyramid(marks, cache=cache)
    pyramid._levels.halve = highest
    return pyramid


def highest(plane: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.unsignedinteger]:
    """Highest of each 2 x 2 block; an odd last row or column stands alone.

    Examples
    --------
    >>> highest(np.array([[0, 0, 3], [4, 0, 0], [0, 0, 0]], dtype="uint8")).tolist()
    [[4, 3], [0, 0]]
    """
    even = np.pad(plane, ((0, plane.shape[0] % 2), (0, plane.shape[1] % 2)))
    rows = np.maximum(even[::2], even[1::2])
    found: npt.NDArray[np.unsignedinteger] = np.maximum(rows[:, ::2], rows[:, 1::2])
    return found
