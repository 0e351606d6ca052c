"""Compiled passes over pixels: nearest centres, exact sums, projections. Arrays only, no NaN surprises.

Features come as `(feature, pixel)` float32. Pixels are taken in blocks of `BLOCK`, copied into a buffer of
that fixed size, so that the compiler vectorises over pixels and each pixel's arithmetic is the same
wherever it stands: the labels cannot depend on the chunking. A value that is not finite is missing: the
squared distance over the values a pixel has is scaled by channels / valid channels, and for a pixel that
is complete that is the plain distance to the last bit.

Sums are exact: values are rounded to multiples of a power of two (`grid_of`) so coarse that float64
additions of up to 2**30 of them never round, so their order is of no consequence [1]_. The rounding is
2**-22 of the largest value, half of float32's own.

References
----------
.. [1] J. Demmel, H. D. Nguyen, Fast reproducible floating-point summation, IEEE ARITH 2013 (pre-rounding).
"""

from typing import Any, Final

import numpy as np
from numba import njit

BLOCK: Final = 256

_OPTIONS: Final[dict[str, Any]] = {
    "nogil": True,
    "cache": True,
    "fastmath": {"contract"},
    "error_model": "numpy",
}
"""`contract` lets a multiply and add become one instruction; NaN keeps its meaning, sums their order."""

_EXACT: Final[dict[str, Any]] = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]
def project(values: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Return `components @ values`, each pixel summed in the order of the channels.

    Parameters
    ----------
    values : ndarray, dims (channel, pixel), float32
    components : ndarray, dims (feature, channel), float32

    Returns
    -------
    ndarray, dims (feature, pixel), float32
        A matrix product of BLAS would round differently for another number of pixels.
    """
    n_features, n_channels = components.shape
    n_pixels = values.shape[1]
    out = np.zeros((n_features, n_pixels), np.float32)
    block = np.zeros(BLOCK, np.float32)
    total = np.zeros(BLOCK, np.float32)
    for start in range(0, n_pixels, BLOCK):
        n = min(BLOCK, n_pixels - start)
        for f in range(n_features):
            total[:] = 0
            for c in range(n_channels):
                block[:n] = values[c, start : start + n]
                for i in range(BLOCK):
                    total[i] += components[f, c] * block[i]
            out[f, start : start + n] = total[:n]
    return out
