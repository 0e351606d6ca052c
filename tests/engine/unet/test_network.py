"""Tests of `engine.unet.network`."""

import dask.array as da
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.unet import predict_tiles, runtimes
from engine.unet.network import NETWORKS, halo, step

BACKGROUND = predict_tiles.Background(100.0, 5.0)


def frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, (height, width)).astype(np.float32)


def computed(values: np.ndarray, network: runtimes.Network, *, chunks=-1, tile: int = 64) -> list[np.ndarray]:
    lazy = predict_tiles.segment(da.from_array(values, chunks=chunks), network, BACKGROUND, tile=tile)
    return [np.asarray(part) for part in da.compute(*lazy)]


@settings(max_examples=10, deadline=None)
@given(
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    rows=st.integers(1, 80),
    columns=st.integers(1, 80),
)
def test_labels_are_bit_identical_for_any_chunking(network, height, width, rows, columns):
    values = frame(height, width, seed=height)
    whole = computed(values, network)
    for expected, found in zip(whole, computed(values, network, chunks=(rows, columns)), strict=True):
        assert found.shape == (height, width)
        np.testing.assert_array_equal(found, expected)
    assert whole[0].min() >= 1
    assert whole[0].max() <= 4


def test_the_halo_covers_all_pixels_that_can_matter_and_not_many_more():
    import keras

    for name, build in NETWORKS.items():
        keras.utils.set_random_seed(0)
        model = build(3)
        around = halo(model)
        size = 2 * around + 2 * step(model)
        middle = size // 2
        plain = np.zeros((1, size, size, 1), np.float32)
        changed = plain.copy()
        changed[0, middle, middle] = 100.0
        moved = np.abs(np.asarray(model(changed)) - np.asarray(model(plain)))[0].max(axis=-1) > 0
        reached = np.abs(np.argwhere(moved) - middle).max()
        assert reached <= around, name
        assert around - reached <= 2 * step(model), name
