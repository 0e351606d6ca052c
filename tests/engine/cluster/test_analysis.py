"""Tests of `engine.cluster.analysis`: k-means clustering of the pixels of a map stack by their spectra."""

import dask
import numpy as np
import pytest
import xarray as xr
from sklearn.cluster import KMeans as Peer
from sklearn.metrics import adjusted_rand_score

from engine.cluster import KMeans
from engine.errors import InputError

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


def ellipsometry(holes: float = 0.05) -> tuple[xr.Dataset, np.ndarray]:
    """Delta and Psi of three zones; the first zone's Delta lies on both sides of 0 = 360°."""
    rng = np.random.default_rng(3)
    truth = np.digitize(np.arange(N_X), [0.5 * N_X, 0.8 * N_X])[None, :].repeat(N_Y, axis=0)
    shape = (5, N_Y, N_X)
    delta = (np.array([0.0, 30.0, 330.0])[truth] + rng.normal(0, 4, shape)) % 360
    psi = np.array([20.0, 22.0, 24.0])[truth] + rng.normal(0, 0.5, shape)
    missing = rng.random(shape) < holes
    maps = {
        name: (
            ("wavelength", "y", "x"),
            np.where(missing, np.nan, values).astype(np.float32),
            {"units": "deg"},
        )
        for name, values in (("delta", delta), ("psi", psi))
    }
    return xr.Dataset(maps, coords={"wavelength": ("wavelength", np.arange(5.0), {"units": "nm"})}), truth


def labels_of(images: xr.Dataset, **settings: object) -> np.ndarray:
    return np.asarray(KMeans(**settings).fit(images).predict(images)["labels"])


