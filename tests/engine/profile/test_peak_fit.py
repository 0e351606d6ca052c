"""The fit of one peak, beside SciPy's and by simulation."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from engine.profile import peak_fit

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
@pytest.mark.parametrize("axis", [AXIS, np.sort(AXIS + 0.3 * np.sin(AXIS))], ids=["even", "uneven"])
def test_a_peak_without_noise_is_found_exactly(shape: int, axis: np.ndarray) -> None:
    values = PEAKS[shape](axis, 50.0, 41.3, 7.0, 12.0)[:, None, None]
    position, width, height, area = fit(values, shape, axis)[:4, 0, 0]
    share = np.sqrt(np.pi / FOUR_LN_2) if shape == peak_fit.GAUSSIAN else np.pi / 2
    assert [position, width, height] == pytest.approx([41.3, 7.0, 50.0], rel=1e-4)
    assert area == pytest.approx(share * 50 * 7, rel=1e-4)


@pytest.mark.parametrize("shape", PEAKS)
def test_values_and_errors_are_those_of_scipy_in_the_same_window(shape: int) -> None:
    rng = np.random.default_rng(5)
    noisy = PEAKS[shape](AXIS, 50.0, 48.2, 9.0, 12.0) + rng.normal(0, 1, 100)
    ours = fit(noisy[:, None, None], shape)[:, 0, 0]
    inside = np.abs(AXIS - ours[0]) <= peak_fit.REACH * ours[1]
    theirs, covariance = curve_fit(PEAKS[shape], AXIS[inside], noisy[inside], [50, 48, 9, 12])
    apart = np.abs(ours[[2, 0, 1]] - theirs[:3]) / np.sqrt(np.diag(covariance))[:3]
    assert apart.max() < 0.3
    assert [ours[6], ours[4], ours[5]] == pytest.approx(np.sqrt(np.diag(covariance))[:3], rel=0.1)


@pytest.mark.parametrize("shape", PEAKS)
@pytest.mark.parametrize("position", [-12.0, -2.0, 101.0, 111.0])
def test_the_flank_of_a_peak_outside_of_the_range_is_no_peak(shape: int, position: float) -> None:
    rng = np.random.default_rng(8)
    clean = PEAKS[shape](AXIS, 500.0, position, 20.0, 12.0)[:, None, None]
    found = fit(clean + rng.normal(0, 1, (100, 10, 10)), shape)
    assert not found[-1].any()
    assert np.isnan(found[:-1]).all()


@pytest.mark.parametrize("position", [3.0, 96.0])
def test_a_peak_near_an_end_of_the_range_is_found(position: float) -> None:
    rng = np.random.default_rng(8)
    clean = PEAKS[peak_fit.GAUSSIAN](AXIS, 500.0, position, 20.0, 12.0)[:, None, None]
    found = fit(clean + rng.normal(0, 1, (100, 10, 10)), peak_fit.GAUSSIAN)
    assert found[-1].all()
    assert np.abs((found[0] - position) / found[4]).max() < 4


def test_noise_and_empty_spectra_have_no_peak() -> None:
    noise = np.random.default_rng(1).normal(0, 1, (100, 20, 20))
    noise[:, 0] = np.nan
    noise[:, 1] = 3.0
    found = fit(noise, peak_fit.GAUSSIAN)
    assert not found[9, :2].any()
    assert np.isnan(found[:9, :2]).all()
