"""Effects of a CCD on the electrons in its pixels: glow, hot pixels, noise, amplifiers.

All arrays are `(y, x)`, in electrons unless said; rows are shifted towards row 0 and read there.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

PEDESTAL: Final = 8800.0
"""Level of an empty pixel, in adu."""
GAIN: Final = 0.75
"""adu per electron."""
READOUT_NOISE: Final = 60 / np.sqrt(10) / GAIN
"""Standard deviation of the noise of a pixel's readout."""
DARK: Final = 4.0
"""Mean number of electrons that warmth frees in a pixel during the exposure."""
FULL_WELL: Final = 70_000.0
LOSS: Final = 2e-5
"""Share of the electrons that stay behind in one shift."""
MOST_ADU: Final = 2**16 - 1

Plane = NDArray[np.float32]


class ReadoutAmplifier(NamedTuple):
    """One readout: its part of the frame, its pedestal in adu and its gain in adu per electron."""

    rows: slice
    columns: slice
    pedestal: float
    gain: float


def amplifiers(size: int, n: int, rng: np.random.Generator) -> list[ReadoutAmplifier]:
    """Return one amplifier for the whole frame, two for its halves side by side, or four for its quarters.

    Parameters
    ----------
    size : int
        Rows and columns of the frame in pixels.
    n : int
        Number of amplifiers: 1, 2 or 4.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    rows = [slice(0, size)] if n < 4 else [slice(0, size // 2), slice(size // 2, size)]
    columns = [slice(0, size)] if n == 1 else [slice(0, size // 2), slice(size // 2, size)]
    return [
        ReadoutAmplifier(
            r, c, PEDESTAL + 40 * rng.standard_normal(), GAIN * (1 + 0.02 * rng.standard_normal())
        )
        for r in rows
        for c in columns
    ]


def glow(size: int, peak: float, rng: np.random.Generator) -> Plane:
    """Return the mean electrons of a bright band at an edge, whose width and brightness drift along it.

    Parameters
    ----------
    size : int
        Rows and columns of the frame in pixels.
    peak : float
        Largest value in electrons.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    width = size * rng.uniform(0.01, 0.06)
    drift = gaussian_filter1d(rng.standard_normal(size), size / 12, mode="wrap")
    drift /= max(np.abs(drift).max(), 1e-9)
    widths = width * (1 + rng.uniform(0.05, 0.3) * drift)
    heights = peak * (1 + rng.uniform(0.02, 0.15) * np.roll(drift, size // 3))
    across = np.arange(size)[None, :] / widths[:, None]
    steepness = rng.uniform(4, 12)
    band = heights[:, None] / (1 + across**steepness)
    return np.ascontiguousarray(np.rot90(band, rng.choice([0, 2, 2, 0, 1, 3])), np.float32)


def hot(size: int, level: float, rng: np.random.Generator) -> Plane:
    """Electrons of single hot pixels and of horizontal and vertical lines one pixel wide.

    Parameters
    ----------
    size : int
        Rows and columns of the frame in pixels.
    level : float
        Electrons in a hot pixel, about.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    plane = np.zeros((size, size), np.float32)
    area = size * size / 2**20
    for _ in range(max(1, rng.poisson(200 * area))):
        plane[tuple(rng.integers(0, size, 2))] += level * rng.uniform(0.6, 1.6)
    for _ in range(max(1, rng.poisson(14 * area))):
        n = int(np.clip(np.exp(rng.uniform(np.log(4), np.log(size))), 4, size))
        row, column = rng.integers(0, size), rng.integers(0, size - n + 1)
        values = level * rng.uniform(0.8, 1.2) * (1 + 0.05 * rng.standard_normal(n))
        target = plane if rng.random() < 0.5 else plane.T
        target[row, column : column + n] += values.astype(np.float32)
    return plane


def transfer_charge(electrons: Plane, rng: np.random.Generator) -> Plane:
    """Electrons after all shifts: some stay behind, one pixel late.

    Parameters
    ----------
    electrons : ndarray (y, x)
        Electrons in each pixel.
    rng : numpy.random.Generator
        Source of the random numbers.

    References
    ----------
    J. Janesick, Scientific Charge-Coupled Devices, SPIE (2001), section 5.2 (binomial, one deferred pixel).
    """
    shifts = np.arange(1, len(electrons) + 1)[:, None]
    whole = np.maximum(np.rint(electrons), 0).astype(np.int64)
    late = rng.binomial(whole, np.broadcast_to(1 - (1 - LOSS) ** shifts, whole.shape)).astype(np.float32)
    moved = electrons - late
    moved[1:] += late[:-1]
    return moved


def bleed_charge(electrons: Plane) -> Plane:
    """Electrons after what is beyond the full well flowed along its column, half each way."""
    out = electrons.copy()
    for column in np.flatnonzero((electrons > FULL_WELL).any(axis=0)):
        values = out[:, column]
        for _ in range(4 * len(values)):
            excess = np.maximum(values - FULL_WELL, 0)
            if not excess.any():
                break
            values -= excess
            values[1:] += excess[:-1] / 2
            values[:-1] += excess[1:] / 2
    return out


def drift(n_rows: int, most: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Slow change of a pedestal from row to row, its mean 0 and its largest value `most`, in adu.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    most : float
        Largest value in adu.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    walk = gaussian_filter1d(rng.standard_normal(n_rows), max(n_rows / 8, 1), mode="nearest")
    walk -= walk.mean()
    return np.asarray(walk * (most / max(np.abs(walk).max(), 1e-9)))


def read_out(
    electrons: Plane,
    amplifier: ReadoutAmplifier,
    rng: np.random.Generator,
    *,
    drift: NDArray[np.float64] | None = None,
) -> NDArray[np.uint16]:
    """Return the values of the pixels that one amplifier reads, in adu.

    `drift`, a value a row, adds to its pedestal.

    Parameters
    ----------
    electrons : ndarray (y, x)
        Electrons in each pixel.
    amplifier : Amplifier
        The amplifier.
    rng : numpy.random.Generator
        Source of the random numbers.
    drift : ndarray (row,), optional
        Change of the pedestal in adu.
    """
    noise = READOUT_NOISE * rng.standard_normal(electrons.shape, dtype=np.float32)
    values = amplifier.pedestal + amplifier.gain * (electrons + noise)
    if drift is not None:
        values = values + drift[:, None]
    return np.asarray(np.clip(np.rint(values), 0, MOST_ADU), np.uint16)
