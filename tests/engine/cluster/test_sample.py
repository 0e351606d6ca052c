"""Tests of `engine.cluster.sample`."""

import numpy as np
import pytest
import xarray as xr

from engine.cluster.features import fit_features
from engine.cluster.sample import draw_sample, row_bands
from engine.errors import InputError


def test_one_count_in_an_empty_channel_does_not_outweigh_a_spectrum() -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((40, 30, 40))
    values[:2] = rng.poisson(np.where(np.arange(40) < 20, 20, 60), (2, 30, 40))
    values[7, 3, 3] = 1
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    sample = draw_sample(images)
    features = fit_features(images, sample).apply(sample.planes)
    assert np.abs(features[7]).max() < np.abs(features[:2]).max()


def test_more_components_than_channels_are_refused() -> None:
    images = xr.Dataset({"a": (("channel", "y", "x"), np.random.default_rng(0).random((3, 9, 9)))})
    with pytest.raises(InputError, match="n_components=8, but the images have 3 channels"):
        fit_features(images, draw_sample(images), kind="pca")


def test_sample_bands_are_spread_evenly_and_within_the_frame() -> None:
    bands = row_bands(1000, 50, max_pixels=6400, n_bands=64)
    assert len(bands) == 64
    assert all(stop - start == 2 for start, stop in bands)
    assert 0 <= bands[0][0] < 16
    assert 984 < bands[-1][1] <= 1000
    assert np.ptp(np.diff([start for start, _ in bands])) <= 1


def test_a_sample_has_the_pixels_of_its_bands_without_the_masked_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.cluster.sample.MIN_PIXELS", 40)
    monkeypatch.setattr("engine.cluster.sample.MAX_PIXELS", 40)
    values = np.arange(2 * 16 * 10.0).reshape(2, 16, 10)
    mask = np.zeros((16, 10), bool)
    mask[:, 3] = True
    images = xr.Dataset({"a": (("channel", "y", "x"), values), "mask": (("y", "x"), mask)})
    sample = draw_sample(images.chunk({"y": 5}))
    rows = np.concatenate([np.arange(*band) for band in row_bands(16, 10, max_pixels=40)])
    np.testing.assert_array_equal(sample.planes[0], values[:, rows][:, :, np.arange(10) != 3].reshape(2, -1))
    assert not sample.is_all
