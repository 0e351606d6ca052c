"""Smoothing whose cost does not grow with its width."""

from typing import Final

import numpy as np
from scipy import ndimage

NARROW: Final = 3.0
"""Standard deviation in pixels up to which the Gaussian itself is taken."""
N_BOXES: Final = 3


def smooth_gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """Return values `(y, x)`, real or complex, smoothed by a Gaussian.

    A wide one is three boxes one after another.

    Parameters
    ----------
    values : ndarray (y, x)
        Values of the pixels.
    sigma : float
        Standard deviation of the Gaussian in pixels.

    References
    ----------
    W. M. Wells, Efficient synthesis of Gaussian filters by cascaded uniform filters, IEEE Trans. Pattern
    Anal. Mach. Intell. 8 (1986) 234-239: boxes of width `w` have the variance `(w^2 - 1) / 12` each.
    """
    if np.iscomplexobj(values):
        return np.asarray(smooth_gaussian(values.real, sigma) + 1j * smooth_gaussian(values.imag, sigma))
    if sigma <= NARROW:
        return np.asarray(ndimage.gaussian_filter(values, sigma))
    found = values
    for width in _widths(sigma):
        found = ndimage.uniform_filter(found, width)
    return np.asarray(found)


def _widths(sigma: float) -> list[int]:
    """Odd widths of the boxes whose variances add up to nearest that of the Gaussian."""
    ideal = np.sqrt(12 * sigma**2 / N_BOXES + 1)
    narrow = int(ideal) - (int(ideal) + 1) % 2
    variance = 12 * sigma**2 - N_BOXES * (narrow**2 - 1)
    n_wide = round(variance / ((narrow + 2) ** 2 - narrow**2))
    return [narrow + 2] * min(n_wide, N_BOXES) + [narrow] * max(N_BOXES - n_wide, 0)
