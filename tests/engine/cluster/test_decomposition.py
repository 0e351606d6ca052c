"""Tests of `engine.cluster.decomposition`."""

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import nnls
from sklearn.decomposition import PCA

from engine.cluster.decomposition import decompose, nonnegative_least_squares
from engine.errors import InputError
from engine.schema import check


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


def test_pca_is_that_of_scikit_learn_on_the_complete_pixels():
    images, *_ = cube()
    images["counts"][2, 4:8, 5] = np.nan
    found = decompose(images, n_components=4)
    pixels = images["counts"].values.reshape(12, -1).T.astype(float)
    complete = np.isfinite(pixels).all(axis=1)
    reference = PCA(4, svd_solver="full").fit(pixels[complete])
    np.testing.assert_allclose(found["explained_variance"], reference.explained_variance_, rtol=1e-8)
    np.testing.assert_allclose(
        found["explained_variance_ratio"], reference.explained_variance_ratio_, rtol=1e-8
    )
    signs = np.sign((found["counts_component"].values * reference.components_).sum(axis=1))
    np.testing.assert_allclose(
        found["counts_component"], reference.components_ * signs[:, None], atol=1e-7, rtol=0
    )
    scores = found["scores"].values.reshape(4, -1).T
    np.testing.assert_allclose(scores[complete], reference.transform(pixels[complete]) * signs, atol=1e-5)
    assert np.isnan(scores[~complete]).all()


def test_the_largest_part_of_every_component_is_positive():
    images, *_ = cube()
    spectra = decompose(images, n_components=5)["counts_component"].values
    assert (spectra[np.arange(5), np.abs(spectra).argmax(axis=1)] > 0).all()


def test_scores_are_images_of_the_data_model():
    images, *_ = cube()
    found = decompose(images.chunk({"y": 7}), n_components=2)
    check(found[["scores"]])
    assert found["scores"].chunks is not None
    assert found["scores"].dims == ("channel", "y", "x")


def test_nmf_finds_the_spectra_of_a_mixture():
    images, spectra, abundances = cube(noise=0.0)
    found = decompose(images, method="nmf", n_components=3)
    unit = spectra / np.linalg.norm(spectra, axis=1)[:, None]
    likeness = found["counts_component"].values @ unit.T
    assert (likeness.max(axis=0) > 0.97).all()
    best = likeness.argmax(axis=0)
    for k in range(3):
        scores = found["scores"].values[best[k]].ravel()
        assert np.corrcoef(scores, abundances[k].ravel())[0, 1] > 0.97
    assert (found["scores"].values >= 0).all()


def test_weights_are_those_of_scipys_non_negative_least_squares():
    rng = np.random.default_rng(1)
    spectra, values = rng.random((4, 9)), rng.normal(0.3, 1, (9, 50))
    weights = nonnegative_least_squares(spectra @ spectra.T, spectra @ values, 10_000, 1e-12)
    for p in range(50):
        np.testing.assert_allclose(weights[:, p], nnls(spectra.T, values[:, p])[0], atol=1e-7)


def test_angles_that_wrap_make_no_component_of_their_own():
    rng = np.random.default_rng(0)
    steady = rng.normal(0, 1, (3, 20, 20))
    turned = xr.Dataset({"delta": (("wavelength", "y", "x"), steady % 360, {"units": "deg"})})
    plain = xr.Dataset({"psi": (("wavelength", "y", "x"), steady + 40, {"units": "deg"})})
    np.testing.assert_allclose(
        decompose(turned, n_components=3)["explained_variance"],
        decompose(plain, n_components=3)["explained_variance"],
        rtol=1e-9,
    )


def test_excluded_pixels_are_not_fitted_and_have_no_scores():
    images, *_ = cube()
    mask = np.zeros((30, 25), bool)
    mask[:, :10] = True
    spoilt = images.copy(deep=True)
    spoilt["counts"][:, :, :10] = 1e4
    found = decompose(spoilt.assign(mask=(("y", "x"), mask)), n_components=2)
    expected = decompose(images.isel(x=slice(10, None)), n_components=2)
    np.testing.assert_allclose(found["explained_variance"], expected["explained_variance"], rtol=1e-9)
    assert np.isnan(found["scores"].values[:, mask]).all()


def test_a_cube_over_channel_keeps_its_own_channels_beside_the_components():
    images, *_ = cube(dim="channel")
    found = decompose(images, n_components=2)
    assert found["counts_component"].dims == ("channel", "source_channel")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "ica"}, "expected one of pca, nmf"),
        ({"n_components": 0}, "expected 1 to 12"),
        ({"n_components": 13}, "expected 1 to 12"),
    ],
)
def test_what_cannot_be_decomposed_is_refused(arguments, message):
    images, *_ = cube()
    with pytest.raises(InputError, match=message):
        decompose(images, **arguments)


def test_a_cube_without_complete_pixels_is_refused():
    images, *_ = cube()
    images["counts"][0, :, :20] = np.nan
    images["counts"][1, :, 20:] = np.nan
    with pytest.raises(InputError, match="value in every channel"):
        decompose(images)
