"""Strength of the lattice around every pixel.

Peaks are measured against the power that the frame has in the same ring of frequencies, so that the speckle
of an amorphous support, which is strong at some frequencies, is no lattice. What noise alone would give is
known, and the map is in units of its spread: a threshold holds for empty frames too.
"""

from functools import lru_cache
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr
from scipy import ndimage

from engine import blocks
from engine.nanoparticles.sliding_fft import TAPERS, sliding_fft
from engine.schema import PIXEL, X, Y

TAPER: Final = "hann"
LOWEST: Final = 2.2
"""Periods in a window from which on a peak is looked for: slower ones are outlines."""
QUIET: Final = 0.3
"""Quantile of a ring's power over the frame that is taken for its support: particles may cover two thirds."""
N_NOISE: Final = 4000


def lattice_map(image: xr.DataArray, *, window: int, step: int) -> xr.DataArray:
    """Peaks of windowed spectra above those of noise, in standard deviations of the latter.

    The map is lazy; the power of the support is measured at once.

    Parameters
    ----------
    image : DataArray (y, x)
    window
        Edge of the window in pixels, even: about 6 periods of the lattice.
    step
        Pixels from one window to the next.

    Returns
    -------
    DataArray (y, x), float32
        One value a window, with the windows' centres as coordinates.
    """
    power = sliding_fft(image, window=window, step=step, taper=TAPER)
    ring, n_rings = _rings(window)
    sums = blocks.map_tiles(
        _quiet_power, blocks.as_tiles(power), dtype=np.float32, leading=(n_rings,), ring=ring
    )
    (levels,) = blocks.compute(sums, doing="measuring the support")
    support = np.quantile(levels.reshape(n_rings, -1), QUIET, axis=1).astype(np.float32)
    middle, spread, quiet = null(window)
    peaks: da.Array = blocks.map_tiles(
        _peaks,
        blocks.as_tiles(power),
        dtype=np.float32,
        ring=ring,
        support=support / quiet,
        middle=middle,
        spread=spread,
    )
    coords = {dim: power.coords[dim] for dim in (Y, X)}
    return xr.DataArray(
        peaks, dims=PIXEL, coords=coords, attrs={"units": "1", "long_name": "lattice contrast"}
    )


def _rings(window: int) -> tuple[np.ndarray, int]:
    """Return the number of each frequency's ring, one period a window wide.

    -1 where no lattice is looked for.
    """
    fy, fx = np.meshgrid(np.fft.fftfreq(window), np.fft.rfftfreq(window), indexing="ij")
    periods = np.hypot(fy, fx).ravel() * window
    ring = np.round(periods).astype(int)
    ring[(periods < LOWEST) | (periods > window / 2) | (fx.ravel() == 0.5)] = -1
    kept = np.unique(ring[ring >= 0])
    return np.where(ring >= 0, np.searchsorted(kept, ring), -1), kept.size


def _quiet_power(power: np.ndarray, *, ring: np.ndarray) -> np.ndarray:
    """Return the mean power of each ring in every window."""
    n_rings = ring.max() + 1
    return np.stack([power[ring == n].mean(axis=0) for n in range(n_rings)])


def _peaks(
    power: np.ndarray, *, ring: np.ndarray, support: np.ndarray, middle: float, spread: float
) -> np.ndarray:
    """Logarithm of the highest whitened power, as noise would have it 0 with a spread of 1."""
    kept = ring >= 0
    whitened = power[kept] / np.maximum(support[ring[kept]], 1e-20)[:, np.newaxis, np.newaxis]
    return np.asarray((np.log(np.maximum(whitened.max(axis=0), 1e-6)) - middle) / spread, np.float32)


@lru_cache(maxsize=16)
def null(window: int) -> tuple[float, float, float]:
    """Of white noise: median and spread of the logarithm of peaks, and the quiet quantile of a ring's power.

    The last is relative to the power itself, averaged over the rings.
    """
    from engine.nanoparticles.sliding_fft import window_spectra

    noise = np.random.default_rng(0).normal(size=(N_NOISE, window, window)).astype(np.float32)
    power = window_spectra(noise.reshape(-1, window), taper=TAPERS[TAPER](window), step=window)[:, :, 0]
    ring, n_rings = _rings(window)
    means = np.stack([power[ring == n].mean(axis=0) for n in range(n_rings)])
    expected = means.mean(axis=1)
    quiet = float(np.mean(np.quantile(means, QUIET, axis=1) / expected))
    logs = np.log((power[ring >= 0] / expected[ring[ring >= 0], np.newaxis]).max(axis=0))
    middle = float(np.median(logs))
    return middle, float(1.4826 * np.median(np.abs(logs - middle))), quiet


def at_pixels(values: np.ndarray, shape: tuple[int, int], *, window: int, step: int) -> np.ndarray:
    """Return the values of windows interpolated to every pixel: linear between centres, constant beyond.

    Parameters
    ----------
    values : ndarray (window row, window column)
        Values of the windows.
    shape : tuple of int
        Rows and columns of the image.
    window : int
        Rows and columns of a window in pixels.
    step : int
        Distance of neighbouring windows in pixels.
    """
    places = [
        np.clip((np.arange(n) - (window - 1) / 2) / step, 0, m - 1)
        for n, m in zip(shape, values.shape, strict=True)
    ]
    grid = np.meshgrid(*places, indexing="ij")
    return np.asarray(ndimage.map_coordinates(values, grid, order=1, mode="nearest", output=np.float32))
