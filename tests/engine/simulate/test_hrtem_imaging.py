"""Tests of `engine.simulate.hrtem_imaging`."""

import numpy as np
import pytest

from engine.simulate import hrtem_imaging


def test_contrast_transfer_is_that_of_the_formula():
    made = hrtem_imaging.Microscope(0.02, 0.00197, -50.0, 1e6, 0.0, (0, 0), 1.0, 0.0, 100)
    k = np.array([3.0], np.float32)
    aberration = np.pi * (0.00197 * -50 * 9 + 0.5 * 1e6 * 0.00197**3 * 81)
    assert made.transfer(k)[0] == pytest.approx(2 * np.sin(aberration), abs=1e-5)
