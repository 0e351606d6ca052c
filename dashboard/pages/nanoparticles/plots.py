"""Micrographs and parts of them as small pictures in grey, and the spectrum of a particle."""

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.nanoparticles.crops import grey, grey_limits

Grey = npt.NDArray[np.uint8]
SPECTRUM: Final = 160
"""Edge of the picture of a spectrum in pixels."""
DYNAMIC: Final = 6.0
"""Range of a spectrum's picture below its highest, in natural logarithms of the power."""


def shrink_micrograph(values: npt.NDArray[np.generic], *, edge: int) -> Grey:
    """Shrink a micrograph to grey, its longer side about `edge` pixels, each a mean.

    Parameters
    ----------
    values
        Image `(y, x)`.
    edge
        Longer side in pixels.

    Returns
    -------
    Grey
        Grey image `(y, x)`.
    """
    step = max(1, -(-max(values.shape) // edge))
    rows, columns = (max(1, n // step) for n in values.shape)
    blocks = values[: rows * step, : columns * step].astype(np.float64)
    blocks = blocks[: values.shape[0], : values.shape[1]]
    if step > 1 and blocks.shape == (rows * step, columns * step):
        blocks = blocks.reshape(rows, step, columns, step).mean(axis=(1, 3))
    return grey(blocks, grey_limits(blocks))


def plot_spectrum(values: npt.NDArray[np.generic]) -> Grey:
    """Power of the windowed Fourier transform on a logarithmic scale, frequency 0 in the middle.

    Parameters
    ----------
    values : ndarray (y, x)
    """
    flat = np.nan_to_num(values.astype(np.float64))
    taper = np.outer(*(np.hanning(n + 2)[1:-1] for n in flat.shape))
    flat = (flat - flat.mean()) * taper
    size = max(SPECTRUM, *flat.shape)
    power = np.fft.fftshift(np.abs(np.fft.fft2(flat, (size, size))) ** 2)
    logs = np.log(power + 1e-12)
    top = float(np.quantile(logs, 0.9999))
    shown = logs if size == SPECTRUM else _shrunk(logs)
    return grey(shown, (top - DYNAMIC, top))


def _shrunk(logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    from scipy import ndimage

    return np.asarray(ndimage.zoom(logs, SPECTRUM / len(logs), order=1))
