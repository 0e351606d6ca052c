"""Stored results: one Zarr v3 store a result, written in one pass over the data, whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.errors import FileError, InputError
from engine.export.atomic import appearing, writing
from engine.schema import PIXEL

STORE: Final = "mapstack_result"
"""Root attr that marks a store as ours and says the version of its layout."""
STORE_VERSION: Final = 1

_TILE: Final = 1024
"""Rows and columns aimed at for a stored tile: one view on a screen touches a few."""


def write_result(
    result: xr.DataTree,
    path: str | Path,
    *,
    overwrite: bool = False,
    before_rename: Callable[[], None] | None = None,
) -> Path:
    """Write a result as one Zarr v3 store, computing everything lazy in it together.

    Pixel maps are streamed tile by tile; tables come from the same pass over the data.

    Parameters
    ----------
    result : DataTree
        As laid out in `engine.schema`; lazy or in memory.
    path
        The store, a folder that ends in `.zarr` by custom.
    overwrite
        Replace the result that stands there, once the new one is complete.
    before_rename
        Called when everything is written and nothing is visible yet; what it raises undoes the write.

    Returns
    -------
    Path
        Of the store.

    Raises
    ------
    FileError
        If something stands there already, or the store cannot be written.
    """
    path = Path(path)
    _check_target(path, overwrite=overwrite)
    groups = {
        group: _storable(node.to_dataset(inherit=False).drop_encoding())
        for group, node in result.subtree_with_keys
    }
    root = groups.pop(".")
    root.attrs = {**root.attrs, STORE: STORE_VERSION}
    with appearing(path) as draft:
        maps = {str(n): v.variable for n, v in root.data_vars.items() if _is_streamed(v.variable)}
        streams = {name: _aligned(blocks.tiled(xr.DataArray(v))) for name, v in maps.items()}
        tables = {".": root.drop_vars(list(maps)), **groups}
        _write_layout(root, streams, draft)
        tables = _compute(streams, tables, draft)
        _write_tables(tables, draft)
        _consolidate(draft)
        if before_rename is not None:
            before_rename()
    return path


def open_result(path: str | Path) -> xr.DataTree:
    """Open a stored result, lazily.

    Raises
    ------
    FileError
        If there is no store, or it cannot be read.
    InputError
        If the store is not a result, or of a version that this Mapstack does not read.
    """
    path = Path(path)
    found = stored_version(path)
    if found is None:
        raise (InputError if path.exists() else FileError)(
            f"{path} is {'not a Mapstack result' if path.exists() else 'not there'};"
            " give the folder of a stored result"
        )
    if found != STORE_VERSION:
        raise InputError(
            f"{path} is a result of store version {found}, this Mapstack reads version {STORE_VERSION};"
            " run its recipe again: mapstack run --recipe"
        )
    try:
        tree = xr.open_datatree(path, engine="zarr", consolidated=True)
        return xr.DataTree.from_dict({group: _loaded(node) for group, node in tree.subtree_with_keys})
    except Exception as error:  # a damaged store raises nearly anything
        raise FileError(
            f"the result {path} is damaged ({type(error).__name__}: {error}); run it again"
        ) from error


def stored_version(path: str | Path) -> Any:
    """Version of the layout of the result at `path`, None if there is no result."""
    try:
        document = json.loads((Path(path) / "zarr.json").read_text(encoding="utf-8"))
        return document["attributes"].get(STORE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _check_target(path: Path, *, overwrite: bool) -> None:
    if not path.exists():
        return
    if not overwrite:
        raise FileError(f"{path} exists already; choose another name, or overwrite it (--overwrite)")
    if stored_version(path) is None and not (path.is_dir() and not any(path.iterdir())):
        raise FileError(
            f"{path} exists and is no Mapstack result, so it is not overwritten; choose another name"
        )


def _is_streamed(variable: xr.Variable) -> bool:
    return variable.dims[-2:] == PIXEL and (
        variable.chunks is not None or variable.nbytes > blocks.TILE_BYTES
    )


def _aligned(array: da.Array) -> da.Array:
    """The same map in chunks that are whole stored tiles, so that no two writers share one."""
    edges = tuple(
        -1 if len(sizes) == 1 else sizes if _tile(sizes) else 2 * _TILE for sizes in array.chunks[-2:]
    )
    return array.rechunk({array.ndim - 2: edges[0], array.ndim - 1: edges[1]})


def _tile(sizes: tuple[int, ...]) -> int:
    """Edge of the stored tiles in blocks of these sizes along one dim, 0 if there is no good one."""
    if len(sizes) == 1:
        return min(max(1, sizes[0]), _TILE)
    if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
        return 0
    return next((edge for edge in range(_TILE, 255, -1) if sizes[0] % edge == 0), 0)


def _storable(group: xr.Dataset) -> xr.Dataset:
    """Text as variable-length strings, the only kind of text that Zarr v3 specifies."""
    text = {
        name: v.astype(np.dtypes.StringDType()) for name, v in group.variables.items() if v.dtype.kind in "UO"
    }
    return group.assign(text) if text else group


def _loaded(node: xr.DataTree) -> xr.Dataset:
    """One group as the engine works with it: maps as Dask arrays of stored tiles, text as NumPy strings."""
    group = node.to_dataset(inherit=False)
    maps = {n: _chunked(v) for n, v in group.data_vars.items() if v.dims[-2:] == PIXEL}
    text = {
        n: (v.dims, np.array(v.values.tolist(), dtype=str), v.attrs)
        for n, v in group.variables.items()
        if v.dtype.kind == "T"
    }
    return group.assign({**maps, **text})


def _chunked(variable: xr.DataArray) -> xr.DataArray:
    return variable.chunk(dict(zip(variable.dims, variable.encoding["chunks"], strict=True)))


def _write_layout(root: xr.Dataset, streams: dict[str, da.Array], draft: Path) -> None:
    """Make the store's root with the metadata of all maps and none of their values."""
    encoding = {name: _encoding(array) for name, array in streams.items()}
    empty = {
        name: (
            root[name].dims,
            da.zeros(a.shape, chunks=encoding[name]["chunks"], dtype=a.dtype),
            root[name].attrs,
        )
        for name, a in streams.items()
    }
    layout = xr.Dataset(empty, attrs=root.attrs)
    layout.to_zarr(draft, zarr_format=3, consolidated=False, compute=False, encoding=encoding)


