"""Tests of `engine.cluster.kernels`."""

import numpy as np
import xarray as xr

from engine import blocks

VALUES = np.random.default_rng(0).random((3, 40, 30))


def test_memory_is_not_copied_on_the_way_to_a_kernel() -> None:
    array = xr.DataArray(VALUES, dims=("channel", "y", "x"))
    (shared,) = blocks.compute(blocks.per_tile(lambda v: np.shares_memory(v, VALUES), blocks.as_tiles(array)))
    assert shared == [True]
