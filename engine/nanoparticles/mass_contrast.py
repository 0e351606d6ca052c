"""Particles that are darker, or brighter, than what they lie on: a threshold, and what it is worth."""

from typing import Final, NamedTuple

import numpy as np
from scipy import ndimage

ORDERS: Final = (0, 1, 2)
"""Of the surfaces that are tried for the support's brightness."""
ROUNDS: Final = 4
CLIP: Final = 2.5
"""Robust standard deviations from the surface beyond which pixels are no support."""
COARSE: Final = 128
"""Points along the shorter edge from which a surface is fitted, about."""
SHRUNK: Final = 0.25
"""A surface that leaves less than this share of what is found without one has eaten the particles."""


class Parted(NamedTuple):
    """A micrograph parted in two by brightness.

    Attributes
    ----------
    inside : ndarray (y, x), bool
        The side with fewer pixels.
    separation : float
        Distance of the two means in standard deviations within the sides. Otsu's threshold parts any image;
        of one normal distribution the halves are 2.65 apart.
    """

    inside: np.ndarray
    separation: float


def part(image: np.ndarray, *, sigma: float) -> Parted:
    """Part an image at Otsu's threshold [1]_, the slow changes of its support taken off.

    Surfaces of several orders are tried; the one is taken that parts best.

    Parameters
    ----------
    image : ndarray (y, x)
        Without missing values.
    sigma
        Of the Gaussian by which it is smoothed first, in pixels.

    References
    ----------
    .. [1] N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. Syst. Man Cybern. 9
       (1979) 62-66.
    """
    smooth = ndimage.gaussian_filter(np.asarray(image, np.float32), sigma)
    found = [_split_by_threshold(smooth - surface(smooth, order)) for order in ORDERS]
    least = SHRUNK * found[0].inside.mean()
    return max((one for one in found if one.inside.mean() >= least), key=lambda one: one.separation)


def surface(image: np.ndarray, order: int) -> np.ndarray:
    """Polynomial in y and x of an order, fitted to the support: what lies far from it is left out.

    Parameters
    ----------
    image : ndarray (y, x)
        The micrograph.
    order : int
        Order of the polynomial.
    """
    if order == 0:
        return np.zeros((1, 1), np.float32)
    stride = max(1, min(image.shape) // COARSE)
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in image.shape)
    powers = [(a, b) for a in range(order + 1) for b in range(order + 1 - a)]
    columns = np.stack([np.outer(y[::stride] ** a, x[::stride] ** b).ravel() for a, b in powers], axis=1)
    values = image[::stride, ::stride].ravel()
    kept = np.ones(values.size, bool)
    weights = np.zeros(len(powers), np.float32)
    for _ in range(ROUNDS):
        weights = np.linalg.lstsq(columns[kept], values[kept], rcond=None)[0]
        rest = values - columns @ weights
        middle = np.median(rest)
        spread = 1.4826 * np.median(np.abs(rest - middle))
        kept = np.abs(rest - middle) <= CLIP * spread + 1e-9
    planes = (w * np.outer(y**a, x**b) for w, (a, b) in zip(weights, powers, strict=True))
    return np.asarray(sum(planes), np.float32)


def _split_by_threshold(image: np.ndarray) -> Parted:
    from skimage.filters import threshold_otsu

    if np.ptp(image) == 0:
        return Parted(np.zeros(image.shape, bool), 0.0)
    dark = image < float(threshold_otsu(image))  # type: ignore[no-untyped-call]
    below, above = image[dark], image[~dark]
    within = (below.var() * below.size + above.var() * above.size) / image.size
    separation = float((above.mean() - below.mean()) / max(float(np.sqrt(within)), 1e-12))
    return Parted(dark if dark.mean() <= 0.5 else ~dark, separation)
