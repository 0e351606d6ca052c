"""Tests of `engine.simulate.films`: films of the zones of a simulated sample, and their Delta and Psi."""

import numpy as np
import pytest

from engine.simulate import films
from engine.simulate.ellipsometry_maps import Maps


@pytest.mark.parametrize("seed", range(5))
def test_zones_are_physically_distinct_and_delta_wraps_in_some(seed):
    _, truth = Maps(n_regions=6, size=32, seed=seed).images()
    assert films.least_separation(truth["delta"].values, truth["psi"].values) >= films.SEPARATION
    assert (np.abs(np.diff(truth["delta"].values)) > 180).any()
