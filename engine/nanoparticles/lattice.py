"""The lattice of one particle: spacings, angles and their uncertainty, from the peaks of its spectrum."""

import itertools
from typing import Final, NamedTuple

import numpy as np
from scipy import fft, ndimage

from engine.nanoparticles.gaussian import smooth_gaussian

SHORTEST: Final = 2.2
"""Period in pixels below which a peak is noise of the camera."""
PERIODS: Final = 3.0
"""Periods that must fit into a particle."""
PADDED: Final = 2
"""How many times finer than the particle's size the spectrum is sampled."""
CHANCE: Final = 8.0
"""How far a peak must be above the logarithm of the number of independent frequencies, in powers of noise: of
100 particles of noise 2 have such a peak."""
N_PEAKS: Final = 4
MEDIAN: Final = float(np.log(2))
"""Median of the power of noise, of its mean."""


class Lattice(NamedTuple):
    """Peaks of a particle's spectrum, strongest first; arrays of equal length, empty without a lattice.

    Attributes
    ----------
    spacing : ndarray
        Periods in pixels.
    angle : ndarray
        Direction across the fringes in radians from x towards y, 0 to pi.
    spacing_error, angle_error : ndarray
        Standard deviations, in pixels and radians.
    height : ndarray
        Power over that of noise in the same ring of frequencies.
    """

    spacing: np.ndarray
    angle: np.ndarray
    spacing_error: np.ndarray
    angle_error: np.ndarray
    height: np.ndarray

    @property
    def resolved(self) -> bool:
        """True where there is a lattice."""
        return bool(self.spacing.size)

    @property
    def frequencies(self) -> np.ndarray:
        """Rows (y, x) in cycles a pixel."""
        across = np.stack([np.sin(self.angle), np.cos(self.angle)], axis=1)
        return np.asarray(across / self.spacing[:, np.newaxis])


def measure_lattice(crop: np.ndarray, inside: np.ndarray, *, n_peaks: int = N_PEAKS) -> Lattice:
    """Find the lattice peaks of a particle.

    Parameters
    ----------
    crop : ndarray (y, x)
        The micrograph round the particle.
    inside : ndarray (y, x), bool
        Which pixels are the particle's.
    n_peaks
        Most peaks.

    Notes
    -----
    The error of a frequency is the Cramér-Rao bound ``1 / (2 pi s sqrt(2 h))``, with `s` the standard
    deviation of the weighted pixels' places across the fringes and `h` the height of the peak over noise
    [1]_.

    References
    ----------
    .. [1] D. C. Rife, R. R. Boorstyn, Single-tone parameter estimation from discrete-time observations, IEEE
       Trans. Inf. Theory 20 (1974) 591-598.
    """
    weight = edge_taper(inside)
    diameter = 2 * np.sqrt(inside.sum() / np.pi)
    if diameter < 4 * SHORTEST:
        return _lattice([], weight)
    power, fy, fx = spectrum(crop, weight)
    heights = over_noise(power, fy, fx, diameter)
    radius = np.hypot(fy, fx)
    kept = (radius >= PERIODS / diameter) & (radius <= 1 / SHORTEST) & ((fx > 0) | (fy > 0))
    around = 2 * PADDED + 1
    top = (ndimage.maximum_filter(heights, around, mode="wrap") == heights) & kept
    n_independent = max(2.0, np.pi / 8 * (diameter / SHORTEST) ** 2)
    candidates = np.argwhere(top & (heights > np.log(n_independent) + CHANCE))
    order = np.argsort([-heights[tuple(place)] for place in candidates])[: 3 * n_peaks]
    peaks: list[tuple[float, float, float]] = []
    for row, column in candidates[order]:
        y, x = _refine_peak(power, row, column)
        found = (y, x, float(heights[row, column]))
        if not any(_multiple(found, other) for other in peaks):
            peaks.append(found)
    return _lattice(peaks[:n_peaks], weight)


def edge_taper(inside: np.ndarray) -> np.ndarray:
    """Return weights of a particle's pixels that fall to 0 at its edge like a cosine."""
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    width = max(1.0, depth.max() / 3)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(depth / width, 0, 1)), np.float32)


