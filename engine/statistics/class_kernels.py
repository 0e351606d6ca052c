"""Per class and channel sums over one tile, on plain arrays.

Every kernel takes `values (channel, y, x)`, `labels (y, x)` and `rows`, the row of the tables that each label
value belongs to (-1 = in no table), reads the planes where they lie and accumulates in float64.
"""

import math

import numpy as np
from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")

N_DIRECTIONS = 4096
COSINES = np.cos(2 * np.pi * np.arange(N_DIRECTIONS) / N_DIRECTIONS)
SINES = np.sin(2 * np.pi * np.arange(N_DIRECTIONS) / N_DIRECTIONS)
"""Directions tabled round the circle: with the first-order term unit vectors are right to 3e-7."""


@kernel
def linear_extent(values, labels, rows, n_rows):  # type: ignore[no-untyped-def]
    """Return number, lowest and highest finite value of each class and channel, each `(class, channel)`.

    Parameters
    ----------
    values : ndarray (channel, y, x)
        NaN where there is no value.
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    rows : ndarray (label,), int
        Row of each label in the tables, -1 for none.
    n_rows
        Number of rows.
    """
    shape = (n_rows, values.shape[0])
    count = np.zeros(shape, np.int64)
    low = np.full(shape, np.inf)
    high = np.full(shape, -np.inf)
    for c in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                label = labels[y, x]
                row = rows[label] if label < rows.size else -1
                value = float(values[c, y, x])
                if row < 0 or not math.isfinite(value):
                    continue
                count[row, c] += 1
                low[row, c] = min(low[row, c], value)
                high[row, c] = max(high[row, c], value)
    return count, low, high


@kernel
def circular_extent(values, labels, rows, n_rows, period):  # type: ignore[no-untyped-def]
    """Return number, extent and summed unit vector of angles on a circle.

    `low` and `high` are `(branch, class, channel)`: of the angles in 0...period and in -period/2...period/2,
    so that one of them is free of the jump unless the angles spread over half of the circle.
    `vector (cosine and sine, class, channel)`.

    Parameters
    ----------
    values : ndarray (channel, y, x)
        Angles, NaN where there is no value.
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    rows : ndarray (label,), int
        Row of each label in the tables, -1 for none.
    n_rows
        Number of rows.
    period
        Length of the circle in the unit of the values.
    """
    shape = (n_rows, values.shape[0])
    count = np.zeros(shape, np.int64)
    low = np.full((2, *shape), np.inf)
    high = np.full((2, *shape), -np.inf)
    vector = np.zeros((2, *shape))
    steps = N_DIRECTIONS / period
    for c in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                label = labels[y, x]
                row = rows[label] if label < rows.size else -1
                value = float(values[c, y, x])
                if row < 0 or not math.isfinite(value):
                    continue
                full = value - period * math.floor(value / period)
                half = full - period if full >= period / 2 else full
                nearest = int(full * steps + 0.5)
                beside = (full * steps - nearest) * (2 * math.pi / N_DIRECTIONS)
                cosine, sine = COSINES[nearest % N_DIRECTIONS], SINES[nearest % N_DIRECTIONS]
                count[row, c] += 1
                low[0, row, c] = min(low[0, row, c], full)
                high[0, row, c] = max(high[0, row, c], full)
                low[1, row, c] = min(low[1, row, c], half)
                high[1, row, c] = max(high[1, row, c], half)
                vector[0, row, c] += cosine - beside * sine
                vector[1, row, c] += sine + beside * cosine
    return count, low, high, vector


@kernel
def histograms(values, labels, rows, centre, low, width, n_bins, period):  # type: ignore[no-untyped-def]
    """Return sums, sums of squares and histograms of the deviations from `centre`, all `(class, channel)`.

    Bin `i` begins at the deviation `low + i * width`. With `period > 0` deviations are taken the short way
    round the circle, so that they lie in -period/2...period/2.

    Parameters
    ----------
    values : ndarray (channel, y, x)
        NaN where there is no value.
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    rows : ndarray (label,), int
        Row of each label in the tables, -1 for none.
    centre, low, width : ndarray (class, channel)
        Value that deviations are taken from, deviation of the first bin's start, width of a bin.
    n_bins
        Number of bins.
    period
        Length of the circle, 0 for plain numbers.
    """
    shape = centre.shape
    total = np.zeros(shape)
    square = np.zeros(shape)
    histogram = np.zeros((*shape, n_bins), np.uint32)
    scale = np.where(width > 0, 1 / width, 0.0)
    for c in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                label = labels[y, x]
                row = rows[label] if label < rows.size else -1
                value = float(values[c, y, x])
                if row < 0 or not math.isfinite(value):
                    continue
                deviation = value - centre[row, c]
                if period > 0:
                    deviation -= period * math.floor(deviation / period + 0.5)
                total[row, c] += deviation
                square[row, c] += deviation * deviation
                position = int((deviation - low[row, c]) * scale[row, c])
                histogram[row, c, min(max(position, 0), n_bins - 1)] += 1
    return total, square, histogram


