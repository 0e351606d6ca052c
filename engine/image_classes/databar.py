"""The data bar of a micrograph: where it is, and the picture without it.

Microscopes write magnification, voltage and a scale onto their pictures: on a strip of full width, below the
picture, above it, or laid over it. A network that sees the strip learns to read it, or which microscope wrote
it, instead of looking at the specimen. A strip is known by three things together, none of which a specimen
has at once: rows of one level, up to what JPEG leaves of it; straight borders; and, on that level, marks that
stand on common lines, as letters do. Letters written onto the picture itself, without a strip, are not found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from engine.errors import InputError

TOLERANCES: Final = (0, 2, 5)
"""Grey levels of 256 by which a strip's background may differ from its level: plain, JPEG, poor JPEG."""

TALLEST: Final = 0.25
"""Height of a bar, at most, as a share of the image."""
LOWEST: Final = 0.015
FEWEST_ROWS: Final = 6

CLEAN: Final = 0.75
"""Share of a row's pixels at the level, from which there is nothing but the strip's background in it."""
OUTERMOST: Final = (0.75, 0.55)
"""Shares of a row's pixels at the level, from which the row can be a strip's outermost; tried in order."""
LETTERED: Final = 0.3
"""Share of a row's pixels near the level, from which the row can lie within a strip: between its letters."""
NEAR: Final = 15
"""Grey levels by which letters that were made smaller, or kept as JPEG, change the pixels around them."""
STEP: Final = 0.3
"""By how much the share of pixels at the level falls from a strip to the picture beside it, at least."""

FEWEST_MARKS: Final = 6
MOST_MARKED: Final = 0.5
"""Share of a strip's pixels that letters, logos and the scale cover, at most."""
UNLIKE: Final = 0.15
"""Standard deviation of the letters' areas in units of their mean, at least: dots of a pattern are alike."""
TALLEST_LINES: Final = 0.15
"""Height of lines of letters at an end of a picture, as a share of it, up to which they are not a page's."""
SPREAD: Final = 0.3
"""Share of the width over which letters are spread, at least."""
CONTRASTS: Final = (0.35, 0.15)
"""Contrasts of letters in units of the strip's greatest: letters made smaller are paler than its logo."""
LEAST_CONTRAST: Final = 25
"""Grey levels by which letters differ from the strip, at least: JPEG changes it less."""

_ROWS: Final = 256
"""Rows counted at once."""


@dataclass(frozen=True)
class _Strip:
    """Rows `start...stop` whose pixels between the letters are of one level."""

    start: int
    stop: int
    level: int
    tolerance: int


def without_databar(image: np.ndarray) -> np.ndarray:
    """Return the larger part of an image `(y, x)` beside its data bar, a view; all of it where there is none.

    The bar is cut off, not filled: a filled strip would still tell where which microscope puts its bar, which
    is as good as the label where every class came from its own microscope. Of an image with a bar laid over
    it, the smaller part, most often a tenth below the bar, is lost.
    """
    bar = find_databar(image)
    above, below = image[: bar.start], image[bar.stop :]
    return above if len(above) > len(below) else below


def find_databar(image: np.ndarray) -> slice:
    """Return the rows of the data bar in an image, empty (`slice(0, 0)`) where there is none.

    Parameters
    ----------
    image : array, dims (y, x)
        Of whatever dtype and range; NaN = no data.

    Raises
    ------
    InputError
        If the image is not `(y, x)`.

    Examples
    --------
    >>> find_databar(np.random.default_rng(0).normal(size=(64, 64)))
    slice(0, 0, None)
    """
    if image.ndim != 2:
        raise InputError(f"an image of the shape {image.shape} was given; expected one of (y, x)")
    if min(image.shape) < FEWEST_ROWS / TALLEST:
        return slice(0, 0)
    grey = _grey(image)
    counts = _counts(grey)
    strips = {
        (strip.start, strip.stop): strip
        for tolerance in TOLERANCES
        for strip in _strips(counts, tolerance)
        if _has_borders(counts, strip)
    }
    bars = [slice(*rows) for rows, strip in strips.items() if _has_letters(grey, strip)]
    bars = bars or list(_find_letter_ends(grey, counts))
    return _with_frame(grey, max(bars, key=lambda bar: bar.stop - bar.start)) if bars else slice(0, 0)


