"""Kernels beside the same sums in float64, and features and samples by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from llvmlite.binding import get_host_cpu_features
from numba import njit

from engine.cluster.assignment import assign, squared_distances
from engine.cluster.centroids import Grids, Totals
from engine.cluster.features import FeatureSpace, fit_features
from engine.cluster.projection import project
from engine.cluster.sample import draw_sample, row_bands
from engine.cluster.specks import remove_specks
from engine.cluster.vectors import widest_vectors
from engine.errors import InputError

NONE = np.empty(0, np.float32)


def pixels(n: int = 1000, n_features: int = 6, holes: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n_features, n)).astype(np.float32)
    values[rng.random(values.shape) < holes] = np.nan
    values[:, ::97] = np.nan
    return values


def distances(features: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Partial distances in float64."""
    there = np.isfinite(features)
    squares = (np.where(there, features, 0)[None].astype(float) - centroids[:, :, None]) ** 2 * there
    return squares.sum(axis=1) * len(features) / np.maximum(there.sum(axis=0), 1)


def test_labels_and_margins_are_those_of_partial_distances_in_double_precision() -> None:
    features = pixels()
    centroids = np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32)
    labels, confidence = np.empty(1000, np.uint8), np.empty(1000, np.float32)
    assign(features, centroids, 1, labels, confidence)
    expected = distances(features, centroids)
    empty = np.isnan(features).all(axis=0)
    assert (labels[empty] == 0).all()
    assert (confidence[empty] == 0).all()
    np.testing.assert_array_equal(labels[~empty], expected.argmin(axis=0)[~empty] + 1)
    near, far = np.sqrt(np.sort(expected, axis=0)[:2])
    margin = (far - near)[~empty] / (far + near)[~empty]
    np.testing.assert_allclose(confidence[~empty], margin, atol=1e-5)
    np.testing.assert_allclose(
        squared_distances(features, centroids)[:, ~empty], expected[:, ~empty], rtol=1e-5
    )


