"""Store of the predictions for a large frame, in temporary files.

So the network sees every pixel once, however many steps follow, and memory does not grow with the frame. In
a job that is started again the rows that are finished are found again.
"""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr
import zarr

from engine import blocks, progress
from engine.unet.predict_tiles import Segmented
from engine.unet.runtimes import release

IN_MEMORY: Final = 2**24
"""Pixels of the largest frame whose maps stay in memory."""
ROWS: Final = "rows.json"


def store_tiles(maps: Segmented) -> Segmented:
    """Return the same maps, computed: in memory, or for a large frame in files that go when the maps do."""
    kept = progress.checkpoint_folder()
    if maps.labels.size <= IN_MEMORY:
        return Segmented(*_in_memory(maps))
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        return Segmented(*_in_files(maps, kept, owner=None))
    folder = tempfile.TemporaryDirectory(prefix="mapstack-maps-")
    return Segmented(*_in_files(maps, Path(folder.name), owner=folder))


def store_maps(*planes: xr.DataArray) -> list[xr.DataArray]:
    """Return the same maps; those of a large frame are computed into files that go when the maps do.

    What is made of them then reads each tile when it needs it: tiles that wait for others are not held.
    """
    if planes[0].size <= IN_MEMORY:
        return list(planes)
    folder = tempfile.TemporaryDirectory(prefix="mapstack-maps-")
    places = [Path(folder.name) / f"{n}.zarr" for n in range(len(planes))]
    arrays = [blocks.as_tiles(plane) for plane in planes]
    targets = [
        zarr.create_array(
            place, shape=array.shape, dtype=array.dtype, chunks=tuple(sizes[0] for sizes in array.chunks)
        )
        for place, array in zip(places, arrays, strict=True)
    ]
    blocks.compute(da.store(arrays, targets, lock=False, compute=False), doing="connecting pixels")
    return [
        plane.copy(data=_open_maps(_Stored(place, folder), array.chunks))
        for plane, place, array in zip(planes, places, arrays, strict=True)
    ]


def _open_maps(held: "_Stored", chunks: tuple[tuple[int, ...], ...]) -> da.Array:
    return da.from_array(held, chunks=chunks, name=False, meta=np.empty((0, 0), held.dtype))


def _in_memory(maps: Segmented) -> list[da.Array]:
    chunks = maps.labels.chunks
    planes = [np.empty(plane.shape, plane.dtype) for plane in maps]
    for row in range(len(chunks[0])):
        _compute_row(maps, planes, row)
    return [da.from_array(plane, chunks=chunks) for plane in planes]


def _in_files(maps: Segmented, folder: Path, *, owner: Any) -> list[da.Array]:
    chunks = maps.labels.chunks
    edges = tuple(sizes[0] for sizes in chunks)
    stores = [folder / f"{name}.zarr" for name in maps._fields]
    done = _count_rows(folder, maps)
    planes = [
        zarr.open_array(store, mode="r+")
        if done
        else zarr.create_array(
            store, shape=plane.shape, dtype=plane.dtype, chunks=edges, compressors=None, overwrite=True
        )
        for store, plane in zip(stores, maps, strict=True)
    ]
    for row in range(done, len(chunks[0])):
        _compute_row(maps, planes, row)
        _note_rows(folder, maps, row + 1)
    release()
    return [_open_maps(_Stored(store, owner), chunks) for store in stores]


def _compute_row(maps: Segmented, planes: list[Any], row: int) -> None:
    """Compute one row of tiles of all maps and put it where it belongs."""
    sizes = maps.labels.chunks[0]
    start = sum(sizes[:row])
    with progress.stage(row / len(sizes), (row + 1) / len(sizes)):
        parts = blocks.compute(*(plane.blocks[row, :] for plane in maps), doing="segmenting")
    for plane, part in zip(planes, parts, strict=True):
        plane[start : start + sizes[row]] = part


def _count_rows(folder: Path, maps: Segmented) -> int:
    """Return the rows of tiles that lie finished in a folder; none if they are of another frame or tiling."""
    try:
        noted = json.loads((folder / ROWS).read_text(encoding="utf-8"))
        return int(noted["done"]) if noted["chunks"] == _plain(maps) else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _note_rows(folder: Path, maps: Segmented, done: int) -> None:
    draft = folder / f".{ROWS}"
    draft.write_text(json.dumps({"done": done, "chunks": _plain(maps)}), encoding="utf-8")
    draft.replace(folder / ROWS)


def _plain(maps: Segmented) -> list[list[int]]:
    return [list(sizes) for sizes in maps.labels.chunks]


class _Stored:
    """A plane in a file, and whoever removes it once nobody reads it any more."""

    def __init__(self, store: Path, owner: Any) -> None:
        self.store = store
        self.owner = owner
        self.plane = zarr.open_array(store, mode="r")
        self.shape = self.plane.shape
        self.dtype = self.plane.dtype
        self.ndim = self.plane.ndim

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.asarray(self.plane[index])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Stored, (self.store, None))
