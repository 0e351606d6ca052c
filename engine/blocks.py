"""NumPy kernels lifted onto chunks: per tile, with a halo, and reduced over all tiles.

A tile is one chunk of `(y, x)` with the whole spectral dim. Kernels get plain arrays, views wherever the
data is in memory. All computing of the engine goes through `compute`, which reports progress and can be
cancelled under any scheduler.
"""

import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr
from dask.callbacks import Callback
from dask.system import CPU_COUNT

from engine import progress
from engine.schema import PIXEL

POLL: Final = 0.05
"""Seconds between two looks at what worker processes have done."""

READ_AHEAD: Final = 4
"""Tiles that are read while as many as there are cores are worked on."""

TILE_BYTES: Final = 32 * 2**20
"""Size aimed at for a tile with all its channels where the data does not bring chunks of its own."""


def as_tiles(array: xr.DataArray, *, tile_bytes: int = TILE_BYTES) -> da.Array:
    """Dask array of an image variable with all leading dims in one chunk.

    Arrays in memory become full-width row bands (views, no copies); Dask arrays keep their tiles.

    Parameters
    ----------
    array : DataArray (..., y, x)
        The array.
    tile_bytes : int
        Size of a tile, about.
    """
    data = array.data
    n_leading = array.ndim - 2
    if isinstance(data, da.Array):
        return data.rechunk(dict.fromkeys(range(n_leading), -1))
    row_bytes = max(1, array.nbytes // max(1, array.sizes[PIXEL[0]]))
    n_rows = max(256, tile_bytes // row_bytes)
    return _make_bands(np.asarray(data), n_rows)


def _make_bands(values: np.ndarray, n_rows: int) -> da.Array:
    """Dask array of row bands that are views; `da.from_array` would copy the whole array first."""
    starts = range(0, values.shape[-2], n_rows)
    bands = [values[..., start : start + n_rows, :] for start in starts]
    name = f"bands-{uuid.uuid4().hex}"
    leading = (0,) * (values.ndim - 2)
    graph = {(name, *leading, i, 0): band for i, band in enumerate(bands)}
    rows = tuple(band.shape[-2] for band in bands)
    chunks = (*((n,) for n in values.shape[:-2]), rows, (values.shape[-1],))
    return da.Array(graph, name, chunks, dtype=values.dtype)


def align_tiles(*arrays: da.Array) -> list[da.Array]:
    """Return the same arrays, all with the `(y, x)` chunks of the first; leading dims in one chunk."""
    chunks = arrays[0].chunks[-2:]
    return [
        a.rechunk((*((n,) for n in a.shape[:-2]), *chunks)) if a.chunks[-2:] != chunks else a for a in arrays
    ]


def cut_tiles(array: da.Array, chunks: tuple[tuple[int, ...], ...]) -> da.Array:
    """Return the same array in other chunks, each computed by the task that asks for it; lazy.

    What is cut before it is worked on is read in the chunks asked for, where Dask's own rechunking would work
    on, and hold, the larger ones. `dask.graph_manipulation.bind` keeps these tasks together.

    Parameters
    ----------
    array : DataArray or dask array (..., y, x)
        The array.
    chunks : tuple of tuple of int
        Sizes of the chunks along each dim.
    """
    if array.chunks == chunks:
        return array
    meta = np.empty((0,) * array.ndim, array.dtype)
    return da.from_array(_Parts(array), chunks=chunks, name=False, meta=meta)


class _Parts:
    """A lazy array whose parts are computed when they are indexed."""

    def __init__(self, array: da.Array) -> None:
        self.array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.asarray(self.array[index].compute(scheduler="sync"))


def map_tiles(
    kernel: Callable[..., np.ndarray],
    *arrays: da.Array,
    dtype: Any,
    leading: tuple[int, ...] = (),
    **arguments: Any,
) -> da.Array:
    """Apply `kernel(*tiles, **arguments)` to every tile; lazy.

    Parameters
    ----------
    kernel
        Takes one tile per array, each `(..., y, x)`, and returns an array `(*leading, y, x)`.
    arrays
        Dask arrays whose last dims are y, x and whose leading dims are one chunk.
    dtype
        Of the kernel's output.
    leading
        Sizes of the output's leading dims.
    """
    inputs = align_tiles(*arrays)
    indices: list[Any] = []
    for n, array in enumerate(inputs):
        indices += [array, (*(f"{n}.{axis}" for axis in range(array.ndim - 2)), *PIXEL)]
    new_axes = {f"out.{axis}": size for axis, size in enumerate(leading)}
    return da.blockwise(
        _Unnested(kernel, [a.ndim - 2 for a in inputs]),
        (*new_axes, *PIXEL),
        *indices,
        new_axes=new_axes,
        dtype=dtype,
        concatenate=None,
        meta=np.empty((0,) * (len(leading) + 2), dtype),
        **arguments,
    )


class _Unnested:
    """A kernel that is given its tiles out of the one-element lists of `da.blockwise` (no copy)."""

    def __init__(self, kernel: Callable[..., np.ndarray], depths: Sequence[int]) -> None:
        self.kernel = kernel
        self.depths = tuple(depths)
        self.__name__ = getattr(kernel, "__name__", "kernel")

    def __call__(self, *blocks: Any, **arguments: Any) -> np.ndarray:
        tiles = []
        for block, depth in zip(blocks, self.depths, strict=True):
            for _ in range(depth):
                block = block[0]
            tiles.append(block)
        return self.kernel(*tiles, **arguments)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        from dask.base import normalize_token

        return ("unnested", normalize_token(self.kernel), self.depths)


def map_halo(
    kernel: Callable[..., np.ndarray], array: da.Array, *, halo: int, dtype: Any, **arguments: Any
) -> da.Array:
    """Apply `kernel(tile, **arguments)` to every tile with `halo` pixels of its neighbours around it; lazy.

    At the frame's border there is no halo: the kernel sees where the frame ends. The kernel returns an
    array of the shape it was given; the halo is cut off.

    Parameters
    ----------
    kernel
        Function of the tiles.
    array : DataArray or dask array (..., y, x)
        The array.
    halo : int
        Pixels of the neighbours around each tile.
    dtype
        Of the kernel's output.
    arguments
        Further arguments of the kernel.
    """
    if array.numblocks[-2:] == (1, 1):
        meta = np.empty((0,) * array.ndim, dtype)
        return da.map_blocks(kernel, array, dtype=dtype, meta=meta, **arguments)
    depth = {axis: min(halo, array.shape[axis]) for axis in (array.ndim - 2, array.ndim - 1)}
    return da.map_overlap(
        kernel,
        array,
        depth=depth,
        boundary="none",
        dtype=dtype,
        meta=np.empty((0,) * array.ndim, dtype),
        **arguments,
    )


def per_tile(kernel: Callable[..., Any], *arrays: da.Array, **arguments: Any) -> list[Any]:
    """Return one Delayed `kernel(*tiles, **arguments)` a tile, in raster order.

    Kernels may return anything.

    Parameters
    ----------
    kernel
        Function of the tiles.
    arrays : dask arrays (..., y, x)
        Their tiles are given to the kernel.
    arguments
        Further arguments of the kernel.
    """
    inputs = align_tiles(*arrays)
    # graphs stay as they are: optimising each by itself would rename tasks that other collections share
    grids = [array.to_delayed(optimize_graph=False).reshape(array.numblocks[-2:]) for array in inputs]
    lifted = dask.delayed(kernel, pure=False, traverse=False)
    return [lifted(*blocks, **arguments) for blocks in zip(*(grid.ravel() for grid in grids), strict=True)]


def reduce_tiles(
    kernel: Callable[..., Any], combine: Callable[[list[Any]], Any], *arrays: da.Array, **arguments: Any
) -> Any:
    """Delayed `combine([kernel(*tiles) of every tile])`, combined in a tree.

    Parameters
    ----------
    kernel
        Function of the tiles.
    combine
        Joins what the kernel returned for several tiles.
    arrays : dask arrays (..., y, x)
        Their tiles are given to the kernel.
    arguments
        Further arguments of the kernel.
    """
    return combine_parts(per_tile(kernel, *arrays, **arguments), combine)


def combine_parts(parts: list[Any], combine: Callable[[list[Any]], Any]) -> Any:
    """Delayed `combine(parts)`, in a tree of at most 16 parts a node.

    Parameters
    ----------
    parts : list
        Delayed parts.
    combine
        Joins what the kernel returned for several tiles.
    """
    lifted = dask.delayed(combine, pure=False)
    while len(parts) > 1:
        parts = [lifted(parts[i : i + 16]) for i in range(0, len(parts), 16)]
    return parts[0]


def compute(*collections: Any, doing: str = "computing") -> tuple[Any, ...]:
    """Compute Dask collections under whatever scheduler is active, reporting progress.

    Parameters
    ----------
    collections : dask collections
        What is to be computed.
    doing : str
        Words for the progress.

    Raises
    ------
    CancelledError
        If the reporter cancels; under a distributed scheduler the futures are released.
    """
    if _within_task():
        return tuple(dask.compute(*collections, scheduler="sync"))
    client = active_client()
    if client is not None:
        return _compute_distributed(client, collections, doing)
    with _TaskReport(doing):
        return tuple(dask.compute(*collections, num_workers=_n_threads()))


def _within_task() -> bool:
    """Return whether this runs within a task of a distributed worker.

    Such a task must never wait for other tasks.
    """
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def _n_threads() -> int:
    """Threads of the local scheduler: some more than cores, so that the disk never waits for arithmetic."""
    return int(dask.config.get("num_workers", None) or CPU_COUNT + READ_AHEAD)


def active_client() -> Any:
    """Return the distributed client that Dask would use, or None."""
    scheduler = dask.base.get_scheduler()
    return getattr(scheduler, "__self__", None) if getattr(scheduler, "__name__", "") == "get" else None


class _TaskReport(Callback):
    """Reports each finished task of a local scheduler; an exception raised in it stops the computation."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.lock = threading.Lock()
        super().__init__(start_state=self._begin, posttask=self._count)

    def _begin(self, _graph: Any, state: Any) -> None:
        self.total = max(1, len(state["ready"]) + len(state["waiting"]))
        self.done = 0
        progress.report(0.0, self.doing)

    def _count(self, *_: Any) -> None:
        with self.lock:
            self.done += 1
        progress.report(min(1.0, self.done / self.total), self.doing)


def _compute_distributed(client: Any, collections: tuple[Any, ...], doing: str) -> tuple[Any, ...]:
    futures = client.compute(collections, sync=False, optimize_graph=True)
    pending = [f for f in futures if hasattr(f, "cancel")]
    try:
        while any(not f.done() for f in pending):
            progress.report(sum(f.done() for f in pending) / len(pending), doing)
            time.sleep(POLL)
        return tuple(client.gather(futures))
    except BaseException:
        client.cancel(pending)
        raise
