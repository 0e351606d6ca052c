"""Tests of `engine.cluster.specks`."""

import numpy as np
import xarray as xr

from engine.cluster import KMeans
from engine.cluster.specks import remove_specks


def test_specks_take_the_label_around_them_and_no_data_stays() -> None:
    labels = np.array(
        [
            [1, 1, 1, 1, 2, 2],
            [1, 3, 1, 1, 2, 1],
            [1, 1, 1, 0, 2, 2],
            [1, 1, 1, 0, 2, 2],
        ],
        np.uint8,
    )
    expected = labels.copy()
    expected[1, 1] = 1
    expected[1, 5] = 2
    np.testing.assert_array_equal(remove_specks(labels, min_area=2), expected)
    assert labels[1, 1] == 3


def test_a_speck_among_specks_is_cleaned_from_the_outside_inwards() -> None:
    labels = np.ones((9, 9), np.uint8)
    labels[3:6, 3:6] = 2
    labels[4, 4] = 3
    np.testing.assert_array_equal(remove_specks(labels, min_area=10), np.ones((9, 9), np.uint8))


def test_a_speck_that_touches_only_no_data_stays() -> None:
    labels = np.zeros((5, 5), np.uint8)
    labels[2, 2] = 1
    np.testing.assert_array_equal(remove_specks(labels, min_area=4), labels)


N_Y, N_X, N_CHANNELS = 60, 70, 7


def stack(seed: int = 0, holes: float = 0.0) -> tuple[xr.Dataset, np.ndarray]:
    """Three zones of 50, 30 and 20 % of the columns with far-apart spectra, noise and holes."""
    rng = np.random.default_rng(seed)
    truth = np.digitize(np.arange(N_X), [0.5 * N_X, 0.8 * N_X])[None, :].repeat(N_Y, axis=0)
    spectra = np.array([[5.0], [20.0], [40.0]]) + rng.normal(0, 3, (3, N_CHANNELS))
    values = spectra[truth].transpose(2, 0, 1) + rng.normal(0, 1, (N_CHANNELS, N_Y, N_X))
    values[rng.random(values.shape) < holes] = np.nan
    data = xr.DataArray(values.astype(np.float32), dims=("channel", "y", "x"), attrs={"units": "1"})
    return xr.Dataset({"counts": data}), truth


def labels_of(images: xr.Dataset, **settings: object) -> np.ndarray:
    return np.asarray(KMeans(**settings).fit(images).predict(images)["labels"])


def test_specks_are_cleaned_on_demand() -> None:
    images, truth = stack()
    images["counts"].values[:, 10, 10] = images["counts"].values[:, 10, 65]
    assert labels_of(images, n_clusters=3)[10, 10] == 3
    cleaned = labels_of(images.chunk({"y": 11}), n_clusters=3, min_area=4)
    np.testing.assert_array_equal(cleaned, truth + 1)
