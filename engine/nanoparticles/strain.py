"""Strain of the lattice of each particle along its strongest fringes, by geometric phase analysis.

References
----------
M. J. Hÿtch, E. Snoeck, R. Kilaas, Ultramicroscopy 74 (1998) 131-146: the displacement is the phase of a
Fourier component over 2 pi times its frequency, the strain the slope of the displacement.
"""

from typing import Final

import numpy as np

from engine.export.outlines import boxes_of
from engine.nanoparticles.detect import wider
from engine.nanoparticles.features import SLOW, follow
from engine.nanoparticles.lattice import edge_taper, flat, measure_lattice

RESOLUTION: Final = 1.5
"""Standard deviation of the window in which a phase is measured, in periods of the fringes."""
INNER: Final = 0.6
"""Weight of a pixel of a particle from which its phase is trusted: nearer to the edge there is too little."""


def strain_map(image: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return how much wider the strongest fringes of each particle are than on its average, in percent.

    Parameters
    ----------
    image : ndarray (y, x)
    objects : ndarray (y, x), int
        Number of each pixel's particle, 0 = none; any numbers.

    Returns
    -------
    ndarray (y, x), float32
        NaN outside of particles and where no lattice is seen.
    """
    found = np.full(image.shape, np.nan, np.float32)
    for number, box in boxes_of(objects).items():
        window = wider(box, image.shape)
        strain = particle_strain(np.asarray(image[window], np.float32), objects[window] == number)
        part = found[window]
        part[np.isfinite(strain)] = strain[np.isfinite(strain)]
    return found


def particle_strain(crop: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Strain of one particle in percent, `(y, x)`; NaN where it is not trusted or there is no lattice.

    Parameters
    ----------
    crop : ndarray (y, x)
        The micrograph round the particle.
    inside : ndarray (y, x), bool
    """
    unknown = np.full(crop.shape, np.nan, np.float32)
    lattice = measure_lattice(crop, inside)
    if not lattice.resolved:
        return unknown
    weight = edge_taper(inside)
    diameter = max(2.0, 2 * float(np.sqrt(inside.sum() / np.pi)))
    frequency = lattice.frequencies[0]
    even = flat(crop, weight, sigma=diameter / SLOW) * weight
    phase = follow(even, weight, frequency, sigma=RESOLUTION / float(np.hypot(*frequency))).phase
    slope = np.stack([_slope(phase, axis) for axis in (0, 1)])
    along = np.tensordot(frequency / np.hypot(*frequency), slope, axes=1)
    strain = -along / (2 * np.pi * np.hypot(*frequency))
    trusted = inside & (weight > INNER)
    if not trusted.any():
        return unknown
    return np.where(trusted, 100 * (strain - np.median(strain[trusted])), np.nan).astype(np.float32)


def _slope(phase: np.ndarray, axis: int) -> np.ndarray:
    """Central difference of a phase, which is defined up to whole turns."""
    ahead, behind = np.roll(phase, -1, axis), np.roll(phase, 1, axis)
    return np.asarray(np.angle(np.exp(1j * (ahead - behind))) / 2)
