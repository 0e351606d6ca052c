"""Spectra of a sliding window are those of numpy, window by window, for any chunks of the image."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.nanoparticles import sliding_fft


@pytest.mark.parametrize("chunks", [None, (17, 40), (100, 23)])
def test_power_is_that_of_each_window_by_itself(chunks):
    image = np.random.default_rng(0).normal(size=(90, 71))
    array = xr.DataArray(image, dims=("y", "x"))
    array = array if chunks is None else array.chunk(dict(zip("yx", chunks, strict=True)))
    found = sliding_fft(array, window=16, step=5)
    taper = np.outer(np.hamming(16), np.hamming(16))
    assert found.shape == (16 * 9, 15, 12)
    for row, column in ((0, 0), (14, 11), (9, 4)):
        part = image[5 * row : 5 * row + 16, 5 * column : 5 * column + 16]
        expected = np.abs(np.fft.rfft2((part - part.mean()) * taper)) ** 2
        np.testing.assert_allclose(found[:, row, column], expected.ravel(), rtol=2e-3, atol=1e-3)
    assert found["y"].values[3] == 15 + 7.5


def test_what_does_not_fit_is_refused_with_a_sentence():
    image = xr.DataArray(np.zeros((20, 30)), dims=("y", "x"))
    with pytest.raises(InputError, match="window is 32; give an even number from 4 to 20"):
        sliding_fft(image, window=32)
    with pytest.raises(InputError, match="taper is 'kaiser'"):
        sliding_fft(image, window=8, taper="kaiser")