def _grey(image: np.ndarray) -> np.ndarray:
    """Return an image in 256 levels.

    A deeper one stretched by its picture, which a bar's white would flatten.
    """
    if image.dtype == np.uint8:
        return image
    values = image.astype(np.float32)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(image.shape, np.uint8)
    low, high = np.quantile(finite, (0.1, 0.9))
    low, high = max(finite.min(), 2 * low - high), min(finite.max(), 2 * high - low)
    if not high > low:
        low, high = finite.min(), finite.max()
    scaled = (values - low) * (255 / (float(high - low) or 1.0))
    return np.asarray(np.nan_to_num(scaled).clip(0, 255).round().astype(np.uint8))


def _counts(grey: np.ndarray) -> np.ndarray:
    """Return the pixels of each row below each level, dims (y, level), 257 levels."""
    counts = np.zeros((len(grey), 257), np.int64)
    for start in range(0, len(grey), _ROWS):
        rows = grey[start : start + _ROWS]
        index = np.arange(len(rows), dtype=np.int64)[:, None] * 256 + rows
        here = np.bincount(index.ravel(), minlength=len(rows) * 256)
        counts[start : start + _ROWS, 1:] = here.reshape(-1, 256).cumsum(axis=1)
    return counts


def _shares(counts: np.ndarray, level: int, tolerance: int) -> np.ndarray:
    """Return the share of each row's pixels that are at a level."""
    low, high = max(level - tolerance, 0), min(level + tolerance + 1, 256)
    return np.asarray((counts[:, high] - counts[:, low]) / counts[:, -1])


