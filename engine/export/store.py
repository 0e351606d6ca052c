"""Stored results: one Zarr v3 store a result, written in one pass over the data, whole or not at all."""

import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks, catalogue
from engine.analysis import NETWORK, NETWORK_FILE
from engine.errors import FileError, InputError
from engine.export.atomic import appearing
from engine.export.provenance import RECIPE, recipe_text, stem
from engine.export.streaming import align_to_tiles, encoding, in_memory, is_streamed, write_layout, write_maps
from engine.recipe import SOURCE, Recipe
from engine.schema import IMAGE, KIND, MODEL, PIXEL
from engine.schema.kinds import has

STORE: Final = "mapstack_result"
"""Root attr that marks a store as ours and says the version of its layout."""
STORE_VERSION: Final = 3
READABLE: Final = (2, STORE_VERSION)
"""Versions that are read; of version 2 the kind follows from the analysis."""


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
    root.attrs = {**root.attrs, **_source_seen_from(path.parent, root), STORE: STORE_VERSION}
    with appearing(path) as draft:
        maps = {str(n): v.variable for n, v in root.data_vars.items() if is_streamed(v.variable)}
        streams = {name: align_to_tiles(_planes(xr.DataArray(v))) for name, v in maps.items()}
        tables = {".": root.drop_vars(list(maps)), **groups}
        write_layout(root, streams, draft)
        tables = write_maps(streams, tables, draft)
        _write_tables(tables, draft)
        if MODEL in tables:
            _store_network(tables[MODEL], draft)
        _consolidate(draft)
        if before_rename is not None:
            before_rename()
    return path


def copy_result(stored: str | Path, out: str | Path, *, source: str | None, overwrite: bool = False) -> Path:
    """Copy a stored result, whole or not at all; nothing is computed or encoded again.

    Parameters
    ----------
    stored
        The store to copy.
    out
        The new store.
    source
        Path of the data of the copy: one computation serves equal data anywhere.
    overwrite
        Replace the result that stands there, once the copy is complete.

    Raises
    ------
    FileError
        If something stands there already, or the copy cannot be written.
    """
    stored, out = Path(stored), Path(out)
    _check_target(out, overwrite=overwrite)
    with appearing(out) as draft:
        shutil.copytree(stored, draft)
        root = _node(draft)
        recipe = Recipe.from_json(str(root["attributes"][RECIPE]))
        root["attributes"][RECIPE] = replace(recipe, source=source).to_json()
        root["attributes"][SOURCE] = os.path.relpath(source, out.parent) if source else ""
        (draft / "zarr.json").write_text(json.dumps(root, ensure_ascii=False), encoding="utf-8")
    return out


def _planes(variable: xr.DataArray) -> da.Array:
    """Return the tiles of a map; of the maps of a collection, each image by itself."""
    if variable.dims[0] != IMAGE:
        return blocks.as_tiles(variable)
    return da.asarray(variable.data).rechunk({0: 1})


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
    found = read_store_version(path)
    if found is None:
        raise (InputError if path.exists() else FileError)(
            f"{path} is {'not a Mapstack result' if path.exists() else 'not there'};"
            " give the folder of a stored result"
        )
    if found not in READABLE:
        raise InputError(
            f"{path} is a result of store version {found}, this Mapstack reads version {STORE_VERSION};"
            " run its recipe again: mapstack run --recipe"
        )
    try:
        _check_whole(path)
        tree = xr.open_datatree(path, engine="zarr", consolidated=True)
        result = xr.DataTree.from_dict({group: _load_group(node) for group, node in tree.subtree_with_keys})
        if result.attrs.get(SOURCE):
            result.attrs[SOURCE] = os.path.normpath(path.absolute().parent / result.attrs[SOURCE])
        _note_place(result, path)
        return result
    except FileError:
        raise
    except Exception as error:  # a damaged store raises nearly anything
        raise FileError(
            f"the result {path} is damaged ({type(error).__name__}: {error}); run it again"
        ) from error


def _note_place(result: xr.DataTree, path: Path) -> None:
    """Note where the model lies that a recipe only names, and the kind of a result of an older version."""
    recipe = json.loads(str(result.attrs.get(RECIPE, "null")))
    if recipe is None:
        return
    if KIND not in result.attrs and recipe["analysis"] in catalogue.ANALYSES:
        result.attrs[KIND] = catalogue.find("analyses", recipe["analysis"]).kind.name
    if has(result, MODEL) and "arrays" not in (recipe["model"] or {"arrays": None}):
        recipe["model"]["store"] = str(path.absolute())
        result.attrs[RECIPE] = json.dumps(recipe, ensure_ascii=False)
    network = path / MODEL / NETWORK
    if network.is_file():
        result.children[MODEL].attrs[NETWORK_FILE] = str(network.absolute())


def _store_network(group: xr.Dataset, draft: Path) -> None:
    """Copy the network of a model that Mapstack does not bring into the store."""
    given = group.attrs.get(NETWORK_FILE)
    if given is None or Path(given).is_relative_to(Path(__file__).parents[1]):
        return
    (draft / MODEL).mkdir(exist_ok=True)
    shutil.copyfile(given, draft / MODEL / NETWORK)


