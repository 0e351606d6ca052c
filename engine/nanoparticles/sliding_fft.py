"""Power spectra of a window that slides over a micrograph: what periods there are, and where.

All windows of a row are transformed at once, and rows of windows in parallel; neither depends on the chunks
of the image.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr
from dask import delayed
from numpy.lib.stride_tricks import sliding_window_view

from engine import blocks
from engine.errors import InputError
from engine.schema import CHANNEL, PIXEL, X, Y

TAPERS: Final[Mapping[str, Callable[[int], np.ndarray]]] = {
    "hamming": np.hamming,
    "hann": np.hanning,
    "none": np.ones,
}
"""Tapers by name: length -> weights."""

ROWS: Final = 8
"""Rows of windows that are transformed by one task."""


def sliding_fft(
    image: xr.DataArray, *, window: int = 64, step: int = 16, taper: str = "hamming"
) -> xr.DataArray:
    """Power spectrum of every window, its mean taken off; lazy.

    Parameters
    ----------
    image : DataArray (y, x)
        A micrograph; missing values count as the mean round them.
    window
        Edge of the window in pixels, even.
    step
        Pixels from one window to the next.
    taper
        What a window is weighted with, along y and x; one of `TAPERS`.

    Returns
    -------
    DataArray (channel, y, x), float32
        Power at the frequencies of half a plane, whose coordinates `frequency_y` and `frequency_x` are in
        cycles a pixel. `y` and `x` are the centres of the windows in pixels.

    Raises
    ------
    InputError
        If the window is odd, larger than the image, or there is no such taper.

    Examples
    --------
    >>> x = np.arange(64)
    >>> image = xr.DataArray(np.tile(np.cos(2 * np.pi * x / 8), (64, 1)), dims=("y", "x"))
    >>> power = sliding_fft(image, window=32, step=16)
    >>> peak = power.isel(channel=int(np.argmax(power[:, 0, 0].values)))
    >>> float(peak.frequency_y), float(peak.frequency_x), power.sizes["y"]
    (0.0, 0.125, 3)
    """
    _check(image, window, step, taper)
    data = blocks.as_tiles(image)
    starts = [np.arange(0, n - window + 1, step) for n in image.shape]
    shape = (window * (window // 2 + 1), starts[1].size)
    lifted = delayed(
        partial(window_spectra, taper=TAPERS[taper](window), step=step), pure=True, traverse=False
    )
    bands = []
    for first in range(0, starts[0].size, ROWS):
        rows = starts[0][first : first + ROWS]
        band = lifted(data[rows[0] : rows[-1] + window])
        bands.append(da.from_delayed(band, (shape[0], rows.size, shape[1]), dtype=np.float32))
    fy, fx = np.meshgrid(np.fft.fftfreq(window), np.fft.rfftfreq(window), indexing="ij")
    cycles, pixels = {"units": "1/px"}, {"units": "px"}
    coords = {
        "frequency_y": (CHANNEL, fy.ravel(), cycles),
        "frequency_x": (CHANNEL, fx.ravel(), cycles),
        Y: (Y, starts[0] + (window - 1) / 2, pixels),
        X: (X, starts[1] + (window - 1) / 2, pixels),
    }
    attrs = {"units": "1", "long_name": "power", "window": window, "step": step}
    return xr.DataArray(
        da.concatenate(bands, axis=1), dims=(CHANNEL, *PIXEL), coords=coords, name="power", attrs=attrs
    )


def window_spectra(band: np.ndarray, *, taper: np.ndarray, step: int) -> np.ndarray:
    """Power spectra `(frequency, row, column)` of the windows of a band, which begins with the first row's.

    The part of the transform along x is that of every window that lies above another, and is done once. The
    mean of a window is taken off its spectrum, by the spectrum of the taper.

    Parameters
    ----------
    band : ndarray (y, x)
    taper : ndarray (window,)
    step
        Pixels from one window to the next.
    """
    from scipy import fft

    window, weights = len(taper), taper.astype(np.float32)
    values = np.asarray(band, np.float32)
    values = np.nan_to_num(values - np.float32(np.nanmean(values, dtype=np.float64)))
    segments = sliding_window_view(values, window, axis=1)[:, ::step]
    means = segments.mean(axis=2)
    lines = fft.rfft(segments * weights, axis=2, overwrite_x=True)
    constant = np.outer(fft.fft(weights), fft.rfft(weights))[:, np.newaxis]
    starts = range(0, len(values) - window + 1, step)
    found = np.empty((window, window // 2 + 1, len(starts), segments.shape[1]), np.float32)
    for n, start in enumerate(starts):
        part = lines[start : start + window] * weights[:, np.newaxis, np.newaxis]
        spectra = fft.fft(part, axis=0, overwrite_x=True)
        spectra -= constant * means[start : start + window].mean(axis=0)[:, np.newaxis]
        power = spectra.real**2 + spectra.imag**2
        found[:, :, n] = power.transpose(0, 2, 1)
    return found.reshape(-1, len(starts), segments.shape[1])


def _check(image: xr.DataArray, window: int, step: int, taper: str) -> None:
    if image.dims != PIXEL:
        raise InputError(f"the image has the dims {image.dims}; expected (y, x)")
    if window < 4 or window % 2 or window > min(image.shape):
        raise InputError(
            f"window is {window}; give an even number from 4 to {min(image.shape)}, the image's shorter edge"
        )
    if step < 1:
        raise InputError(f"step is {step}; give a whole number from 1")
    if taper not in TAPERS:
        raise InputError(f"taper is {taper!r}; give one of {', '.join(TAPERS)}")
