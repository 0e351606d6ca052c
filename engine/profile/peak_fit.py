"""Fit one peak on a constant background to a spectrum by least squares, for many spectra: compiled kernels.

The peak is a Gaussian or a Lorentzian of height `h`, position `p` and full width at half maximum `w` on a
background `b`; the fit is Levenberg's (Q. Appl. Math. 2 (1944) 164) with analytic derivatives, in a window
round the highest point of the smoothed spectrum.
"""

import math
from typing import Any, Final

import numpy as np
from numba import njit

GAUSSIAN: Final = 0
LORENTZIAN: Final = 1
N_PARAMETERS: Final = 4
"""Height, position, width, background."""
N_OUTPUTS: Final = 10
"""Position, width, height and area, the error of each, the residual, and whether the fit is valid."""
FIRST_STEPS: Final = 1
"""Steps of the fit before its window is placed again."""
N_STEPS: Final = 12
REACH: Final = 2.0
"""Half of the window in widths: a Gaussian is below 2e-5 of its height there, a Lorentzian at 6 %."""
LEAST_CHANNELS: Final = 7
"""Channels in a window, at least: three more than there are parameters."""
FOUR_LN_2: Final = 4.0 * math.log(2.0)
BLOCK: Final = 128
"""Pixels whose spectra are gathered together: planes of a stack lie far apart in memory."""
SETTLED: Final = 0.1
"""The fit ends when a step moves the position and the width by less than this share of a standard error."""
SMALLEST_MOVE: Final = 1e-6
"""Share of the width below which a move is none, where there is no noise to compare it with."""


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True, error_model="numpy")(function)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})  # type: ignore[untyped-decorator]
def _extremes(values: np.ndarray, n: int) -> tuple[float, float]:
    """Return the highest and the lowest sum of three neighbours."""
    left, middle, right = values[: n - 2], values[1 : n - 1], values[2:n]
    high, low = -np.inf, np.inf
    for i in range(left.size):
        total = left[i] + middle[i] + right[i]
        high = max(high, total)
        low = min(low, total)
    return high, low


@_jit
def _highest(values: np.ndarray, n: int) -> tuple[int, float, float]:
    """Return the channel of the highest sum of three neighbours, that sum, and the lowest such sum."""
    high, low = _extremes(values, n)
    best = 1
    while best < n - 2 and values[best - 1] + values[best] + values[best + 1] < high:
        best += 1
    return best, high, low


@_jit
def _half_width(axis: np.ndarray, values: np.ndarray, n: int, best: int, half: float) -> float:
    """Return the distance between the points left and right of the peak whose sums are below `half`."""
    left = best
    while left > 1 and values[left - 1] + values[left] + values[left + 1] > half:
        left -= 1
    right = best
    while right < n - 2 and values[right - 1] + values[right] + values[right + 1] > half:
        right += 1
    return float(axis[right] - axis[left])


@_jit
def _window(axis: np.ndarray, n: int, centre: float, half: float) -> tuple[int, int]:
    """Return the first channel of a window and the one past its last, at least `LEAST_CHANNELS` apart."""
    start, stop = _first_from(axis, n, centre - half), _first_from(axis, n, centre + half)
    while stop - start < LEAST_CHANNELS and (start > 0 or stop < n):
        start = max(0, start - 1)
        stop = min(n, stop + 1)
    return start, stop


