"""Pictures that nobody took, made from pictures learned from: examples of what is unlike all of them.

A network that has seen only its classes looks for what tells these apart, and noise, a lattice or a negative
may differ in nothing that it looks for. Shown such pictures, a linear rule finds what does differ [1]_; where
nothing does (classes that look the same as a negative, say), its limit, set by held-out pictures, lets them
pass.

References
----------
.. [1] D. Hendrycks, M. Mazeika, T. Dietterich, Deep anomaly detection with outlier exposure, ICLR 2019,
   arXiv:1812.04606.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.image_classes.network_inputs import level_background

PARTS: Final = (4, 8, 16)
"""Into how many rows and columns of parts a picture is cut that are put together in another order."""
NOISE: Final = (0.7, 3.0)
"""Least and largest noise in which a picture is drowned, in units of its standard deviation."""


def make_outliers(squares: np.ndarray, *, seed: int) -> np.ndarray:
    """Return an outlier made from each image: coloured noise, negative, mixed phases, noisy, or shuffled.

    Parameters
    ----------
    squares : ndarray (picture, y, x), uint8
    seed

    Returns
    -------
    ndarray (picture, y, x), uint8
    """
    rng = np.random.default_rng((seed, 3))
    return np.stack([KINDS[n % len(KINDS)](square, rng) for n, square in enumerate(squares)])


def _noise(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of one colour: a power of the frequency, cut off or not, with or without a ring."""
    return level_background(_color_noise(len(square), rng))


def _negative(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    return 255 - square


def _scramble_phases(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the spectrum of a picture with the phases of noise."""
    phases = np.fft.rfft2(rng.standard_normal(square.shape))
    spectrum = np.abs(np.fft.rfft2(square)) * phases / np.maximum(np.abs(phases), 1e-9)
    return level_background(np.fft.irfft2(spectrum, square.shape))


def _drown_in_noise(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    values = square - square.mean()
    values *= rng.choice([-1.0, 1.0]) / max(float(values.std()), 1e-3)
    return level_background(values + rng.uniform(*NOISE) * _color_noise(len(square), rng))


def _in_pieces(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n_parts = int(rng.choice(PARTS))
    edge = len(square) // n_parts
    whole = edge * n_parts
    parts = square[:whole, :whole].reshape(n_parts, edge, n_parts, edge).swapaxes(1, 2)
    mixed = rng.permutation(parts.reshape(-1, edge, edge)).reshape(parts.shape)
    made = square.copy()
    made[:whole, :whole] = mixed.swapaxes(1, 2).reshape(whole, whole)
    return made


KINDS: Final[tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], ...]] = (
    _noise,
    _negative,
    _scramble_phases,
    _drown_in_noise,
    _in_pieces,
)


def _color_noise(edge: int, rng: np.random.Generator) -> np.ndarray:
    """Noise `(y, x)` of mean 0 and standard deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(edge)[:, np.newaxis], np.fft.rfftfreq(edge))
    strength = np.maximum(frequency, 1 / edge) ** -rng.uniform(0, 2)
    if rng.random() < 0.5:
        strength *= np.exp(-((frequency / rng.uniform(0.05, 0.5)) ** 2))
    if rng.random() < 0.4:
        ring = np.exp(-(((frequency - rng.uniform(0.05, 0.4)) / rng.uniform(0.01, 0.1)) ** 2))
        strength += rng.uniform(1, 5) * strength.mean() * ring
    made = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((edge, edge))) * strength, (edge, edge))
    made -= made.mean()
    return np.asarray(made / max(float(made.std()), 1e-9))
