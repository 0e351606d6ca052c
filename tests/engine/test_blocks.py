"""Kernels lifted onto tiles give what they give on the whole array, for any chunking."""

import dask.array as da
import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from engine import blocks

VALUES = np.random.default_rng(0).random((3, 40, 30))


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 40), columns=st.integers(1, 30))
def test_a_kernel_on_tiles_gives_what_it_gives_on_the_whole(rows: int, columns: int) -> None:
    chunked = da.from_array(VALUES, chunks=(1, rows, columns))
    tiles = blocks.as_tiles(xr.DataArray(chunked, dims=("channel", "y", "x")))
    lazy = blocks.map_tiles(lambda v, w: v[:2] + w, tiles, tiles[0], dtype=float, leading=(2,))
    np.testing.assert_array_equal(lazy.compute(), VALUES[:2] + VALUES[0])


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(4, 40), columns=st.integers(4, 30))
def test_a_kernel_with_a_halo_does_not_see_the_tiles(rows: int, columns: int) -> None:
    chunked = da.from_array(VALUES[0], chunks=(rows, columns))
    lazy = blocks.map_halo(uniform_filter, chunked, halo=2, dtype=float, size=5)
    np.testing.assert_allclose(lazy.compute(), uniform_filter(VALUES[0], 5), rtol=1e-12)


def test_a_reduction_combines_every_tile_once() -> None:
    chunked = da.from_array(VALUES, chunks=(3, 7, 9))
    (total,) = blocks.compute(blocks.reduce_tiles(lambda v: v.sum(axis=(1, 2)), sum, chunked))
    np.testing.assert_allclose(total, VALUES.sum(axis=(1, 2)), rtol=1e-12)