def _encoding(array: da.Array) -> dict[str, Any]:
    """How a map in these chunks is stored: in tiles, fast to compress."""
    from zarr.codecs import BloscCodec

    return {
        "chunks": (*array.shape[:-2], *(_tile(sizes) for sizes in array.chunks[-2:])),
        "compressors": [BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=array.dtype.itemsize)],
        "_FillValue": None,
    }


def _compute(
    streams: dict[str, da.Array], tables: dict[str, xr.Dataset], draft: Path
) -> dict[str, xr.Dataset]:
    """Write all maps and compute all tables, in one go."""
    writes = [write for name, array in streams.items() for write in _tile_writes(array, draft, name)]
    lazy = {
        (group, name): _whole(variable.data)
        for group, table in tables.items()
        for name, variable in table.variables.items()
        if variable.chunks is not None
    }
    progress.report(0.0, "saving the result")
    computed = blocks.compute(*writes, *lazy.values(), doing="saving the result") if writes or lazy else ()
    values = dict(zip(lazy, computed[len(writes) :], strict=True))
    return {
        group: table.assign(
            {n: (table[n].dims, v, table[n].attrs) for (g, n), v in values.items() if g == group}
        )
        for group, table in tables.items()
    }


def _tile_writes(array: da.Array, draft: Path, name: str) -> list[Any]:
    """One Delayed write a chunk; the graph stays as it is, so that tables share its tasks."""
    lifted = dask.delayed(_write_tile, pure=False, traverse=False)
    parts = array.to_delayed(optimize_graph=False).ravel()
    regions = da.core.slices_from_chunks(array.chunks)
    return [lifted(part, str(draft), name, region) for part, region in zip(parts, regions, strict=True)]


def _write_tile(tile: np.ndarray, draft: str, name: str, region: tuple[slice, ...]) -> None:
    """Write one chunk; takes a path, not a handle, so that any worker process can do it."""
    import zarr

    with writing(Path(draft)) as wanted:
        if wanted:
            zarr.open_array(f"{draft}/{name}", mode="r+")[region] = tile


def _whole(array: da.Array) -> Any:
    """Delayed NumPy array of a small Dask array, leaving the names of its tasks as they are."""
    parts = array.to_delayed(optimize_graph=False)
    return dask.delayed(np.block)(parts.tolist()) if array.ndim else parts.item()


def _write_tables(tables: dict[str, xr.Dataset], draft: Path) -> None:
    """Write everything small through memory: many tiny arrays in one flow instead of many file operations."""
    from zarr.storage import MemoryStore

    files: dict[str, Any] = {}
    store = MemoryStore(files)
    for group, table in tables.items():
        encoding = {
            name: _encoding(da.zeros(v.shape, dtype=v.dtype, chunks=-1))
            for name, v in table.data_vars.items()
            if v.dims[-2:] == PIXEL
        }
        table.to_zarr(
            store, group=group.strip("./"), mode="a", zarr_format=3, consolidated=False, encoding=encoding
        )
    for key, value in files.items():
        file = draft / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value.to_bytes())


def _consolidate(draft: Path) -> None:
    """Gather all metadata in the root's, so that opening reads one file (`zarr.consolidate_metadata`)."""
    root = _node(draft)
    nodes = {file.relative_to(draft).as_posix(): _node(file) for file in _nodes_below(draft)}
    root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": nodes}
    (draft / "zarr.json").write_text(json.dumps(root, ensure_ascii=False), encoding="utf-8")


def _node(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
    return document


def _nodes_below(folder: Path) -> list[Path]:
    """All groups and arrays below a group, without a look into the folders of chunks."""
    children = sorted(file.parent for file in folder.glob("*/zarr.json"))
    return [node for child in children for node in (child, *_nodes_below(child))]
