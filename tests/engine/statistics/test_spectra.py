"""Tests of `engine.statistics.spectra`."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.statistics import describe, region_spectrum

NAMES = {1: "substrate", 2: "thin flake", 7: "thick"}


def dataset(variables, *, unit="px", step=1.0):
    """Images `{name: array (channel, y, x)}` over wavelength, in degrees."""
    n, height, width = next(iter(variables.values())).shape
    coords = {
        "wavelength": ("wavelength", 400.0 + 10 * np.arange(n), {"units": "nm"}),
        "y": ("y", step * np.arange(height), {"units": unit}),
        "x": ("x", step * np.arange(width), {"units": unit}),
    }
    return xr.Dataset(
        {v: (("wavelength", "y", "x"), a, {"units": "deg", "long_name": v}) for v, a in variables.items()},
        coords,
    )


def scene(seed=0, shape=(3, 37, 29)):
    """Random images with holes, labels 0, 1, 2, 7 and confidences."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 7], size=shape[1:]).astype(np.uint8)
    psi = (rng.normal(40, 6, shape) + labels).astype(np.float32)
    delta = (rng.normal(5, 30, shape) % 360).astype(np.float32)
    psi[rng.random(shape) < 0.1] = np.nan
    delta[0, 0, 0] = np.inf
    images = dataset({"delta": delta, "psi": psi})
    pixels = {d: images.coords[d] for d in ("y", "x")}
    confidence = rng.random(shape[1:]).astype(np.float32)
    return (
        images,
        xr.DataArray(labels, pixels, ("y", "x")),
        xr.DataArray(confidence, pixels, ("y", "x")),
    )


def test_angles_359_and_1_have_the_mean_0_and_not_180():
    images = dataset({"delta": np.array([[[359.0, 1.0], [358.0, 2.0]]])})
    labels = xr.DataArray(np.ones((2, 2), np.uint8), dims=("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["spectra"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["delta_mean"][0, 0]) == pytest.approx(0, abs=1e-9)
    assert float(table["delta_std"][0, 0]) == pytest.approx(np.sqrt(2.5), rel=1e-12)
    assert float(table["delta_median"][0, 0]) % 360 == pytest.approx(0, abs=4 / 1024)


def test_plain_images_without_a_spectral_dim_have_one_number_a_class():
    images, labels, confidence = scene()
    flat = images[["psi"]].isel(wavelength=0, drop=True)
    spectra = describe(flat, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).compute()
    assert spectra["psi_mean"].dims == ("label",)
    expected = np.nanmean(flat["psi"].values[labels.values == 1].astype(float))
    assert float(spectra["psi_mean"].sel(label=1)) == pytest.approx(expected, rel=1e-12)


def test_a_region_has_the_spectrum_of_a_class_of_its_pixels():
    images, labels, confidence = scene()
    expected = (
        describe(images, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).sel(label=7)
    )
    region = region_spectrum(images.chunk({"y": 5, "x": 7}), labels == 7)
    xr.testing.assert_allclose(region, expected.drop_vars("label").compute(), rtol=1e-12)


def test_a_region_reads_only_the_tiles_that_it_touches():
    images, *_ = scene()
    read = set()

    def load(tile, block_info=None):
        if block_info:
            read.add(block_info[0]["chunk-location"][1:])
        return tile

    psi = da.from_array(images["psi"].values, chunks=(-1, 10, 10))
    lazy = images[["psi"]].copy()
    lazy["psi"] = (images["psi"].dims, psi.map_blocks(load, dtype=psi.dtype, meta=psi._meta))
    selected = np.zeros((37, 29), bool)
    selected[12, 3] = selected[25, 25] = True
    region_spectrum(lazy, selected)
    assert read == {(1, 0), (2, 2)}


def test_an_empty_region_counts_nothing():
    images, *_ = scene()
    region = region_spectrum(images, np.zeros((37, 29), bool))
    assert not region["psi_count"].any()
    assert np.isnan(region["psi_mean"]).all()


def test_a_region_of_another_shape_is_refused():
    images, *_ = scene()
    with pytest.raises(InputError, match=r"shape \(2, 2\); expected that of the images, \(37, 29\)"):
        region_spectrum(images, np.zeros((2, 2), bool))