def _strips(counts: np.ndarray, tolerance: int) -> Iterator[_Strip]:
    """Yield the strips of rows at one level, for each level that rows are of throughout."""
    height = len(counts)
    least, most = max(FEWEST_ROWS, LOWEST * height), TALLEST * height
    for level in _levels(counts, tolerance):
        share = _shares(counts, level, tolerance)
        n_lines = max(2, height // 200)
        near = _shares(counts, level, tolerance + NEAR) >= LETTERED
        within = ndimage.binary_closing(np.pad(near, n_lines), np.ones(n_lines + 1))
        for (rows,) in ndimage.find_objects(ndimage.label(within[n_lines:-n_lines])[0]):
            if (share[rows] >= CLEAN).sum() < 2:
                continue
            for outermost in OUTERMOST:
                ends = np.flatnonzero(share[rows] >= outermost)
                start, stop = rows.start + int(ends[0]), rows.start + int(ends[-1]) + 1
                if least <= stop - start <= most:
                    yield _Strip(start, stop, level, tolerance)


def _levels(counts: np.ndarray, tolerance: int) -> list[int]:
    """Levels of which whole rows are, the most common first."""
    histograms = np.diff(counts, axis=1)
    modes = histograms.argmax(axis=1)
    low, high = np.maximum(modes - tolerance, 0), np.minimum(modes + tolerance + 1, 256)
    rows = np.arange(len(counts))
    clean = modes[counts[rows, high] - counts[rows, low] >= CLEAN * counts[:, -1]]
    levels, n_rows = np.unique(clean, return_counts=True)
    found: list[int] = []
    for level in levels[np.argsort(-n_rows)]:
        if all(abs(int(level) - other) > tolerance for other in found):
            found.append(int(level))
    return found[:8]


def _has_borders(counts: np.ndarray, strip: _Strip) -> bool:
    """Return whether a strip is part of an image, and each end of it within the image a border."""
    share = _shares(counts, strip.level, strip.tolerance)
    ends = (strip.start, -1), (strip.stop, 1)
    inner = [(row, way) for row, way in ends if FEWEST_ROWS // 2 < row < len(counts) - FEWEST_ROWS // 2]
    return bool(inner) and all(_is_border(counts, share, row, way) for row, way in inner)


def _is_border(counts: np.ndarray, share: np.ndarray, row: int, way: int) -> bool:
    """Return whether picture begins within three rows of a strip's end, or a line of full width ends it."""
    outer, inner = slice(max(row - 5, 0), row), slice(row, row + 3)
    if way > 0:
        outer, inner = slice(row, row + 5), slice(row - 3, row)
    beside = share[outer][::way]
    lines = np.diff(counts[outer], axis=1).max(axis=1) >= 0.8 * counts[0, -1]
    is_other = share[outer] < LETTERED
    return bool((beside[2:] <= share[inner].mean() - STEP).all() or (lines & is_other).any())


def _has_letters(grey: np.ndarray, strip: _Strip) -> bool:
    """Return whether a strip has letters; on one laid over a picture they may be too small to be aligned."""
    is_laid_over = strip.start > 0 and strip.stop < len(grey)
    rows = grey[strip.start : strip.stop]
    return any(
        _are_letters(_mark_pixels(rows, strip.level, contrast), aligned=not is_laid_over)
        for contrast in CONTRASTS
    )


def _are_letters(marked: np.ndarray, *, aligned: bool = True) -> bool:
    """Return whether marks are as many, as spread, as unlike and, if asked for, as aligned as letters are."""
    height, width = marked.shape
    marks, _ = ndimage.label(marked, np.ones((3, 3)))
    areas = np.bincount(marks.ravel())[1:]
    boxes = [
        (
            rows.stop,
            (columns.start + columns.stop) / 2,
            area,
            _is_within(rows, height) and _is_within(columns, width),
        )
        for (rows, columns), area in zip(ndimage.find_objects(marks), areas, strict=True)
        if 3 <= rows.stop - rows.start <= 0.8 * height and columns.stop - columns.start <= 0.25 * width
    ]
    ends, centres, areas, is_whole = np.array(boxes).reshape(-1, 4).T
    is_whole = is_whole.astype(bool)
    if is_whole.sum() < FEWEST_MARKS or marked.mean() > MOST_MARKED:
        return False
    is_spread = np.ptp(np.quantile(centres, (0.02, 0.98))) >= SPREAD * width
    are_unlike = areas[is_whole].std() >= UNLIKE * areas[is_whole].mean()
    are_aligned = not aligned or _are_aligned(ends[is_whole].astype(int), height)
    return bool(is_spread and are_unlike and are_aligned)


def _is_within(span: slice, size: int) -> bool:
    return bool(span.start > 0 and span.stop < size)


def _mark_pixels(strip: np.ndarray, level: int, contrast: float) -> np.ndarray:
    """Return the pixels where a strip is of another level than its own, without lines from side to side."""
    distance = np.abs(strip.astype(np.int16) - level)
    marked = distance > max(LEAST_CONTRAST, contrast * distance.max())
    marked[marked.mean(axis=1) > 0.7] = False
    marked[:, marked.mean(axis=0) > 0.8] = False
    return np.asarray(marked)


def _are_aligned(ends: np.ndarray, height: int) -> bool:
    """Return whether marks end on the same rows, in pairs, far more often than if they lay anywhere."""
    n_on_row = np.bincount(ends, minlength=1)
    n_pairs = (n_on_row * (n_on_row - 1)).sum() / 2
    by_chance = len(ends) * (len(ends) - 1) / 2 / height
    return bool(n_pairs > max(3 * by_chance, by_chance + 4 * np.sqrt(by_chance) + 2))


def _find_letter_ends(grey: np.ndarray, counts: np.ndarray) -> Iterator[slice]:
    """Yield the lines of letters at either end of an image that is as flat as its bar (without a border)."""
    height = len(grey)
    most = int(TALLEST * height)
    for level in _levels(counts, TOLERANCES[-1])[:2]:
        for is_upper in (False, True):
            end = grey[:most][::-1] if is_upper else grey[height - most :]
            n_rows = _find_letter_rows(end, level)
            if n_rows:
                yield slice(0, n_rows) if is_upper else slice(height - n_rows, height)


def _find_letter_rows(end: np.ndarray, level: int) -> int:
    """Return the rows from the last one up to above all lines of letters that clean rows separate."""
    bands = [
        rows
        for (rows,) in ndimage.find_objects(
            ndimage.label(_mark_pixels(end, level, CONTRASTS[0]).any(axis=1))[0]
        )
    ]
    first = len(end)
    for band in reversed(bands):
        tall = band.stop - band.start
        margin = slice(max(band.start - 2, 0), min(band.stop + 2, len(end)))
        is_line = tall <= 0.06 * len(end) / TALLEST and band.start >= 2
        is_near = first - band.stop <= max(2 * tall, 0.2 * len(end))
        if not (is_line and is_near and _are_letters(_mark_pixels(end[margin], level, CONTRASTS[0]))):
            break
        first = max(band.start - tall, 0)
    return len(end) - first if (len(end) - first) * TALLEST <= TALLEST_LINES * len(end) else 0


def _with_frame(grey: np.ndarray, strip: slice) -> slice:
    """Return the rows of a strip and of the full-width lines around it, or of their traces in a JPEG."""
    is_line = (np.abs(grey.astype(np.int16) - np.median(grey, axis=1, keepdims=True)) <= 5).mean(axis=1) > 0.8
    start, stop = strip.start, strip.stop
    while start > max(strip.start - 4, 0) and is_line[start - 1]:
        start -= 1
    while stop < min(strip.stop + 4, len(grey)) and is_line[stop]:
        stop += 1
    return slice(start, stop)
