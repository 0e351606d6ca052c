"""Tests of `engine.cluster.passes`."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cluster import KMeans, choose_k
from engine.cluster.decomposition import decompose

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


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of a few rows, so that the passes over all tiles are really needed."""
    monkeypatch.setattr("engine.cluster.sample.MIN_PIXELS", 800)
    monkeypatch.setattr("engine.cluster.sample.MAX_PIXELS", 800)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    y=st.integers(1, N_Y), x=st.integers(1, N_X), algorithm=st.sampled_from(["sampled", "lloyd", "minibatch"])
)
def test_labels_do_not_depend_on_the_chunking(y: int, x: int, algorithm: str, small_sample: None) -> None:
    y, x = max(y, 15), max(x, 20)
    images, _ = stack(holes=0.05)
    options = {"n_clusters": 5, "algorithm": algorithm, "n_restarts": 3}
    whole = KMeans(**options).fit(images)
    chunked = images.chunk({"channel": 3, "y": y, "x": x})
    parts = KMeans(**options).fit(chunked)
    np.testing.assert_array_equal(parts.arrays["centroids"], whole.arrays["centroids"])
    for name in ("labels", "confidence"):
        np.testing.assert_array_equal(parts.predict(chunked)[name], whole.predict(images)[name])


@pytest.mark.parametrize("options", [{"missing": "fill"}, {"smooth": 1.5}])
def test_filled_or_smoothed_images_are_clustered_alike_for_any_chunking(options: dict[str, object]) -> None:
    images, truth = stack(holes=0.03)
    whole = labels_of(images, n_clusters=3, **options)
    inner = abs(np.arange(N_X)[None, :] - np.array([[35], [56]])).min(axis=0) > 6
    np.testing.assert_array_equal(whole[:, inner], truth[:, inner] + 1)
    chunked = labels_of(images.chunk({"y": 17, "x": 31}), n_clusters=3, **options)
    np.testing.assert_array_equal(chunked, whole)


def blobs(*, n_points, centres, seed=0, scale=0.1):
    """Points around centres, (point, feature), and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centres), n_points).astype(np.int32)
    return np.asarray(centres, float)[labels] + scale * rng.standard_normal(
        (n_points, len(centres[0]))
    ), labels


def stack_of(points, *, size):
    """Images with one channel a feature from points in raster order."""
    values = points.T.reshape(-1, size, size).astype(np.float32)
    return xr.Dataset({"counts": (("channel", "y", "x"), values)})


SQUARE = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 3, 0, 0), (3, 3, 0, 1)]


def test_the_choice_does_not_depend_on_the_chunks_and_is_the_same_for_the_same_seed(four):
    first = choose_k(four[0], k=range(2, 6), seed=3)
    again = choose_k(four[0].chunk(y=17, x=23), k=range(2, 6), seed=3)
    assert first == again


def cube(seed=0, shape=(12, 30, 25), n_sources=3, noise=0.01, dim="wavelength"):
    """A non-negative mixture of `n_sources` bumps; the abundances are smooth random maps."""
    rng = np.random.default_rng(seed)
    n, height, width = shape
    centres = (np.arange(n_sources) + 0.5) * n / n_sources
    spectra = np.exp(-0.5 * ((np.arange(n) - centres[:, None]) / 1.5) ** 2)
    abundances = rng.random((n_sources, height, width)) * np.array([3, 2, 1])[:, None, None]
    values = np.einsum("kc,kyx->cyx", spectra, abundances) + noise * rng.random(shape)
    images = xr.Dataset(
        {"counts": ((dim, "y", "x"), values.astype(np.float32), {"units": "adu"})},
        {dim: (dim, np.arange(n) * 10.0, {"units": "nm"})},
    )
    return images, spectra, abundances


@given(
    rows=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    columns=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    method=st.sampled_from(["pca", "nmf"]),
)
@settings(max_examples=8, deadline=None)
def test_components_do_not_depend_on_the_chunks(rows, columns, method):
    images, *_ = cube(shape=(5, sum(rows) + 4, sum(columns) + 4))
    whole = decompose(images, method=method, n_components=2)
    tiles = {"y": (4, *rows), "x": (*columns, 4)}
    parts = decompose(images.chunk(tiles), method=method, n_components=2)
    xr.testing.assert_allclose(parts.compute(), whole.compute(), rtol=1e-5, atol=1e-5)