@kernel
def order_statistic(histogram, rank):  # type: ignore[no-untyped-def]
    """Return the position, in bins, of the value of a rank (0 = lowest), spread evenly over its bin.

    Parameters
    ----------
    histogram : ndarray (bin,), int
        Number of values in each bin.
    rank
        Number of values below.
    """
    before = 0
    for i in range(histogram.size):
        if before + histogram[i] > rank:
            return i + (rank - before + 0.5) / histogram[i]
        before += histogram[i]
    return float(histogram.size)


@kernel
def deviation_statistic(histogram, middle, rank):  # type: ignore[no-untyped-def]
    """Return the position, in bins, of the rank-th smallest distance of the bins' centres from `middle`.

    Parameters
    ----------
    histogram : ndarray (bin,), int
        Number of values in each bin.
    middle
        Position in bins.
    rank
        Number of smaller distances.
    """
    right = max(0, min(histogram.size, math.ceil(middle - 0.5)))
    left = right - 1
    seen = 0
    distance = 0.0
    while seen <= rank and (left >= 0 or right < histogram.size):
        leftwards = middle - (left + 0.5) if left >= 0 else np.inf
        rightwards = right + 0.5 - middle if right < histogram.size else np.inf
        distance = min(leftwards, rightwards)
        if leftwards <= rightwards:
            seen += histogram[left]
            left -= 1
        else:
            seen += histogram[right]
            right += 1
    return distance


@kernel
def interpolate_rank(histogram, count, share):  # type: ignore[no-untyped-def]
    """Return a quantile in bins, linear between the two neighbouring ranks as in `numpy.quantile`.

    Parameters
    ----------
    histogram : ndarray (bin,), int
        Number of values in each bin.
    count
        Number of values.
    share
        Probability of the quantile, 0 to 1.
    """
    rank = share * (count - 1)
    below = math.floor(rank)
    part = rank - below
    position = order_statistic(histogram, below)
    if part > 0:
        position += part * (order_statistic(histogram, below + 1) - position)
    return position


@kernel
def robust_statistics(count, histogram, low, width):  # type: ignore[no-untyped-def]
    """Return median, MAD, 5 % and 95 % quantile from histograms, `(4, class, channel)`; NaN without values.

    MAD is the median distance from the median, not scaled to a standard deviation.

    Parameters
    ----------
    count : ndarray (class, channel), int
        Number of values.
    histogram : ndarray (class, channel, bin), int
        Number of values in each bin.
    low, width : ndarray (class, channel)
        Start of the first bin and width of a bin.
    """
    n_rows, n_channels = count.shape
    result = np.full((4, n_rows, n_channels), np.nan)
    for row in range(n_rows):
        for c in range(n_channels):
            n = count[row, c]
            if n == 0:
                continue
            bins = histogram[row, c]
            middle = interpolate_rank(bins, n, 0.5)
            spread = 0.5 * (
                deviation_statistic(bins, middle, (n - 1) // 2) + deviation_statistic(bins, middle, n // 2)
            )
            result[0, row, c] = low[row, c] + width[row, c] * middle
            result[1, row, c] = width[row, c] * spread
            result[2, row, c] = low[row, c] + width[row, c] * interpolate_rank(bins, n, 0.05)
            result[3, row, c] = low[row, c] + width[row, c] * interpolate_rank(bins, n, 0.95)
    return result


@kernel
def class_sums(labels, confidence, rows, n_rows):  # type: ignore[no-untyped-def]
    """Return pixels, pixels with a confidence, and summed confidence of each class, `(3, class)`.

    Parameters
    ----------
    labels : ndarray (y, x), unsigned
        Class of each pixel.
    confidence : ndarray (y, x)
        0 to 1, NaN where there is none.
    rows : ndarray (label,), int
        Row of each label, -1 for none.
    n_rows
        Number of rows.
    """
    sums = np.zeros((3, n_rows))
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            row = rows[label] if label < rows.size else -1
            if row < 0:
                continue
            sums[0, row] += 1
            value = float(confidence[y, x])
            if math.isfinite(value):
                sums[1, row] += 1
                sums[2, row] += value
    return sums
