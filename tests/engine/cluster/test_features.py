"""Tests of `engine.cluster.features`."""

import numpy as np
import xarray as xr

from engine.cluster.features import FeatureSpace, fit_features
from engine.cluster.sample import draw_sample


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