def flat(crop: np.ndarray, weight: np.ndarray, *, sigma: float) -> np.ndarray:
    """Return the crop without its slow changes, which are a mean over pixels of weight.

    0 where there are none.

    Parameters
    ----------
    crop : ndarray (y, x)
        Part of the image round a particle.
    weight : ndarray (y, x)
        Weight of each pixel, 0 outside of the particle.
    sigma : float
        Standard deviation of the Gaussian in pixels.
    """
    values = np.nan_to_num(np.asarray(crop, np.float32))
    share = smooth_gaussian(weight, sigma)
    slow = smooth_gaussian(values * weight, sigma) / np.maximum(share, 1e-6)
    return np.where(weight > 0, values - slow, 0.0).astype(np.float32)


def spectrum(crop: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power of the weighted crop, padded, and its frequencies along y and x in cycles a pixel.

    Parameters
    ----------
    crop : ndarray (y, x)
        Part of the image round a particle.
    weight : ndarray (y, x)
        Weight of each pixel, 0 outside of the particle.
    """
    edge = fft.next_fast_len(int(PADDED * max(crop.shape)), real=True)
    diameter = max(2.0, 2 * np.sqrt(float(weight.sum()) / np.pi))
    values = flat(crop, weight, sigma=diameter / 6) * weight
    transformed = fft.fft2(values, (edge, edge))
    fy, fx = np.meshgrid(fft.fftfreq(edge), fft.fftfreq(edge), indexing="ij")
    return np.abs(transformed) ** 2, fy, fx


def over_noise(power: np.ndarray, fy: np.ndarray, fx: np.ndarray, diameter: float) -> np.ndarray:
    """Power over that of noise, which is told by the median in rings of frequencies one period wide.

    Parameters
    ----------
    power : ndarray (y, x)
        Power spectrum.
    fy : ndarray (y,)
        Frequencies along y in cycles a pixel.
    fx : ndarray (x,)
        Frequencies along x in cycles a pixel.
    diameter : float
        Diameter of the particle in pixels.
    """
    ring = np.round(np.hypot(fy, fx) * diameter).astype(np.uint16)
    order = np.argsort(
        ring, axis=None, kind="stable"
    )  # of 16 bits by their digits, far faster than by comparing
    starts = np.searchsorted(ring.ravel()[order], np.arange(int(ring.max()) + 2))
    ordered = power.ravel()[order]
    medians = np.array([np.median(ordered[a:b]) if b > a else 0.0 for a, b in itertools.pairwise(starts)])
    smooth = ndimage.median_filter(medians, 3, mode="nearest")
    return np.asarray(power / np.maximum(smooth / MEDIAN, 1e-20)[ring])


def _refine_peak(power: np.ndarray, row: int, column: int) -> tuple[float, float]:
    """Frequency of a peak between the samples, by a parabola through the logarithms on either side."""
    found = []
    for axis, place in enumerate((row, column)):
        n = power.shape[axis]
        line = power[:, column] if axis == 0 else power[row]
        left, mid, right = np.log(np.maximum(line[[(place - 1) % n, place, (place + 1) % n]], 1e-30))
        bend = left - 2 * mid + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        found.append(((place + n // 2) % n - n // 2 + float(np.clip(shift, -1, 1))) / n)
    return found[0], found[1]


def _multiple(found: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Return whether one peak is a harmonic of the other, or the same."""
    ratio = (found[0] * other[0] + found[1] * other[1]) / (other[0] ** 2 + other[1] ** 2)
    nearest = [m for m in (-2, -1, 1, 2) if abs(ratio - m) < 0.06]
    return any(
        np.hypot(found[0] - m * other[0], found[1] - m * other[1]) < 0.06 * np.hypot(*other[:2])
        for m in nearest
    )


def _lattice(peaks: list[tuple[float, float, float]], weight: np.ndarray) -> Lattice:
    y, x, height = (np.array([peak[n] for peak in peaks], np.float64) for n in range(3))
    frequency = np.hypot(y, x)
    spacing = np.divide(1, frequency, out=np.zeros_like(frequency), where=frequency > 0)
    square = float((weight**2).sum())
    rows, columns = np.indices(weight.shape)
    spread = 1.0
    if square > 0:
        centre = [(weight**2 * grid).sum() / square for grid in (rows, columns)]
        moment = (weight**2 * ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2)).sum() / square
        spread = float(np.sqrt(moment / 2))
    error = 1 / (2 * np.pi * spread * np.sqrt(2 * np.maximum(height, 1e-6)))
    return Lattice(spacing, np.arctan2(y, x) % np.pi, error * spacing**2, error * spacing, height)
