"""The levels of a pyramid: kept in memory and made when first needed, or stored once as Zarr."""

import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine import blocks, progress
from engine.pyramid.halving import Halve, Plane

CHUNK: Final = 1024
SMALLEST: Final = 256
TILE_BYTES: Final = 2**27


def n_levels(shape: tuple[int, ...]) -> int:
    """Levels from the full raster to the first that fits into `SMALLEST` pixels a side."""
    return 1 + max(0, int(np.ceil(np.log2(max(shape[-2:]) / SMALLEST))))


class InMemory:
    """Levels of `(channel, y, x)` planes, each made from the next finer one when first asked for."""

    def __init__(self, source: Plane | da.Array, halve: Halve) -> None:
        self.source = source
        self.halve = halve
        self._levels: dict[tuple[int, int], Plane] = {}
        self._lock = threading.RLock()

    @property
    def ready(self) -> bool:
        """True if a plane is there without reading the source."""
        return isinstance(self.source, np.ndarray)

    def build(self) -> None:
        """Read the source into memory."""
        with self._lock:
            if isinstance(self.source, da.Array):
                (self.source,) = blocks.compute(self.source, doing="reading the maps for viewing")

    def plane(self, level: int, channel: int) -> Plane:
        """Return one channel `(y, x)` at one level; 0 is the full resolution.

        Parameters
        ----------
        level : int
            Level of the pyramid; 0 is the full resolution.
        channel : int
            Number of the channel along the spectral dim.
        """
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


class Stored:
    """Levels in a Zarr store that is written once, complete or not at all."""

    def __init__(self, source: da.Array, halve: Halve, folder: Path) -> None:
        self.source = source
        self.halve = halve
        self.folder = folder
        self._arrays: list[Any] = []
        self._lock = threading.RLock()

    @property
    def ready(self) -> bool:
        """Whether a plane can be had without reading the source."""
        return bool(self._arrays) or self.folder.exists()

    def build(self) -> None:
        """Write the store, unless it is there, and open it."""
        import zarr

        with self._lock:
            if not self.folder.exists():
                self._write()
            if not self._arrays:
                group = zarr.open_group(self.folder, mode="r")
                self._arrays = [group[str(level)] for level in range(n_levels(self.source.shape))]

    def plane(self, level: int, channel: int) -> _Plane2D:
        """Return one channel `(y, x)` at one level; 0 is the full resolution.

        Parameters
        ----------
        level : int
            Level of the pyramid; 0 is the full resolution.
        channel : int
            Number of the channel along the spectral dim.
        """
        self.build()
        return _Plane2D(self._arrays[level], channel)

    def _write(self) -> None:
        """Write all levels into a temporary sibling, then rename: half a store is never seen."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}.", dir=self.folder.parent))
        try:
            level = self.source
            for number in range(n_levels(self.source.shape)):
                if number:
                    level = _halve_levels(level, self.halve)
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


def _halve_levels(level: da.Array, halve: Halve) -> da.Array:
    """Halve every plane of a stored level; its chunks have even sides but at the far borders."""
    chunks = (level.chunks[0], *(tuple((n + 1) // 2 for n in sizes) for sizes in level.chunks[1:]))
    return level.map_blocks(_halve_planes, halve, chunks=chunks, dtype=level.dtype, meta=level._meta)


def _halve_planes(block: Plane, halve: Halve) -> Plane:
    return np.stack([halve(plane) for plane in block])
