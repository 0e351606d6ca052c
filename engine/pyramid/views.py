"""A pyramid as views read it: one screenful of the level that is just finer than the screen."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.pyramid.halving import Halve, Plane, halve_labels, halve_values
from engine.pyramid.levels import InMemory, Stored, n_levels
from engine.schema import PERIODS, X, Y

MEMORY_BYTES: Final = 2**30
"""Rasters up to this size are kept in memory."""
LIMIT_PIXELS: Final = 2**20

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Axis:
    """One axis of the pixel grid: outer edge of the first pixel, pixel size, number of pixels."""

    edge: float
    step: float
    size: int

    def pixels(self, low: float, high: float) -> tuple[int, int]:
        """First and one past the last pixel that `low`...`high` touches, at least one.

        Parameters
        ----------
        low : float
            Lower end.
        high : float
            Upper end.
        """
        first = int(np.floor(np.clip((min(low, high) - self.edge) / self.step, 0, self.size - 1)))
        last = int(np.ceil(np.clip((max(low, high) - self.edge) / self.step, first + 1, self.size)))
        return first, last

    def position(self, pixel: int) -> float:
        """Return the edge before a pixel, in the units of the coordinate."""
        return self.edge + self.step * min(pixel, self.size)


@dataclass(frozen=True)
class Pyramid:
    """A raster `(channel, y, x)` that can be looked at one screenful at a time.

    Made by `label_pyramid` or `value_pyramid`. `bounds` are `(x0, y0, x1, y1)`, outer pixel edges in the
    units of the coordinates with x0 < x1 and y0 < y1; the first row of a view lies at y0.
    """

    name: str
    units: str
    n_channels: int
    x: Axis
    y: Axis
    _levels: InMemory | Stored = field(repr=False)
    _limits: dict[tuple[int, float], tuple[float, float, float, float]] = field(
        default_factory=dict, repr=False
    )

    @property
    def bounds(self) -> Bounds:
        """Outer edges of the whole raster: x0, y0, x1, y1."""
        return self.x.edge, self.y.edge, self.x.position(self.x.size), self.y.position(self.y.size)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the raster."""
        return self.y.size, self.x.size

    @property
    def ready(self) -> bool:
        """True if a view needs no reading of the source; if not, call it off the event loop."""
        return self._levels.ready

    def build(self) -> "Pyramid":
        """Read a small raster into memory or write the store of a large one; reports progress."""
        self._levels.build()
        return self

    def pixel(self, x: float, y: float) -> tuple[int, int] | None:
        """Return row and column of the pixel at a position; None outside of the raster.

        Parameters
        ----------
        x : float
            Position along x, in the units of the coordinate.
        y : float
            Position along y, in the units of the coordinate.
        """
        column, row = (x - self.x.edge) / self.x.step, (y - self.y.edge) / self.y.step
        inside = 0 <= column < self.x.size and 0 <= row < self.y.size
        return (int(row), int(column)) if inside else None

    def view(
        self,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        width: int,
        height: int,
        *,
        channel: int = 0,
    ) -> tuple[Plane, Bounds]:
        """Return one screenful: at most `width` x `height` pixels that cover the visible part of the raster.

        Parameters
        ----------
        x_range, y_range
            Visible ranges in the units of the coordinates, in any order, also beyond the raster.
        width, height
            Size of the screen's frame in pixels.
        channel
            Index along the spectral dim.

        Returns
        -------
        array (y, x) and its bounds (x0, y0, x1, y1)
        """
        c0, c1 = self.x.pixels(*x_range)
        r0, r1 = self.y.pixels(*y_range)
        n_columns = _share(width, (c1 - c0) * self.x.step, x_range)
        n_rows = _share(height, (r1 - r0) * self.y.step, y_range)
        scale = max((c1 - c0) / n_columns, (r1 - r0) / n_rows, 1)
        level = min(int(np.log2(scale)), n_levels(self.shape) - 1)
        a0, a1, b0, b1 = c0 >> level, ((c1 - 1) >> level) + 1, r0 >> level, ((r1 - 1) >> level) + 1
        window = self._levels.plane(level, channel)[b0:b1, a0:a1]
        left, right = self.x.position(a0 << level), self.x.position(a1 << level)
        top, bottom = self.y.position(b0 << level), self.y.position(b1 << level)
        return _nearest(window, n_rows, n_columns), (left, top, right, bottom)

    def value(self, x: float, y: float, *, channel: int = 0) -> float | None:
        """Return the value of the pixel at a position; None outside of the raster or without data.

        Parameters
        ----------
        x, y
            Position in the units of the coordinates.
        channel
            Index along the spectral dim.

        Returns
        -------
        value of the pixel at full resolution, None for NaN
        """
        pixel = self.pixel(x, y)
        if pixel is None:
            return None
        row, column = pixel
        value = float(self._levels.plane(0, channel)[row : row + 1, column : column + 1][0, 0])
        return None if np.isnan(value) else value

    def limits(self, channel: int = 0, *, percent: float = 99.0) -> tuple[float, float, float, float]:
        """Lowest value, both ends of the central `percent` of the values, highest value of one channel.

        From the finest level of at most a million pixels: what a view can show, not the raw extremes.

        Parameters
        ----------
        channel : int
            Number of the channel along the spectral dim.
        percent : float
            Share of the values, in percent.
        """
        if (channel, percent) not in self._limits:
            coarsest = n_levels(self.shape) - 1
            level = next(
                (n for n in range(coarsest) if self.x.size * self.y.size >> (2 * n) <= LIMIT_PIXELS),
                coarsest,
            )
            values = np.asarray(self._levels.plane(level, channel)[:, :], dtype="float64")
            self._limits[channel, percent] = _central(values[np.isfinite(values)], percent)
        return self._limits[channel, percent]


