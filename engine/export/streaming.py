"""Maps larger than memory on their way into a store: tile by tile, in one pass with the tables."""

from pathlib import Path
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.export.atomic import writing
from engine.schema import PIXEL

TILE: Final = 1024
"""Rows and columns aimed at for a stored tile: one view on a screen touches a few."""

Groups = dict[str, xr.Dataset]
"""Tables of a result by the path of their group."""


def is_streamed(variable: xr.Variable) -> bool:
    """Return whether a variable is a map that goes into the store tile by tile."""
    return variable.dims[-2:] == PIXEL and (
        variable.chunks is not None or variable.nbytes > blocks.TILE_BYTES
    )


def align_to_tiles(array: da.Array) -> da.Array:
    """Return the same map in chunks that are whole stored tiles, so that no two writers share one."""
    edges = tuple(
        -1 if len(sizes) == 1 else sizes if _tile(sizes) else 2 * TILE for sizes in array.chunks[-2:]
    )
    return array.rechunk({array.ndim - 2: edges[0], array.ndim - 1: edges[1]})


def _tile(sizes: tuple[int, ...]) -> int:
    """Return the edge of the stored tiles in blocks of these sizes along one dim, 0 if none is good."""
    if len(sizes) == 1:
        return min(max(1, sizes[0]), TILE)
    if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
        return 0
    return next((edge for edge in range(TILE, 255, -1) if sizes[0] % edge == 0), 0)


def write_layout(root: xr.Dataset, streams: dict[str, da.Array], draft: Path) -> None:
    """Make the store's root with the metadata of all maps and none of their values.

    Parameters
    ----------
    root : Dataset
        Root of the store.
    streams : mapping of str to dask array
        Maps that are written tile by tile.
    draft : Path
        Folder that the store is written into.
    """
    stored = {name: encoding(array) for name, array in streams.items()}
    empty = {
        name: (
            root[name].dims,
            da.zeros(a.shape, chunks=stored[name]["chunks"], dtype=a.dtype),
            root[name].attrs,
        )
        for name, a in streams.items()
    }
    layout = xr.Dataset(empty, attrs=root.attrs)
    layout.to_zarr(draft, zarr_format=3, consolidated=False, compute=False, encoding=stored)


def encoding(array: da.Array) -> dict[str, Any]:
    """Return the encoding of a map in these chunks: in tiles, fast to compress."""
    from zarr.codecs import BloscCodec

    return {
        "chunks": (
            *(sizes[0] for sizes in array.chunks[:-2]),
            *(_tile(sizes) for sizes in array.chunks[-2:]),
        ),
        "compressors": [BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=array.dtype.itemsize)],
        "_FillValue": None,
    }


def write_maps(streams: dict[str, da.Array], tables: Groups, draft: Path) -> Groups:
    """Write all maps and compute all tables, in one go; return the tables.

    Parameters
    ----------
    streams : mapping of str to dask array
        Maps that are written tile by tile.
    tables : mapping
        Tables by the name of their group.
    draft : Path
        Folder that the store is written into.
    """
    writes = [write for name, array in streams.items() for write in _tile_writes(array, draft, name)]
    return _compute_tables(tables, writes, doing="saving the result")


def in_memory(result: xr.DataTree) -> xr.DataTree:
    """Return the same result with everything lazy in it computed together."""
    groups = {group: node.to_dataset(inherit=False) for group, node in result.subtree_with_keys}
    return xr.DataTree.from_dict(dict(_compute_tables(groups, [], doing="computing the result")))


def _compute_tables(groups: Groups, writes: list[Any], *, doing: str) -> Groups:
    lazy = {
        (group, name): whole(variable.data)
        for group, table in groups.items()
        for name, variable in table.variables.items()
        if variable.chunks is not None
    }
    computed = blocks.compute(*writes, *lazy.values(), doing=doing) if writes or lazy else ()
    values = dict(zip(lazy, computed[len(writes) :], strict=True))
    return {
        group: table.assign(
            {n: (table[n].dims, v, table[n].attrs) for (g, n), v in values.items() if g == group}
        )
        for group, table in groups.items()
    }


def _tile_writes(array: da.Array, draft: Path, name: str) -> list[Any]:
    """Return one Delayed write a chunk; the graph stays as it is, so that tables share its tasks."""
    lifted = dask.delayed(_write_tile, pure=False, traverse=False)
    parts = array.to_delayed(optimize_graph=False).ravel()
    regions = da.core.slices_from_chunks(array.chunks)
    return [lifted(part, str(draft), name, region) for part, region in zip(parts, regions, strict=True)]


def _write_tile(tile: np.ndarray, draft: str, name: str, region: tuple[slice, ...]) -> None:
    """Write one chunk; takes a path, not a handle, so that any worker process can do it."""
    import zarr

    with writing(Path(draft)) as wanted:
        if wanted:
            stored = zarr.open_array(f"{draft}/{name}", mode="r+")
            # opening heeds no config: zeros would not be written, and the store would seem to lack a chunk
            stored.with_config({"write_empty_chunks": True})[region] = tile


def whole(array: da.Array) -> Any:
    """Delayed NumPy array of a small Dask array, leaving the names of its tasks as they are."""
    parts = array.to_delayed(optimize_graph=False)
    return dask.delayed(np.block)(parts.tolist()) if array.ndim else parts.item()
