"""Tests of `engine.statistics.tile_passes`."""

import numpy as np
import pytest
import xarray as xr

from engine.statistics import describe
from engine.statistics.tile_passes import MAD_ERROR, QUANTILE_ERROR

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


def plain_statistics(values):
    """The reference: numpy on the valid values of one class and channel."""
    values = values[np.isfinite(values)].astype(float)
    median = np.median(values)
    return {
        "mean": values.mean(),
        "std": values.std(),
        "median": median,
        "mad": np.median(np.abs(values - median)),
        "q05": np.quantile(values, 0.05),
        "q95": np.quantile(values, 0.95),
        "count": values.size,
    }


@pytest.mark.parametrize("value", [1, 2, 7])
def test_spectra_are_those_of_numpy_on_the_valid_pixels_of_each_class(value):
    images, labels, confidence = scene()
    spectra = describe(images, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).compute()
    for c in range(3):
        values = images["psi"].values[c][labels.values == value]
        expected = plain_statistics(values)
        spread = np.nanmax(values) - np.nanmin(values)
        got = {s: spectra[f"psi_{s}"].sel(label=value).values[c] for s in expected}
        for exact in ("mean", "std", "count"):
            assert got[exact] == pytest.approx(expected[exact], rel=1e-12)
        for quantile in ("median", "q05", "q95"):
            assert abs(got[quantile] - expected[quantile]) <= QUANTILE_ERROR * spread
        assert abs(got["mad"] - expected["mad"]) <= MAD_ERROR * spread


def test_angles_across_the_wrap_are_unwrapped_about_their_circular_mean():
    images, labels, confidence = scene()
    spectra = describe(images, labels, confidence, names=NAMES)["spectra"].to_dataset(inherit=False).compute()
    values = images["delta"].values[1][labels.values == 2].astype(float)
    unwrapped = (values - 5 + 180) % 360 - 180
    expected = plain_statistics(unwrapped)
    got = {s: float(spectra[f"delta_{s}"].sel(label=2)[1]) for s in expected}
    spread = np.ptp(unwrapped)
    assert got["mean"] == pytest.approx((expected["mean"] + 5) % 360, abs=1e-9)
    assert got["std"] == pytest.approx(expected["std"], rel=1e-12)
    assert got["q05"] == pytest.approx((expected["q05"] + 5) % 360, abs=QUANTILE_ERROR * spread)
    assert got["q95"] == pytest.approx((expected["q95"] + 5) % 360, abs=QUANTILE_ERROR * spread)
    assert got["mad"] == pytest.approx(expected["mad"], abs=MAD_ERROR * spread)
    assert got["q05"] > 270
    assert got["q95"] < 90


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", ">f4", "bool"])
def test_any_kind_of_number_is_taken(dtype):
    values = np.array([[[0, 1, 1, 1]]]).astype(dtype)
    images = dataset({"counts": values})
    labels = xr.DataArray(np.ones((1, 4), np.uint16), dims=("y", "x"))
    table = (
        describe(images, labels, labels.astype(float), names={1: "a"})["spectra"]
        .to_dataset(inherit=False)
        .compute()
    )
    assert float(table["counts_mean"][0, 0]) == 0.75
    assert float(table["counts_median"][0, 0]) == pytest.approx(1, abs=QUANTILE_ERROR)