def _parts(pixels: np.ndarray, labels: np.ndarray, k: int) -> list[np.ndarray]:
    return [pixels[labels == label] for label in range(1, k + 1)]


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of a few rows, so that the passes over all tiles are really needed."""
    monkeypatch.setattr("engine.cluster.sample.MIN_PIXELS", 800)
    monkeypatch.setattr("engine.cluster.sample.MAX_PIXELS", 800)


def two_values() -> xr.Dataset:
    """Two channels, five pixels: three of (0, 0), one of (10, 10), one of (NaN, 10)."""
    values = np.array([[0.0, 0.0, 0.0, 10.0, np.nan], [0.0, 0.0, 0.0, 10.0, 10.0]])[:, None, :]
    return xr.Dataset({"a": (("channel", "y", "x"), values)})


def test_zones_are_found_and_numbered_by_falling_size() -> None:
    images, truth = stack()
    np.testing.assert_array_equal(labels_of(images, n_clusters=3), truth + 1)


@pytest.mark.parametrize("algorithm", ["sampled", "minibatch", "lloyd"])
@pytest.mark.parametrize("features", ["raw", "standardised", "pca", "nmf"])
def test_every_algorithm_finds_the_zones_in_every_feature_space(algorithm: str, features: str) -> None:
    images, truth = stack(holes=0.02)
    found = labels_of(images, n_clusters=3, algorithm=algorithm, features=features, n_components=2)
    assert adjusted_rand_score(truth.ravel(), found.ravel()) > 0.99


def test_ellipsometric_zones_are_found_across_the_wrap_of_delta() -> None:
    images, truth = ellipsometry()
    model = KMeans(n_clusters=3).fit(images)
    assert model.metadata["features"] == "angles"
    found = np.asarray(model.predict(images)["labels"])
    assert adjusted_rand_score(truth.ravel(), found.ravel()) > 0.99
    raw = labels_of(images, n_clusters=3, features="raw")
    assert adjusted_rand_score(truth.ravel(), raw.ravel()) < 0.9


@pytest.mark.parametrize("k", [2, 4, 6])
def test_inertia_is_within_a_thousandth_of_the_best_of_ten_of_scikit_learn(k: int) -> None:
    rng = np.random.default_rng(k)
    values = rng.gamma(2.0, 1.0, (5, 40, 50)) * np.linspace(1, 2, 5)[:, None, None]
    values[:, rng.random((40, 50)) < 0.1] = np.nan
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    model = KMeans(n_clusters=k, features="raw", missing="drop").fit(images)
    pixels = values.reshape(5, -1)
    pixels = pixels[:, np.isfinite(pixels).all(axis=0)].T
    peer = Peer(k, n_init=10, random_state=0).fit(pixels)
    found = np.asarray(model.predict(images)["labels"]).ravel()
    own = sum(((part - part.mean(0)) ** 2).sum() for part in _parts(pixels, found[found > 0], k))
    assert own <= 1.001 * peer.inertia_
    assert model.metadata["inertia"] == pytest.approx(own, rel=1e-4)


def test_threads_and_a_local_cluster_give_the_same_labels(small_sample: None) -> None:
    from distributed import Client, LocalCluster

    images, _ = stack(holes=0.05)
    images = images.chunk({"y": 20})
    by_threads = labels_of(images, n_clusters=4)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        by_processes = labels_of(images, n_clusters=4)
    with dask.config.set(scheduler="synchronous"):
        alone = labels_of(images, n_clusters=4)
    np.testing.assert_array_equal(by_threads, by_processes)
    np.testing.assert_array_equal(by_threads, alone)


def test_a_pixel_is_labelled_by_the_values_that_it_has() -> None:
    found = labels_of(two_values(), n_clusters=2, features="raw")
    assert found.tolist() == [[1, 1, 1, 2, 2]]


def test_dropped_pixels_get_no_label_and_no_confidence() -> None:
    images = two_values()
    model = KMeans(n_clusters=2, features="raw", missing="drop").fit(images)
    result = model.predict(images)
    assert np.asarray(result["labels"]).tolist() == [[1, 1, 1, 2, 0]]
    assert np.asarray(result["confidence"])[0, 4] == 0
    assert model.metadata["counts"] == [3, 1]


@pytest.mark.parametrize("features", ["standardised", "pca"])
def test_dropping_holds_in_every_feature_space(features: str) -> None:
    images, _ = stack(holes=0.02)
    found = labels_of(images, n_clusters=3, missing="drop", features=features, n_components=2)
    missing = np.isnan(images["counts"].values).any(axis=0)
    np.testing.assert_array_equal(found == 0, missing)


def test_an_infinite_value_is_missing() -> None:
    images, _ = stack(holes=0.05)
    infinite = images.copy(deep=True)
    where = np.isnan(infinite["counts"].values)
    infinite["counts"].values[where] = np.where(np.arange(where.sum()) % 2, np.inf, -np.inf)
    np.testing.assert_array_equal(labels_of(infinite, n_clusters=3), labels_of(images, n_clusters=3))


def test_masked_pixels_are_neither_fitted_nor_labelled() -> None:
    images, truth = stack()
    images["mask"] = (("y", "x"), truth == 2)
    model = KMeans(n_clusters=2).fit(images)
    found = np.asarray(model.predict(images)["labels"])
    np.testing.assert_array_equal(found, np.array([1, 2, 0])[truth])
    assert model.metadata["counts"] == [int((truth == 0).sum()), int((truth == 1).sum())]


def test_weights_move_the_centres_to_the_weighted_means(small_sample: None) -> None:
    values = np.array([[0.0, 1.0, 10.0, 11.0]]).repeat(300, axis=0)
    images = xr.Dataset({"a": (("y", "x"), values), "weights": (("y", "x"), values * 0 + [3, 1, 1, 1])})
    model = KMeans(n_clusters=2, features="raw", algorithm="lloyd").fit(images)
    np.testing.assert_allclose(np.sort(model.arrays["centroids"].ravel()), [0.25, 10.5], atol=1e-5)
    images["weights"] = images["weights"].where(images["a"] != 11, 0)
    model = KMeans(n_clusters=2, features="raw", algorithm="lloyd").fit(images)
    np.testing.assert_allclose(np.sort(model.arrays["centroids"].ravel()), [0.25, 10.0], atol=1e-5)
    assert (np.asarray(model.predict(images)["labels"]) > 0).all()


def test_negative_weights_are_refused() -> None:
    images, _ = stack()
    images["weights"] = (("y", "x"), np.full((N_Y, N_X), -1.0))
    with pytest.raises(InputError, match="weights hold negative"):
        KMeans().fit(images)


def test_confidence_is_the_margin_between_the_two_nearest_centres() -> None:
    values = np.array([[0.0, 0.0, 10.0, 10.0, 2.0]])
    images = xr.Dataset({"a": (("y", "x"), values), "mask": (("y", "x"), values == 2)})
    model = KMeans(n_clusters=2, features="raw").fit(images)
    result = model.predict(images.drop_vars("mask"))
    expected = (8 - 2) / (8 + 2)
    np.testing.assert_allclose(np.asarray(result["confidence"])[0], [1, 1, 1, 1, expected], rtol=1e-6)


def test_one_cluster_is_certain() -> None:
    images, _ = stack()
    result = KMeans(n_clusters=1).fit(images).predict(images)
    assert (np.asarray(result["labels"]) == 1).all()
    assert (np.asarray(result["confidence"]) == 1).all()


def test_images_of_another_kind_are_refused_with_what_differs() -> None:
    images, _ = ellipsometry()
    model = KMeans(n_clusters=2).fit(images)
    with pytest.raises(InputError, match="fitted on the variables delta, psi, the images have counts"):
        model.predict(stack()[0])
    with pytest.raises(InputError, match=r"5 channels along wavelength \(0.0…4.0 nm\), the images have 3"):
        model.predict(images.isel(wavelength=slice(3)))
    with pytest.raises(InputError, match="'psi' is in rad, the model was fitted on deg"):
        model.predict(images.assign(psi=images["psi"].assign_attrs(units="rad")))


@pytest.mark.parametrize("algorithm", ["sampled", "minibatch", "lloyd"])
def test_more_clusters_than_different_pixels_are_refused(algorithm: str) -> None:
    with pytest.raises(InputError, match="only 2 different values; ask for at most 2"):
        KMeans(n_clusters=3, algorithm=algorithm).fit(two_values())


def test_constant_maps_are_one_cluster() -> None:
    images = xr.Dataset({"a": (("channel", "y", "x"), np.full((3, 9, 9), 7.0))})
    assert (labels_of(images, n_clusters=1) == 1).all()


def test_images_without_any_value_are_refused() -> None:
    images = xr.Dataset({"a": (("channel", "y", "x"), np.full((3, 9, 9), np.nan))})
    with pytest.raises(InputError, match="no pixel of the images has a value"):
        KMeans().fit(images)


def test_dropping_every_pixel_is_refused() -> None:
    values = np.random.default_rng(0).random((3, 9, 9))
    values[1] = np.nan
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    with pytest.raises(InputError, match="every pixel of the images misses a value"):
        KMeans(n_clusters=2, missing="drop").fit(images)
    assert (labels_of(images, n_clusters=2) > 0).all()


def test_angles_of_images_without_delta_and_psi_are_refused() -> None:
    with pytest.raises(InputError, match="features 'angles' need the variables 'delta' and 'psi'"):
        KMeans(features="angles").fit(stack()[0])


def test_a_setting_out_of_bounds_is_refused() -> None:
    with pytest.raises(InputError, match="n_clusters"):
        KMeans(n_clusters=0)


def test_integer_images_are_clustered() -> None:
    images, truth = stack()
    whole = (images * 100).round().astype(np.uint16)
    np.testing.assert_array_equal(labels_of(whole, n_clusters=3), truth + 1)


def test_small_differences_on_a_large_offset_are_seen() -> None:
    images, truth = stack()
    lifted = images.astype(np.float64) + 1e9
    np.testing.assert_array_equal(labels_of(lifted, n_clusters=3, features="raw"), truth + 1)


def test_progress_is_reported_and_can_cancel() -> None:
    from engine import progress
    from engine.errors import CancelledError

    images, _ = stack()
    shares: list[float] = []
    with progress.reporting(lambda share, _doing: shares.append(share)):
        KMeans(n_clusters=3, algorithm="minibatch").fit(images)
    assert shares
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1

    def cancel(_share: float, doing: str) -> None:
        if doing == "finding centres":
            raise CancelledError("cancelled")

    with progress.reporting(cancel), pytest.raises(CancelledError):
        KMeans(n_clusters=3).fit(images)


def test_spectra_are_of_the_raw_values_whatever_the_clustering_saw() -> None:
    images, _ = stack()
    result = KMeans(n_clusters=3, smooth=1.0).fit(images).predict(images)
    labels = np.asarray(result["labels"])
    mean = images["counts"].values[:, labels == 1].mean(axis=1, dtype=np.float64)
    np.testing.assert_allclose(result["spectra"]["counts_mean"].sel(label=1), mean, rtol=1e-5)


def test_smoothing_finds_zones_that_noise_hides() -> None:
    rng = np.random.default_rng(0)
    truth = (np.arange(80)[None, :] >= 40).repeat(80, axis=0)
    values = truth + rng.normal(0, 1.0, (3, 80, 80))
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    rough, smooth = (
        adjusted_rand_score(truth.ravel(), labels_of(images, n_clusters=2, smooth=s).ravel()) for s in (0, 2)
    )
    assert smooth > 0.9 > rough


@pytest.mark.real
def test_jasper_ridge_agrees_with_its_ground_truth_at_default_settings(shared: object) -> None:
    from engine.readers import open_images

    folder = shared / "data" / "hyperspectral" / "jasper_ridge"  # type: ignore[operator]
    truth = np.load(folder / "labels.npz")["labels"]
    found = labels_of(open_images(folder / "jasperRidge2_R198.mat"), n_clusters=4)
    assert adjusted_rand_score(truth.ravel(), found.ravel()) >= 0.70


@pytest.mark.real
@pytest.mark.parametrize("k", [5, 8])
def test_hbn_inertia_is_within_a_thousandth_of_the_best_of_ten_of_scikit_learn(
    shared: object, k: int
) -> None:
    """Most of its pixels are one tight cluster; the inertia lies in small zones that a search may miss."""
    from engine.readers import open_images

    images = open_images(shared / "data" / "hyperspectral" / "hBN_test").load()  # type: ignore[operator]
    values = np.concatenate([images[name].values.reshape(11, -1) for name in ("delta", "psi")])
    pixels = values[:, np.isfinite(values).all(axis=0)].T.astype(np.float64)
    peer = Peer(k, n_init=10, random_state=0).fit(pixels)
    for seed in range(3):
        model = KMeans(n_clusters=k, features="raw", missing="drop", seed=seed).fit(images)
        assert model.metadata["inertia"] <= 1.001 * peer.inertia_


def test_a_rare_value_is_found_among_many_alike() -> None:
    values = np.zeros((1, 300, 300), np.float32)
    values[0, :, 150:] = 1
    values[0, 7, 11] = 500
    images = xr.Dataset({"a": (("channel", "y", "x"), values)})
    labels = labels_of(images, n_clusters=3, features="raw")
    assert labels[7, 11] == 3
    assert np.unique(labels, return_counts=True)[1].tolist() == [45000, 44999, 1]
