"""Smooth maps without touching what is missing."""

from typing import Final

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

from engine.errors import InputError
from engine.preprocess.neighbours import with_neighbours
from engine.recipe import record_step

REACH: Final = 4.0
"""Standard deviations at which the Gaussian is cut off."""


@record_step
def smooth(images: xr.Dataset, *, sigma: float) -> xr.Dataset:
    """Gaussian mean of the valid values round each valid pixel, channel by channel; lazy.

    The kernel is normalised by its part over valid pixels of the frame. Missing values stay missing, excluded
    pixels neither give nor take. Angles are smoothed as unit vectors and lie in one turn from 0.

    Parameters
    ----------
    images : Dataset
    sigma
        Standard deviation of the Gaussian in pixels; 0 changes nothing.

    Raises
    ------
    InputError
        If sigma is negative or not a number.

    References
    ----------
    Normalised convolution: Knutsson & Westin, CVPR 1993.
    """
    if not 0 <= sigma < np.inf:
        raise InputError(f"sigma {sigma}; expected 0 or a positive number of pixels")
    if sigma == 0:
        return images
    return with_neighbours(images, _smooth_tile, halo=int(REACH * sigma + 0.5), sigma=float(sigma))


def _smooth_tile(tile: np.ndarray, *, sigma: float, period: float | None) -> np.ndarray:
    planes = tile.reshape(-1, *tile.shape[-2:])
    result = np.empty(planes.shape, tile.dtype)
    for plane, out in zip(planes, result, strict=True):
        out[...] = smooth_plane(plane, sigma=sigma, period=period)
    return result.reshape(tile.shape)


def smooth_plane(plane: np.ndarray, *, sigma: float, period: float | None = None) -> np.ndarray:
    """Normalised Gaussian mean of one plane `(y, x)`, NaN where the plane is not finite.

    Parameters
    ----------
    plane : ndarray (y, x)
        One plane of values.
    sigma : float
        Standard deviation of the Gaussian in pixels.
    period : float, optional
        Length of the circle for angles; None or 0 for plain numbers.
    """
    valid = np.isfinite(plane)
    known = np.where(valid, plane, 0.0).astype(np.float64)
    weight = np.where(valid, _blur_plane(valid.astype(np.float64), sigma), 1.0)
    if period is None:
        mean = _blur_plane(known, sigma) / weight
    else:
        radian = known * (2 * np.pi / period)
        sine = _blur_plane(np.where(valid, np.sin(radian), 0.0), sigma)
        cosine = _blur_plane(np.where(valid, np.cos(radian), 0.0), sigma)
        mean = np.arctan2(sine, cosine) * (period / (2 * np.pi)) % period
    return np.where(valid, mean, np.nan)


def _blur_plane(plane: np.ndarray, sigma: float) -> np.ndarray:
    blurred: np.ndarray = gaussian_filter(plane, sigma, mode="constant", truncate=REACH)
    return blurred
