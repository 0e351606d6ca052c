"""Mosaics: what the amplifiers of a camera read, put together as the detector lies, without overscan."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine.errors import InputError
from engine.readers.fits.image_units import Image, choose_unit, load
from engine.readers.fits.sections import MOST_AMPLIFIERS, Amplifier, Placement, Section
from engine.readers.source import MOST_TILE_BYTES, Source, Window, lazy, stamp, tile_chunks, whole

_MOST_CELLS: Final = 4
"""Cells for each amplifier in a regular mosaic with gaps between its rows and columns."""


def mosaic_source(path: Path, placement: Placement) -> Source:
    """Return the mosaic as an array on disk, NaN between the amplifiers.

    From each amplifier the median of its whole BIASSEC is subtracted, whatever the tiles.

    Parameters
    ----------
    path : Path
        The file.
    placement : Placement
        Places of the amplifiers in the mosaic.
    """
    dtype = _dtype(placement.amplifiers)
    return Source(_load_mosaic, path, placement.amplifiers, placement.shape, dtype, stamp(path))


def lazy_mosaic(source: Source, *, chunks: Mapping[str, int] | None) -> da.Array:
    """Dask array of a mosaic, in the tiles asked for where the numbers lie plain in the file.

    Of compressed amplifiers a chunk is what lies between their edges, so that each is unpacked once.

    Parameters
    ----------
    source : Source
        Array on disk.
    chunks
        Pixels of a tile along `y` and `x`; the format's own if not given.
    """
    amplifiers: tuple[Amplifier, ...] = source.part
    if any(amplifier.image.is_packed for amplifier in amplifiers):
        return whole(source, spectral=None)
    tiles = tile_chunks(source.shape, source.dtype.itemsize, spectral=None)
    if any(amplifier.image.tile for amplifier in amplifiers):
        return lazy(source, chunks=_between_edges(source, amplifiers) or tiles)
    return lazy(source, chunks=choose_unit(tiles, source.shape, chunks))


def _between_edges(source: Source, amplifiers: Sequence[Amplifier]) -> tuple[tuple[int, ...], ...] | None:
    """Chunks between the edges of the amplifiers, None where they would be too many or one too large."""
    steps = []
    for axis, size in enumerate(source.shape):
        starts = {a.place[axis] for a in amplifiers}
        stops = {a.place[axis] + a.data.shape[axis] for a in amplifiers}
        steps.append(tuple(np.diff(sorted({0, size} | starts | stops)).tolist()))
    n_bytes = max(steps[0]) * max(steps[1]) * source.dtype.itemsize
    n_chunks = len(steps[0]) * len(steps[1])
    return tuple(steps) if n_bytes <= MOST_TILE_BYTES and n_chunks <= _MOST_CELLS * len(amplifiers) else None


def _load_mosaic(path: Path, amplifiers: Sequence[Amplifier], window: Window) -> np.ndarray:
    """Read a window of a mosaic from the amplifiers that lie in it."""
    shape = [part.stop - part.start for part in window]
    out: np.ndarray[Any, Any] = np.full(shape, np.nan, _dtype(amplifiers))
    version = stamp(path)
    for amplifier in amplifiers:
        ends = [start + n for start, n in zip(amplifier.place, amplifier.data.shape, strict=True)]
        seen = [
            slice(max(part.start, start), min(part.stop, end))
            for part, start, end in zip(window, amplifier.place, ends, strict=True)
        ]
        if all(part.stop > part.start for part in seen):
            there = [slice(p.start - w.start, p.stop - w.start) for p, w in zip(seen, window, strict=True)]
            out[tuple(there)], level = _read_exposed(path, version, amplifier, seen)
            out[tuple(there)] -= level
    return out


def _dtype(amplifiers: Sequence[Amplifier]) -> np.dtype[Any]:
    return np.result_type(np.float32, *(amplifier.image.dtype for amplifier in amplifiers))


def _read_exposed(
    path: Path, version: tuple[int, int], amplifier: Amplifier, seen: Sequence[slice]
) -> tuple[np.ndarray, float]:
    """Exposed pixels of an amplifier in a part of the mosaic, turned the right way, and their pedestal.

    What has to be unpacked is read once where all is seen: the overscan lies in the same tiles.
    """
    image, bias = amplifier.image, amplifier.bias
    stored, turns = _where(amplifier, seen)
    is_all = all(part.stop - part.start == n for part, n in zip(seen, amplifier.data.shape, strict=True))
    if bias is not None and is_all and (image.is_packed or image.tile):
        values = load(path, image, tuple(slice(0, n) for n in image.shape))
        return values[stored][turns], pedestal(path, version, image, bias, overscan=values[bias.window])
    values = load(path, image, stored)[turns]
    return values, 0.0 if bias is None else pedestal(path, version, image, bias)


def _where(amplifier: Amplifier, seen: Sequence[slice]) -> tuple[Window, Window]:
    """Return the pixels of the file that show a part of the mosaic, and how they are turned."""
    stored, turns = [], []
    sections = (amplifier.data.rows, amplifier.data.columns)
    for part, start, (first, last), is_mirrored in zip(
        seen, amplifier.place, sections, amplifier.mirrored, strict=True
    ):
        low, high = part.start - start, part.stop - start
        stored.append(slice(last - high, last - low) if is_mirrored else slice(first + low, first + high))
        turns.append(slice(None, None, -1 if is_mirrored else 1))
    return tuple(stored), tuple(turns)


def pedestal(
    path: Path,
    version: tuple[int, int],
    image: Image,
    bias: Section,
    *,
    overscan: np.ndarray | None = None,
) -> float:
    """Median of an amplifier's overscan in the units of its values; kept for each version of the file.

    Parameters
    ----------
    path : Path
        The file.
    version : tuple of int
        Stamp of the file.
    image : Image
        Description of the image in the file.
    bias : Section
        Overscan section.
    overscan : ndarray (y, x), optional
        Overscan values, if they were read already.

    Raises
    ------
    InputError
        If no pixel of the overscan has a value.
    """
    known = _check_sections(path, version, image, bias)
    if not known:
        pixels = load(path, image, bias.window) if overscan is None else overscan
        pixels = pixels[np.isfinite(pixels)]
        if pixels.size == 0:
            raise InputError(
                f"{path.name} has an overscan without values in HDU {image.number}; open it alone"
            )
        known.append(float(np.median(pixels.astype(np.float64))))
    return known[0]


@lru_cache(maxsize=4 * MOST_AMPLIFIERS)
def _check_sections(path: Path, version: tuple[int, int], image: Image, bias: Section) -> list[float]:  # noqa: ARG001
    """Return the pedestal, once it has been found from whichever read came first."""
    return []
