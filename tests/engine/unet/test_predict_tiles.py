"""Tests of `engine.unet.predict_tiles`."""

import dask.array as da
import numpy as np
import pytest

from engine.unet import predict_tiles, runtimes

BACKGROUND = predict_tiles.Background(100.0, 5.0)


def frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, (height, width)).astype(np.float32)


def computed(values: np.ndarray, network: runtimes.Network, *, chunks=-1, tile: int = 64) -> list[np.ndarray]:
    lazy = predict_tiles.segment(da.from_array(values, chunks=chunks), network, BACKGROUND, tile=tile)
    return [np.asarray(part) for part in da.compute(*lazy)]


def test_missing_values_count_as_background_and_other_pedestals_and_gains_change_nothing(network):
    values = np.rint(frame(70, 70) * 8) / 8
    holes = values.copy()
    holes[30, 30] = np.nan
    filled = values.copy()
    filled[30, 30] = BACKGROUND.level
    np.testing.assert_array_equal(computed(holes, network)[0], computed(filled, network)[0])
    found = predict_tiles.background(da.from_array(values * 4 + 1024))
    plain = predict_tiles.background(da.from_array(values))
    assert found.level == pytest.approx(4 * plain.level + 1024)
    assert found.noise == pytest.approx(4 * plain.noise)


def test_the_background_does_not_depend_on_chunks_or_on_bright_pixels():
    values = frame(300, 200)
    values[:, :20] = 1e4
    found = predict_tiles.background(da.from_array(values, chunks=(37, 11)))
    assert found == predict_tiles.background(da.from_array(values, chunks=-1))
    assert found.level == pytest.approx(100, abs=1)
    assert found.noise == pytest.approx(20, rel=0.05)
