"""Halving the resolution of a plane: the majority of labels, the mean of values; plain NumPy on (y, x)."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

BAND_ROWS: Final = 512

Plane = npt.NDArray[Any]
Halve = Callable[[Plane], Plane]


def halve_labels(labels: Plane) -> Plane:
    """Majority of each 2 x 2 block of unsigned labels `(y, x)`; an odd last row or column is repeated.

    0 counts as a value; ties go to the lowest class, to 0 only if nothing else is as frequent.

    Examples
    --------
    >>> halve_labels(np.array([[0, 2, 3, 3], [2, 0, 1, 0]], dtype="uint8"))
    array([[2, 3]], dtype=uint8)
    """
    return _in_bands(_majority, labels, labels.dtype)


def halve_values(values: Plane, *, period: float | None = None) -> Plane:
    """Return the mean of the valid ones of each 2 x 2 block of float32 values `(y, x)`.

    NaN where there are none.

    Parameters
    ----------
    values : array (y, x)
    period
        Length of the circle for angles: 359 and 1 average to 0 with 360 (mean direction, Mardia & Jupp
        2000, section 2.2).

    Examples
    --------
    >>> halve_values(np.array([[1, 3], [np.nan, 5]], dtype="float32"))
    array([[3.]], dtype=float32)
    """
    return _in_bands(lambda band: _mean(band, period), values, np.dtype("float32"))


def _in_bands(kernel: Halve, plane: Plane, dtype: np.dtype[Any]) -> Plane:
    """Apply a halving kernel to bands of rows that stay in the processor's cache."""
    n_rows, n_columns = plane.shape
    out = np.empty(((n_rows + 1) // 2, (n_columns + 1) // 2), dtype)
    for start in range(0, n_rows, BAND_ROWS):
        band = plane[start : start + BAND_ROWS]
        if band.shape[0] % 2 or n_columns % 2:
            band = np.pad(band, ((0, band.shape[0] % 2), (0, n_columns % 2)), mode="edge")
        out[start // 2 : (start + BAND_ROWS) // 2] = kernel(band)
    return out


def _quarters(plane: Plane) -> tuple[Plane, Plane, Plane, Plane]:
    return plane[::2, ::2], plane[::2, 1::2], plane[1::2, ::2], plane[1::2, 1::2]


def _majority(labels: Plane) -> Plane:
    """Mode of each block by a sorting network of four; 0 is made the highest value to lose every tie."""
    one = labels.dtype.type(1)
    p, q, r, s = (np.subtract(part, one) for part in _quarters(labels))
    p, q = np.minimum(p, q), np.maximum(p, q)
    r, s = np.minimum(r, s), np.maximum(r, s)
    lowest, highest, q, r = np.minimum(p, r), np.maximum(q, s), np.maximum(p, r), np.minimum(q, s)
    second, third = np.minimum(q, r), np.maximum(q, r)
    outer = np.where((third == highest) & (lowest != second), third, lowest)
    mode: Plane = np.where(second == third, second, outer) + one
    return mode


def _mean(values: Plane, period: float | None) -> Plane:
    parts = [np.asarray(part, dtype="float32") for part in _quarters(values)]
    mean: Plane = (parts[0] + parts[1] + (parts[2] + parts[3])) * np.float32(0.25)
    odd = np.isnan(mean)
    if (
        period is not None
        and np.fmax.reduce(values, axis=None) - np.fmin.reduce(values, axis=None) > period / 2
    ):
        low = np.minimum(np.minimum(parts[0], parts[1]), np.minimum(parts[2], parts[3]))
        high = np.maximum(np.maximum(parts[0], parts[1]), np.maximum(parts[2], parts[3]))
        odd |= high - low > period / 2
    if odd.any():
        mean[odd] = _mean_of_valid(np.stack([part[odd] for part in parts]), period)
    return mean


def _extent(values: Plane) -> float:
    return float(np.fmax.reduce(values, axis=None) - np.fmin.reduce(values, axis=None))


def _mean_of_valid(parts: Plane, period: float | None) -> Plane:
    """Return mean over the first axis of `(4, n)` values, leaving NaN out; NaN where all are."""
    valid = ~np.isnan(parts)
    count = valid.sum(axis=0)
    if period is None:
        mean = np.where(valid, parts, 0).sum(axis=0) / np.maximum(count, 1)
    else:
        turns = np.exp(2j * np.pi / period * np.where(valid, parts, 0)) * valid
        mean = np.mod(np.angle(turns.sum(axis=0)) * period / (2 * np.pi), period)
    return np.asarray(np.where(count > 0, mean, np.nan))