@pytest.mark.parametrize("holes", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_are_exact_so_that_their_order_is_of_no_consequence(holes: float, weighted: bool) -> None:
    features = pixels(5000, holes=holes)
    features[2, 17] = 1e9  # beyond what 256 integers can hold
    weights = np.random.default_rng(3).random(5000).astype(np.float32) if weighted else NONE
    centroids = np.random.default_rng(2).normal(size=(4, 6)).astype(np.float32)
    grids = Grids.of(features[:, :10], weights[:10])
    whole = Totals.of(features, weights, centroids, grids=grids)
    order = np.random.default_rng(4).permutation(5000)
    shuffled = [
        Totals.of(
            np.ascontiguousarray(features[:, part]),
            weights[part] if weighted else NONE,
            centroids,
            grids=grids,
        )
        for part in np.split(order, [100, 1700, 1701])
    ]
    combined = Totals.combined(shuffled)
    np.testing.assert_array_equal(combined.sums, whole.sums)
    np.testing.assert_array_equal(combined.valid_weights, whole.valid_weights)
    np.testing.assert_array_equal(combined.counts, whole.counts)
    found = np.empty(5000, np.uint8)
    assign(features, centroids, 1, found, NONE)
    labels = found.astype(int) - 1
    share = weights.astype(float) if weighted else np.ones(5000)
    for label in range(4):
        chosen = labels == label
        sums = (np.nan_to_num(features[:, chosen].astype(float)) * share[chosen]).sum(axis=1)
        valid = (np.isfinite(features[:, chosen]) * share[chosen]).sum(axis=1)
        np.testing.assert_allclose(whole.sums[label], sums, atol=5000 * grids.values.max())
        np.testing.assert_allclose(whole.valid_weights[label], valid, rtol=1e-5)
        assert whole.counts[label] == chosen.sum()


def test_a_projection_is_the_matrix_product() -> None:
    values, components = pixels(holes=0)[:, 1:90], np.random.default_rng(0).random((3, 6)).astype(np.float32)
    np.testing.assert_allclose(project(values, components), components @ values, rtol=1e-5, atol=1e-6)


def test_angles_are_the_stokes_parameters() -> None:
    images = xr.Dataset(
        {"delta": (("y", "x"), [[0.0, 90.0, 360.0]]), "psi": (("y", "x"), [[45.0, 22.5, 45.0]])}
    )
    sample = draw_sample(images)
    features = fit_features(images, sample).apply(sample.planes)
    root = np.sqrt(0.5)
    np.testing.assert_allclose(features, [[0, root, 0], [1, 0, 1], [0, root, 0]], atol=1e-6)


def test_standardised_features_have_mean_0_and_deviation_1_and_constant_channels_are_0() -> None:
    values = np.random.default_rng(0).gamma(2, 3, (3, 30, 40))
    values[1] = 7
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    sample = draw_sample(images)
    space = fit_features(images, sample, kind="standardised")
    features = space.apply(sample.planes)
    np.testing.assert_allclose(features.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(features.std(axis=1), [1, 0, 1], atol=1e-6)
    again = FeatureSpace.restored(space.kind, space.variables, space.arrays())
    np.testing.assert_array_equal(again.apply(sample.planes), features)


def test_one_count_in_an_empty_channel_does_not_outweigh_a_spectrum() -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((40, 30, 40))
    values[:2] = rng.poisson(np.where(np.arange(40) < 20, 20, 60), (2, 30, 40))
    values[7, 3, 3] = 1
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    sample = draw_sample(images)
    features = fit_features(images, sample).apply(sample.planes)
    assert np.abs(features[7]).max() < np.abs(features[:2]).max()


def test_principal_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    values = np.random.default_rng(0).normal(size=(5, 5)) @ np.random.default_rng(1).normal(size=(5, 1200))
    images = xr.Dataset({"a": (("channel", "y", "x"), values.reshape(5, 30, 40))})
    sample = draw_sample(images)
    features = fit_features(images, sample, kind="pca", n_components=3).apply(sample.planes)
    expected = PCA(3).fit_transform(StandardScaler().fit_transform(values.T)).T
    signs = np.sign((features * expected).sum(axis=1))[:, None]
    np.testing.assert_allclose(features, expected * signs, atol=1e-4)


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


@pytest.mark.parametrize("kind", ["raw", "standardised"])
def test_features_made_while_loading_are_those_of_a_copy_to_the_last_bit(kind: str) -> None:
    values = pixels(60 * 50, holes=0.05).reshape(6, 60, 50) * np.float32(3) + np.float32(40)
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    space = fit_features(images, draw_sample(images), kind=kind)
    tile = values[:, 7:31]
    assert space.is_linear([tile])
    view, copied = tile.reshape(6, -1), space.apply([tile])
    centroids = np.ascontiguousarray(np.nan_to_num(copied[:, 200:204].T))
    grids = Grids.of(copied, NONE)
    expected = Totals.of(copied, NONE, centroids, grids=grids)
    found = Totals.zeros(4, 6)
    found.add(view, NONE, centroids, grids=grids, linear=space.linear)
    for name in ("sums", "valid_weights", "counts", "inertia"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    both = [(np.empty(1200, np.uint8), np.empty(1200, np.float32)) for _ in range(2)]
    assign(copied, centroids, 1, *both[0])
    assign(view, centroids, 1, *both[1], space.linear)
    np.testing.assert_array_equal(both[0], both[1])


@pytest.mark.parametrize("turned", [lambda a: a[::-1], lambda a: a[:, ::2], np.asfortranarray])
def test_values_in_any_order_in_memory_are_labelled_alike(turned: Callable[[np.ndarray], np.ndarray]) -> None:
    features = turned(pixels())
    centroids = np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32)
    np.testing.assert_array_equal(
        squared_distances(features, centroids), squared_distances(features.copy(), centroids)
    )


@pytest.mark.skipif(not get_host_cpu_features().get("avx512f"), reason="this CPU has no vectors of 512 bits")
def test_kernels_use_vectors_of_512_bits_where_there_are() -> None:
    @njit  # type: ignore[untyped-decorator]
    def squares(values: np.ndarray) -> None:
        widest_vectors()
        for i in range(values.size):
            values[i] *= values[i]

    squares(np.ones(256, np.float32))
    assert "zmm" in next(iter(squares.inspect_asm().values()))
