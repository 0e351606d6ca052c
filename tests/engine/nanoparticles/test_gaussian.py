"""Smoothing by a Gaussian, narrow and wide."""

import numpy as np
import pytest
from scipy import ndimage

from engine.nanoparticles.gaussian import smooth_gaussian


@pytest.mark.parametrize("sigma", [2.0, 8.0])
def test_a_point_spreads_with_the_variance_of_the_gaussian(sigma: float) -> None:
    plane = np.zeros((129, 129))
    plane[64, 64] = 1
    smooth = smooth_gaussian(plane, sigma)
    rows = np.arange(129) - 64
    assert smooth.sum() == pytest.approx(1, abs=1e-3)
    assert (smooth.sum(axis=1) * rows**2).sum() == pytest.approx(sigma**2, rel=0.05)


def test_a_narrow_one_is_that_of_scipy_and_complex_values_are_taken_apart() -> None:
    plane = np.random.default_rng(0).normal(size=(32, 32))
    np.testing.assert_array_equal(smooth_gaussian(plane, 1.5), ndimage.gaussian_filter(plane, 1.5))
    both = smooth_gaussian(plane + 2j * plane, 1.5)
    np.testing.assert_allclose(both.imag, 2 * both.real)
