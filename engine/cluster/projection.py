"""A matrix product whose rounding does not depend on the number of pixels."""

import numpy as np
from numba import njit

from engine.cluster.vectors import BLOCK


@njit(nogil=True, cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
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
