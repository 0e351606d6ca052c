"""Overviews of big rasters for viewing: one screenful at a time, full data never leaves the engine.

A `Pyramid` holds a raster of labels or of values in halvings of its resolution. `view` gathers what a
screen shows from the level that is just finer than the screen: nearest neighbour there, so that

- labels: each level keeps the majority of 2 x 2 pixels (0 counts as a value; ties go to the lowest class,
  to 0 last), so no class appears that is not in the block;
- values: each level is the mean of the valid ones of 2 x 2 pixels (on the circle for `schema.PERIODS`).

Rasters that fit in memory are kept there and their levels are made when first needed, channel by channel.
Larger ones are written once into a Zarr store in the `cache` folder, as planes chunked for viewing; call
`build` first (off the event loop: it reports progress), `view` would do it.

    pyramid = label_pyramid(result["labels"])
    array, bounds = pyramid.view((0, 500), (0, 400), 800, 600)      # bounds: x0, y0, x1, y1
    pyramid = value_pyramid(images["delta"], cache=folder)
    array, bounds = pyramid.view(x_range, y_range, width, height, channel=3)
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from engine import blocks, progress
from engine.errors import InputError
from engine.schema import PERIODS, X, Y

MEMORY_BYTES: Final = 2**30
"""Rasters up to this size are kept in memory."""
CHUNK: Final = 1024
SMALLEST: Final = 256
BAND_ROWS: Final = 512
LIMIT_PIXELS: Final = 2**20
TILE_BYTES: Final = 2**27

Plane = npt.NDArray[Any]
Bounds = tuple[float, float, float, float]
Halve = Callable[[Plane], Plane]


# ---------------------------------------------------------------- kernels on arrays (y, x)
def halve_labels(labels: Plane) -> Plane:
    """Majority of each 2 x 2 block of unsigned labels `(y, x)`; an odd last row or column is repeated.

    0 counts as a value; ties go to the lowest class, to 0 only if nothing else is as frequent.

    Examples
    --------
    >>> halve_labels(np.array([[0, 2, 3, 3], [2, 0, 1, 0]], dtype="uint8"))
    array([[2, 3]], dtype=uint8)
    """
    return _in_bands(_majority, labels, labels.dtype)


def halve_values(values: Plane, *, period: float | None = None) -> Plane:
    """Mean of the valid ones of each 2 x 2 block of float32 values `(y, x)`; NaN where there are none.

    Parameters
    ----------
    values : array (y, x)
    period
        Length of the circle for angles: 359 and 1 average to 0 with 360 (mean direction, Mardia & Jupp
        2000, section 2.2).

    Examples
    --------
    >>> halve_values(np.array([[1, 3], [np.nan, 5]], dtype="float32"))
    array([[3.]], dtype=float32)
    """
    return _in_bands(lambda band: _mean(band, period), values, np.dtype("float32"))


def _in_bands(kernel: Halve, plane: Plane, dtype: np.dtype[Any]) -> Plane:
    """Apply a halving kernel to bands of rows that stay in the processor's cache."""
    n_rows, n_columns = plane.shape
    out = np.empty(((n_rows + 1) // 2, (n_columns + 1) // 2), dtype)
    for start in range(0, n_rows, BAND_ROWS):
        band = plane[start : start + BAND_ROWS]
        if band.shape[0] % 2 or n_columns % 2:
            band = np.pad(band, ((0, band.shape[0] % 2), (0, n_columns % 2)), mode="edge")
        out[start // 2 : (start + BAND_ROWS) // 2] = kernel(band)
    return out


def _quarters(plane: Plane) -> tuple[Plane, Plane, Plane, Plane]:
    return plane[::2, ::2], plane[::2, 1::2], plane[1::2, ::2], plane[1::2, 1::2]


def _majority(labels: Plane) -> Plane:
    """Mode of each block by a sorting network of four; 0 is made the highest value to lose every tie."""
    one = labels.dtype.type(1)
    p, q, r, s = (np.subtract(part, one) for part in _quarters(labels))
    p, q = np.minimum(p, q), np.maximum(p, q)
    r, s = np.minimum(r, s), np.maximum(r, s)
    lowest, highest, q, r = np.minimum(p, r), np.maximum(q, s), np.maximum(p, r), np.minimum(q, s)
    second, third = np.minimum(q, r), np.maximum(q, r)
    outer = np.where((third == highest) & (lowest != second), third, lowest)
    mode: Plane = np.where(second == third, second, outer) + one
    return mode


def _mean(values: Plane, period: float | None) -> Plane:
    parts = [np.asarray(part, dtype="float32") for part in _quarters(values)]
    mean: Plane = (parts[0] + parts[1] + (parts[2] + parts[3])) * np.float32(0.25)
    odd = np.isnan(mean)
    if (
        period is not None
        and np.fmax.reduce(values, axis=None) - np.fmin.reduce(values, axis=None) > period / 2
    ):
        low = np.minimum(np.minimum(parts[0], parts[1]), np.minimum(parts[2], parts[3]))
        high = np.maximum(np.maximum(parts[0], parts[1]), np.maximum(parts[2], parts[3]))
        odd |= high - low > period / 2
    if odd.any():
        mean[odd] = _mean_of_valid(np.stack([part[odd] for part in parts]), period)
    return mean


def _extent(values: Plane) -> float:
    return float(np.fmax.reduce(values, axis=None) - np.fmin.reduce(values, axis=None))


def _mean_of_valid(parts: Plane, period: float | None) -> Plane:
    """Mean over the first axis of `(4, n)` values, leaving NaN out; NaN where all are."""
    valid = ~np.isnan(parts)
    count = valid.sum(axis=0)
    if period is None:
        mean = np.where(valid, parts, 0).sum(axis=0) / np.maximum(count, 1)
    else:
        turns = np.exp(2j * np.pi / period * np.where(valid, parts, 0)) * valid
        mean = np.mod(np.angle(turns.sum(axis=0)) * period / (2 * np.pi), period)
    return np.asarray(np.where(count > 0, mean, np.nan))


# ---------------------------------------------------------------- levels, in memory or stored
def _n_levels(shape: tuple[int, ...]) -> int:
    """Levels from the full raster to the first that fits into `SMALLEST` pixels a side."""
    return 1 + max(0, int(np.ceil(np.log2(max(shape[-2:]) / SMALLEST))))


class _InMemory:
    """Levels of `(channel, y, x)` planes, each made from the next finer one when first asked for."""

    def __init__(self, source: Plane | da.Array, halve: Halve) -> None:
        self.source = source
        self.halve = halve
        self._levels: dict[tuple[int, int], Plane] = {}
        self._lock = threading.RLock()

    @property
    def ready(self) -> bool:
        return isinstance(self.source, np.ndarray)

    def build(self) -> None:
        with self._lock:
            if isinstance(self.source, da.Array):
                (self.source,) = blocks.compute(self.source, doing="reading the maps for viewing")

    def plane(self, level: int, channel: int) -> Plane:
        self.build()
        if level == 0:
            return np.asarray(self.source[channel])
        with self._lock:
            if (level, channel) not in self._levels:
                self._levels[level, channel] = self.halve(self.plane(level - 1, channel))
            return self._levels[level, channel]


class _Plane2D:
    """One `(y, x)` plane of a stored level; slicing reads it."""

    def __init__(self, array: Any, channel: int) -> None:
        self.array = array
        self.channel = channel

    def __getitem__(self, window: tuple[slice, slice]) -> Plane:
        return np.asarray(self.array[(self.channel, *window)])


class _Stored:
    """Levels in a Zarr store that is written once, complete or not at all."""

    def __init__(self, source: da.Array, halve: Halve, folder: Path) -> None:
        self.source = source
        self.halve = halve
        self.folder = folder
        self._arrays: list[Any] = []
        self._lock = threading.RLock()

    @property
    def ready(self) -> bool:
        return bool(self._arrays) or self.folder.exists()

    def build(self) -> None:
        import zarr

        with self._lock:
            if not self.folder.exists():
                self._write()
            if not self._arrays:
                group = zarr.open_group(self.folder, mode="r")
                self._arrays = [group[str(level)] for level in range(_n_levels(self.source.shape))]

    def plane(self, level: int, channel: int) -> _Plane2D:
        self.build()
        return _Plane2D(self._arrays[level], channel)

    def _write(self) -> None:
        """Write all levels into a temporary sibling, then rename: half a store is never seen."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}.", dir=self.folder.parent))
        try:
            n_levels = _n_levels(self.source.shape)
            level = self.source
            for number in range(n_levels):
                if number:
                    level = _halved(level, self.halve)
                with progress.stage((number > 0) * (1 - 0.3**number), 1 - 0.3 ** (number + 1)):
                    level = _store_level(level, temporary / str(number))
            _group_metadata(temporary)
            temporary.rename(self.folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            if not self.folder.exists():
                raise


def _group_metadata(folder: Path) -> None:
    """Make a folder of Zarr arrays a Zarr group."""
    (folder / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}))


def _store_level(level: da.Array, path: Path) -> da.Array:
    """Write `(channel, y, x)` as uncompressed planes (noise hardly compresses), return it as stored."""
    import zarr

    side = CHUNK
    while side > SMALLEST and side * side * level.shape[0] * level.dtype.itemsize > TILE_BYTES:
        side //= 2
    target = zarr.create_array(
        path,
        shape=level.shape,
        dtype=level.dtype,
        chunks=(1, side, side),
        compressors=None,
        config={"write_empty_chunks": True},  # looking for empty ones costs more than writing them
    )
    stored = da.store(level.rechunk((-1, side, side)), target, lock=False, compute=False)
    blocks.compute(stored, doing="preparing the maps for viewing")
    return da.from_zarr(path, chunks=(-1, side, side))


def _halved(level: da.Array, halve: Halve) -> da.Array:
    """Halve every plane of a stored level; its chunks have even sides but at the far borders."""
    chunks = (level.chunks[0], *(tuple((n + 1) // 2 for n in sizes) for sizes in level.chunks[1:]))
    return level.map_blocks(_halve_planes, halve, chunks=chunks, dtype=level.dtype, meta=level._meta)


def _halve_planes(block: Plane, halve: Halve) -> Plane:
    return np.stack([halve(plane) for plane in block])


# ---------------------------------------------------------------- public
@dataclass(frozen=True)
class _Axis:
    """One axis of the pixel grid: outer edge of the first pixel, pixel size, number of pixels."""

    edge: float
    step: float
    size: int

    def pixels(self, low: float, high: float) -> tuple[int, int]:
        """First and one past the last pixel that `low`...`high` touches, at least one."""
        first = int(np.floor(np.clip((min(low, high) - self.edge) / self.step, 0, self.size - 1)))
        last = int(np.ceil(np.clip((max(low, high) - self.edge) / self.step, first + 1, self.size)))
        return first, last

    def position(self, pixel: int) -> float:
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
    x: _Axis
    y: _Axis
    _levels: _InMemory | _Stored = field(repr=False)
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
        """Whether a view needs no reading of the source; if not, call `build` in a thread or job."""
        return self._levels.ready

    def build(self) -> "Pyramid":
        """Read a small raster into memory or write the store of a large one; reports progress."""
        self._levels.build()
        return self

    def pixel(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of the pixel at a position; None outside of the raster."""
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
        """One screenful: at most `width` x `height` pixels that cover the visible part of the raster.

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
        level = min(int(np.log2(scale)), _n_levels(self.shape) - 1)
        a0, a1, b0, b1 = c0 >> level, ((c1 - 1) >> level) + 1, r0 >> level, ((r1 - 1) >> level) + 1
        window = self._levels.plane(level, channel)[b0:b1, a0:a1]
        left, right = self.x.position(a0 << level), self.x.position(a1 << level)
        top, bottom = self.y.position(b0 << level), self.y.position(b1 << level)
        return _nearest(window, n_rows, n_columns), (left, top, right, bottom)

    def limits(self, channel: int = 0, *, percent: float = 99.0) -> tuple[float, float, float, float]:
        """Lowest value, both ends of the central `percent` of the values, highest value of one channel.

        From the finest level of at most a million pixels: what a view can show, not the raw extremes.
        """
        if (channel, percent) not in self._limits:
            n_levels = _n_levels(self.shape)
            level = next(
                (n for n in range(n_levels) if self.x.size * self.y.size >> (2 * n) <= LIMIT_PIXELS),
                n_levels - 1,
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
    levels = _InMemory(data, halve) if is_small else _Stored(data, halve, Path(str(cache)))
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


def _axis(centres: xr.DataArray) -> _Axis:
    """Grid of evenly spaced pixel centres."""
    first, last, size = float(centres[0]), float(centres[-1]), centres.size
    step = (last - first) / (size - 1) if size > 1 else 1.0
    return _Axis(edge=first - step / 2, step=step, size=size)