@_jit
def _first_from(axis: np.ndarray, n: int, place: float) -> int:
    """Return the first channel at or after a place, by halving."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if axis[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


@_jit
def _fill_profile(
    axis: np.ndarray, start: int, stop: int, shape: int, step: float, peak: np.ndarray, profile: np.ndarray
) -> None:
    """Fill in the values of the peak of height 1 in a window.

    On an evenly spaced axis (`step` > 0) a Gaussian is the product of the ratios of its neighbours, which are
    themselves in a geometric series: no exponential a channel.
    """
    inverse = 1.0 / peak[2]
    if shape == LORENTZIAN:
        for i in range(start, stop):
            u = (axis[i] - peak[1]) * inverse
            profile[i] = 1.0 / (1.0 + 4.0 * u * u)
    elif step <= 0.0:
        for i in range(start, stop):
            u = (axis[i] - peak[1]) * inverse
            profile[i] = math.exp(-FOUR_LN_2 * u * u)
    else:
        first, move = (axis[start] - peak[1]) * inverse, step * inverse
        value = math.exp(-FOUR_LN_2 * first * first)
        ratio = math.exp(-FOUR_LN_2 * move * (2.0 * first + move))
        change = math.exp(-2.0 * FOUR_LN_2 * move * move)
        for i in range(start, stop):
            profile[i] = value
            value *= ratio
            ratio *= change


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})  # type: ignore[untyped-decorator]
def _normal_equations(
    axis: np.ndarray,
    values: np.ndarray,
    start: int,
    stop: int,
    shape: int,
    step: float,
    peak: np.ndarray,
    matrix: np.ndarray,
    right: np.ndarray,
    profile: np.ndarray,
) -> float:
    """Fill the normal equations of the fit at `peak` and return the sum of the squared residuals."""
    _fill_profile(axis, start, stop, shape, step, peak, profile)
    h, p, b = peak[0], peak[1], peak[3]
    inverse = 1.0 / peak[2]
    scale, lorentzian = 2.0 * FOUR_LN_2 * h * inverse, 0.0
    if shape == LORENTZIAN:
        scale, lorentzian = 8.0 * h * inverse, 1.0
    m00 = m01 = m02 = m03 = m11 = m12 = m13 = m22 = m23 = 0.0
    r0 = r1 = r2 = r3 = rss = 0.0
    places, measured, shapes = axis[start:stop], values[start:stop], profile[start:stop]
    for i in range(places.size):  # from 0: an index that may be negative keeps the loop from being vectorised
        g = shapes[i]
        u = (places[i] - p) * inverse
        d1 = scale * u * g * (1.0 + lorentzian * (g - 1.0))
        d2 = d1 * u
        rest = measured[i] - h * g - b
        rss += rest * rest
        m00 += g * g
        m01 += g * d1
        m02 += g * d2
        m03 += g
        m11 += d1 * d1
        m12 += d1 * d2
        m13 += d1
        m22 += d2 * d2
        m23 += d2
        r0 += g * rest
        r1 += d1 * rest
        r2 += d2 * rest
        r3 += rest
    matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3] = m00, m01, m02, m03
    matrix[1, 1], matrix[1, 2], matrix[1, 3] = m11, m12, m13
    matrix[2, 2], matrix[2, 3] = m22, m23
    matrix[3, 3] = stop - start
    right[0], right[1], right[2], right[3] = r0, r1, r2, r3
    return rss


@_jit
def _factorise(matrix: np.ndarray, damping: float, factor: np.ndarray) -> bool:
    """Write the Cholesky factor of a damped symmetric matrix; return whether it is positive definite."""
    for i in range(N_PARAMETERS):
        for j in range(i + 1):
            total = matrix[j, i] * (1.0 + damping if i == j else 1.0)
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                factor[i, i] = math.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    return True


@_jit
def _solve(factor: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """Solve the equations whose Cholesky factor is given."""
    for i in range(N_PARAMETERS):
        total = right[i]
        for k in range(i):
            total -= factor[i, k] * out[k]
        out[i] = total / factor[i, i]
    for i in range(N_PARAMETERS - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, N_PARAMETERS):
            total -= factor[k, i] * out[k]
        out[i] = total / factor[i, i]


@_jit
def _descend(
    axis: np.ndarray,
    values: np.ndarray,
    start: int,
    stop: int,
    shape: int,
    step: float,
    n_steps: int,
    settled: float,
    work: Any,
) -> float:
    """Move `peak` to the least squares; return their sum, and leave the normal equations in `work`."""
    peak, matrix, factor, right, move, trial, profile = work
    rss = _normal_equations(axis, values, start, stop, shape, step, peak, matrix, right, profile)
    damping = 1e-4
    span = axis[stop - 1] - axis[start]
    for _ in range(n_steps):
        if not _factorise(matrix, damping, factor):
            damping = damping * 10.0 + 1e-2
            continue
        _solve(factor, right, move)
        for i in range(N_PARAMETERS):
            trial[i] = peak[i] + move[i]
        if not (0.0 < trial[2] < 4.0 * span and axis[start] <= trial[1] <= axis[stop - 1]):
            damping = damping * 10.0 + 1e-2
            continue
        along, across = math.sqrt(matrix[1, 1]), math.sqrt(matrix[2, 2])
        after = _normal_equations(axis, values, start, stop, shape, step, trial, matrix, right, profile)
        if after <= rss:
            limit = settled * math.sqrt(after / (stop - start - N_PARAMETERS + 1e-9))
            for i in range(N_PARAMETERS):
                peak[i] = trial[i]
            rss = after
            damping *= 0.1
            if max(abs(move[1]) * along, abs(move[2]) * across) <= limit:
                break
        else:
            rss = _normal_equations(axis, values, start, stop, shape, step, peak, matrix, right, profile)
            damping = damping * 10.0 + 1e-2
    return float(rss)


@_jit
def fit_spectrum(
    axis: np.ndarray,
    values: np.ndarray,
    n: int,
    shape: int,
    step: float,
    least_snr: float,
    inflation: np.ndarray,
    work: Any,
    out: np.ndarray,
) -> None:
    """Fit the largest peak of one spectrum.

    Parameters
    ----------
    axis : ndarray (channel,), float64
        Ascending; the first `n` entries count.
    values : ndarray (channel,), float64
        Without NaN; the first `n` entries count.
    n
        Number of channels.
    shape
        `GAUSSIAN` or `LORENTZIAN`.
    step
        Distance of neighbouring channels where they are evenly spaced, else 0.
    least_snr
        Height over its error below which there is no peak.
    inflation : ndarray (degrees of freedom,), float64
        Factor on the errors, by degrees of freedom, that makes 1.96 of them a 95 % interval.
    work : tuple of ndarray
        Scratch, from `_scratch`.
    out : ndarray (N_OUTPUTS,), float64
        Position, width, height, area, their errors, the rms residual, 1 where valid; NaN and 0 where not. A
        peak is valid where the fit settled with a channel, at least, on each side of the peak.
    """
    for i in range(N_OUTPUTS):
        out[i] = np.nan
    out[N_OUTPUTS - 1] = 0.0
    if n < LEAST_CHANNELS:
        return
    best, high, low = _highest(values, n)
    if not high > low:
        return
    peak, matrix, factor, right, column, move, _ = work
    width = max(_half_width(axis, values, n, best, 0.5 * (high + low)), axis[best + 1] - axis[best - 1])
    peak[0], peak[1], peak[2], peak[3] = (high - low) / 3.0, axis[best], width, low / 3.0
    start, stop = _window(axis, n, peak[1], REACH * width)
    _descend(axis, values, start, stop, shape, step, FIRST_STEPS, 0.5, work)
    start, stop = _window(axis, n, peak[1], REACH * peak[2])
    rss = _descend(axis, values, start, stop, shape, step, N_STEPS, SETTLED, work)
    freedom = stop - start - N_PARAMETERS
    if freedom < 1 or not (peak[0] > 0.0 and peak[2] > 0.0):
        return
    if not _factorise(matrix, 0.0, factor):
        return
    _solve(factor, right, move)
    variance = rss / freedom * inflation[min(freedom, inflation.size - 1)] ** 2
    covariance = matrix  # not needed any more
    for i in range(3):
        for j in range(N_PARAMETERS):
            right[j] = 1.0 if i == j else 0.0
        _solve(factor, right, column)
        for j in range(N_PARAMETERS):
            covariance[i, j] = column[j] * variance
    is_high = peak[0] >= least_snr * math.sqrt(covariance[0, 0])
    if is_high and axis[1] <= peak[1] <= axis[n - 2] and _is_settled(move, covariance, peak[2]):
        _write_peak(peak, covariance, shape, math.sqrt(rss / (stop - start)), out)


@_jit
def _is_settled(move: np.ndarray, covariance: np.ndarray, width: float) -> bool:
    """Return whether the next step would be small; a fit held at an end of its window wants to go on."""
    slack = SMALLEST_MOVE * width
    position, broad = abs(move[1]), abs(move[2])
    return bool(
        position <= math.sqrt(covariance[1, 1]) + slack and broad <= math.sqrt(covariance[2, 2]) + slack
    )


@_jit
def _write_peak(
    peak: np.ndarray, covariance: np.ndarray, shape: int, residual: float, out: np.ndarray
) -> None:
    """Write position, width, height and area of a peak, their errors, and the residual."""
    h, p, w = peak[0], peak[1], peak[2]
    share = math.sqrt(math.pi / FOUR_LN_2) if shape == GAUSSIAN else 0.5 * math.pi
    out[0], out[1], out[2], out[3] = p, w, h, share * h * w
    out[4] = math.sqrt(covariance[1, 1])
    out[5] = math.sqrt(covariance[2, 2])
    out[6] = math.sqrt(covariance[0, 0])
    spread = w * w * covariance[0, 0] + h * h * covariance[2, 2] + 2.0 * h * w * covariance[0, 2]
    out[7] = share * math.sqrt(spread)
    out[8] = residual
    out[9] = 1.0


@_jit
def _scratch(n_channels: int) -> Any:
    """Return peak, matrix, factor, right-hand side, step and trial of a fit, and room for a profile."""
    n = N_PARAMETERS
    return (
        np.empty(n),
        np.empty((n, n)),
        np.empty((n, n)),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n_channels),
    )


@_jit
def _even_step(axis: np.ndarray) -> float:
    """Return the distance of neighbouring channels where they are evenly spaced, else 0."""
    span = axis[-1] - axis[0]
    step = span / (axis.size - 1)
    for i in range(1, axis.size):
        if abs(axis[i] - axis[i - 1] - step) > 1e-9 * span:
            return 0.0
    return float(step)


@_jit
def _drop_missing(values: np.ndarray, axis: np.ndarray, coordinate: np.ndarray, spectrum: np.ndarray) -> int:
    """Copy the channels that have a value, and return how many there are."""
    n = 0
    for c in range(axis.size):
        if np.isfinite(values[c]):
            coordinate[n] = axis[c]
            spectrum[n] = values[c]
            n += 1
    return n


@_jit
def _fit_gathered(
    values: np.ndarray,
    axis: np.ndarray,
    step: float,
    shape: int,
    least_snr: float,
    inflation: np.ndarray,
    work: Any,
    kept: Any,
    out: np.ndarray,
) -> None:
    """Fit the spectrum of one pixel, of which channels may be missing."""
    total = 0.0
    for c in range(axis.size):
        total += values[c]
    if np.isfinite(total):
        fit_spectrum(axis, values, axis.size, shape, step, least_snr, inflation, work, out)
    else:
        coordinate, spectrum = kept
        n = _drop_missing(values, axis, coordinate, spectrum)
        fit_spectrum(coordinate, spectrum, n, shape, 0.0, least_snr, inflation, work, out)


@_jit
def fit_tile(
    values: np.ndarray,
    excluded: np.ndarray,
    axis: np.ndarray,
    order: np.ndarray,
    shape: int,
    least_snr: float,
    inflation: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fit the largest peak of every pixel of a tile.

    Parameters
    ----------
    values : ndarray (channel, y, x), float
        NaN where there is no value.
    excluded : ndarray (y, x), bool
    axis : ndarray (channel,), float64
        Ascending coordinate.
    order : ndarray (channel,), int
        Channel of each entry of the axis.
    shape, least_snr, inflation
        As in `fit_spectrum`.
    out : ndarray (N_OUTPUTS, y, x), float32
    """
    n_channels, n_rows, n_columns = values.shape
    gathered = np.empty((BLOCK, n_channels))
    kept = np.empty(n_channels), np.empty(n_channels)
    work, peak, step = _scratch(n_channels), np.empty(N_OUTPUTS), _even_step(axis)
    for row in range(n_rows):
        for first in range(0, n_columns, BLOCK):
            last = min(n_columns, first + BLOCK)
            for c in range(n_channels):
                channel = order[c]
                for column in range(first, last):
                    value = values[channel, row, column]
                    gathered[column - first, c] = np.nan if excluded[row, column] else value
            for column in range(first, last):
                pixel = gathered[column - first]
                _fit_gathered(pixel, axis, step, shape, least_snr, inflation, work, kept, peak)
                for k in range(N_OUTPUTS):
                    out[k, row, column] = peak[k]