def _check_whole(path: Path) -> None:
    """Refuse a store that lacks chunks: Zarr would read them as 0, and 0 has a meaning."""
    nodes = _node(path)["consolidated_metadata"]["metadata"]
    for name, node in nodes.items():
        if node["node_type"] != "array":
            continue
        chunks = node["chunk_grid"]["configuration"]["chunk_shape"]
        expected = math.prod(-(-n // chunk) for n, chunk in zip(node["shape"], chunks, strict=True))
        there = sum(len(files) for _, _, files in os.walk(path / name)) - 1  # all but zarr.json
        if there < expected:
            raise FileError(
                f"the result {path} is damaged: {expected - there} of {expected} chunks of {name} are"
                " missing; run it again"
            )


def _source_seen_from(folder: Path, root: xr.Dataset) -> dict[str, str]:
    """Return the source's path relative to where the result lies, so that both can be moved together."""
    source = str(root.attrs.get(SOURCE, ""))
    return {SOURCE: os.path.relpath(source, folder)} if source else {}


def read_store_version(path: str | Path) -> Any:
    """Return the version of the layout of the result at `path`, None if there is no result."""
    try:
        document = json.loads((Path(path) / "zarr.json").read_text(encoding="utf-8"))
        return document["attributes"].get(STORE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_zarr(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the result as a store of its own.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    return [write_result(result, Path(folder) / f"{stem(result, images)}.zarr", overwrite=True)]


def write_json(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the recipe alone, for people to read and for `mapstack run --recipe`.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    recipe = Recipe.from_json(recipe_text(result))
    path = Path(folder) / f"{stem(result, images)}_recipe.json"
    with appearing(path) as draft:
        document = json.loads(recipe.to_json())
        draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [path]


def write_netcdf(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the whole result as one NetCDF4 file, its tables as groups.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    path = Path(folder) / f"{stem(result, images)}.nc"
    whole = {
        group: node.to_dataset(inherit=False).drop_encoding()
        for group, node in in_memory(result).subtree_with_keys
    }
    packed = {str(n): {"zlib": True, "complevel": 1} for n, v in whole["."].data_vars.items() if v.ndim > 1}
    with appearing(path) as draft:
        tree = xr.DataTree.from_dict({group: _netcdf_ready(data) for group, data in whole.items()})
        tree.to_netcdf(draft, engine="h5netcdf", encoding={"/": packed})
    return [path]


def _netcdf_ready(group: xr.Dataset) -> xr.Dataset:
    """Return the group as NetCDF can hold it: attrs of numbers, arrays and text, and no NUL in a text."""
    text = {n: _without_nul(v.values) for n, v in group.variables.items() if v.dtype.kind == "U"}
    ready = group.assign({n: (group[n].dims, values) for n, values in text.items()})
    ready.attrs = _netcdf_attrs(group.attrs)
    for name, variable in group.variables.items():
        ready[name].attrs = _netcdf_attrs(variable.attrs)
    return ready


def _without_nul(text: np.ndarray) -> np.ndarray:
    return np.array([t.replace("\0", "") for t in text.ravel().tolist()], dtype=str).reshape(text.shape)


def _netcdf_attrs(attrs: dict[str, Any]) -> dict[str, Any]:
    plain = (int, float, np.ndarray, np.number)
    written = {
        n: v if isinstance(v, (str, *plain)) else json.dumps(v) for n, v in attrs.items() if v is not None
    }
    return {n: v.replace("\0", "") if isinstance(v, str) else v for n, v in written.items()}


def _check_target(path: Path, *, overwrite: bool) -> None:
    if not path.exists():
        return
    if not overwrite:
        raise FileError(f"{path} exists already; choose another name, or overwrite it (--overwrite)")
    if read_store_version(path) is None and not (path.is_dir() and not any(path.iterdir())):
        raise FileError(
            f"{path} exists and is no Mapstack result, so it is not overwritten; choose another name"
        )


def _storable(group: xr.Dataset) -> xr.Dataset:
    """Return text as variable-length strings, the only kind of text that Zarr v3 specifies."""
    text = {
        name: v.astype(np.dtypes.StringDType()) for name, v in group.variables.items() if v.dtype.kind in "UO"
    }
    return group.assign(text) if text else group


def _load_group(node: xr.DataTree) -> xr.Dataset:
    """Return one group as the engine works with it: maps as Dask arrays of stored tiles, text as strings."""
    group = node.to_dataset(inherit=False)
    maps = {n: _chunk_as_stored(v) for n, v in group.data_vars.items() if v.dims[-2:] == PIXEL}
    text = {
        n: (v.dims, np.array(v.values.tolist(), dtype=str), v.attrs)
        for n, v in group.variables.items()
        if v.dtype.kind == "T"
    }
    return group.assign({**maps, **text})


def _chunk_as_stored(variable: xr.DataArray) -> xr.DataArray:
    return variable.chunk(dict(zip(variable.dims, variable.encoding["chunks"], strict=True)))


def _write_tables(tables: dict[str, xr.Dataset], draft: Path) -> None:
    """Write everything small through memory: many tiny arrays in one flow instead of many file operations."""
    from zarr.storage import MemoryStore

    files: dict[str, Any] = {}
    store = MemoryStore(files)
    for group, table in tables.items():
        stored = {
            name: encoding(da.zeros(v.shape, dtype=v.dtype, chunks=-1))
            for name, v in table.data_vars.items()
            if v.dims[-2:] == PIXEL
        }
        table.to_zarr(
            store,
            group=group.strip("./"),
            mode="a",
            zarr_format=3,
            consolidated=False,
            encoding=stored,
            write_empty_chunks=True,
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
    """Return all groups and arrays below a group, without a look into the folders of chunks."""
    children = sorted(file.parent for file in folder.glob("*/zarr.json"))
    return [node for child in children for node in (child, *_nodes_below(child))]
