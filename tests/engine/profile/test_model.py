"""Peaks of all pixels: masks, axes and units."""

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.profile import peak_fit
from engine.profile.model import error_inflation, sort_axis


def stack() -> xr.Dataset:
    axis = np.linspace(500, 700, 41)
    data = 100 * np.exp(-4 * np.log(2) * ((axis[:, None, None] - 600) / 40) ** 2) + np.zeros((41, 3, 4))
    coords = {"wavelength": ("wavelength", axis, {"units": "nm"})}
    return xr.Dataset({"counts": (("wavelength", "y", "x"), data.astype("f4"), {"units": "adu"})}, coords)


def test_channels_at_one_place_are_refused() -> None:
    images = stack().assign_coords(wavelength=np.full(41, 600.0))
    with pytest.raises(InputError, match="equal or missing values"):
        sort_axis(images["counts"])


def test_errors_grow_where_there_are_few_degrees_of_freedom() -> None:
    factors = error_inflation()
    assert factors[10] == pytest.approx(2.228 / 1.96, rel=1e-3)  # Student's table: t(0.975, 10) = 2.228
    assert factors[-1] == 1.0


AXIS = np.arange(100.0)


FOUR_LN_2 = 4 * np.log(2)


PEAKS = {
    peak_fit.GAUSSIAN: lambda x, h, p, w, b: h * np.exp(-FOUR_LN_2 * ((x - p) / w) ** 2) + b,
    peak_fit.LORENTZIAN: lambda x, h, p, w, b: h / (1 + 4 * ((x - p) / w) ** 2) + b,
}


def fit(
    values: np.ndarray, shape: int, axis: np.ndarray = AXIS, inflation: np.ndarray | None = None
) -> np.ndarray:
    out = np.empty((peak_fit.N_OUTPUTS, *values.shape[1:]), np.float32)
    excluded = np.zeros(values.shape[1:], bool)
    factors = np.ones(513) if inflation is None else inflation
    order = np.arange(axis.size)
    peak_fit.fit_tile(
        np.ascontiguousarray(values, np.float64), excluded, axis, order, shape, 3.0, factors, out
    )
    return out


@pytest.mark.parametrize("shape", PEAKS)
def test_intervals_hold_the_truth_as_often_as_they_say(shape: int) -> None:
    rng = np.random.default_rng(0)
    centres = rng.uniform(35, 65, (60, 60))
    clean = PEAKS[shape](AXIS[:, None, None], 100.0, centres, 8.0, 20.0)
    clean[rng.random(clean.shape) < 0.02] = np.nan
    found = fit(clean + rng.normal(0, 10, clean.shape), shape, inflation=error_inflation())
    covered = np.abs(found[0] - centres) < 1.96 * found[4]
    assert (found[9] == 1).mean() > 0.99
    assert 0.93 <= covered[found[9] == 1].mean() <= 0.97
    assert abs(np.median(found[0] - centres)) < 0.02