def _share(n_screen: int, visible: float, shown: tuple[float, float]) -> int:
    """Screen pixels along one axis that the visible part of the raster takes."""
    return max(1, min(n_screen, int(np.ceil(n_screen * visible / max(abs(shown[1] - shown[0]), 1e-300)))))


def _nearest(window: Plane, n_rows: int, n_columns: int) -> Plane:
    """Nearest-neighbour reduction of a window to at most `n_rows` x `n_columns`."""
    picked = []
    for size, n in zip(window.shape, (n_rows, n_columns), strict=True):
        n_kept = min(size, n)
        picked.append(((np.arange(n_kept) + 0.5) * (size / n_kept)).astype(np.intp))
    return window[np.ix_(*picked)] if window.shape != tuple(map(len, picked)) else window


def _central(values: Plane, percent: float) -> tuple[float, float, float, float]:
    if not values.size:
        return 0.0, 0.0, 1.0, 1.0
    tail = (100 - percent) / 2
    lowest, low, high, highest = np.percentile(values, [0, tail, 100 - tail, 100]).tolist()
    return (lowest, low, high, highest) if high > low else (lowest, low, low + 1.0, max(highest, low + 1.0))


def label_pyramid(labels: xr.DataArray, *, cache: Path | None = None) -> Pyramid:
    """Pyramid of a label map by majority.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned; 0 = no label
    cache
        Folder for this pyramid's store, needed only for label maps larger than `MEMORY_BYTES`. It must not
        lie in a folder of raw data. An existing one is taken as it is: name it after what it shows.
    """
    return _pyramid(labels, labels.dtype, halve_labels, cache)


def value_pyramid(
    values: xr.DataArray, *, cache: Path | None = None, memory_bytes: int = MEMORY_BYTES
) -> Pyramid:
    """Pyramid of a variable's channels by means of the valid values, in float32.

    Parameters
    ----------
    values : DataArray (spectral, y, x) or (y, x)
        Variables named in `schema.PERIODS` are averaged on their circle.
    cache
        As in `label_pyramid`.
    memory_bytes
        Larger rasters are stored in `cache`.

    Raises
    ------
    InputError
        If the raster does not fit in `memory_bytes` and there is no cache folder.
    """
    period = PERIODS.get(str(values.name))
    return _pyramid(values, np.dtype("float32"), partial(halve_values, period=period), cache, memory_bytes)


def _pyramid(
    raster: xr.DataArray,
    dtype: np.dtype[Any],
    halve: Halve,
    cache: Path | None,
    memory_bytes: int = MEMORY_BYTES,
) -> Pyramid:
    upright = raster.isel({dim: slice(None, None, -1) for dim in (Y, X) if _descends(raster[dim])})
    data = upright.data.reshape(-1, *raster.shape[-2:]).astype(dtype, copy=False)
    is_small = isinstance(data, np.ndarray) or data.nbytes <= memory_bytes
    if not is_small and cache is None:
        raise InputError(
            f"{raster.name} has {data.nbytes / 1e9:.1f} GB; viewing it needs a cache folder, give `cache`"
        )
    levels = InMemory(data, halve) if is_small else Stored(data, halve, Path(str(cache)))
    return Pyramid(
        name=str(raster.name or "values"),
        units=str(raster.attrs.get("units", "1")),
        n_channels=data.shape[0],
        x=_axis(upright[X]),
        y=_axis(upright[Y]),
        _levels=levels,
    )


def _descends(coordinate: xr.DataArray) -> bool:
    return coordinate.size > 1 and bool(coordinate[-1] < coordinate[0])


def _axis(centres: xr.DataArray) -> Axis:
    """Grid of evenly spaced pixel centres."""
    first, last, size = float(centres[0]), float(centres[-1]), centres.size
    step = (last - first) / (size - 1) if size > 1 else 1.0
    return Axis(edge=first - step / 2, step=step, size=size)
