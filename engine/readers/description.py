"""Description of images in figures: the document of `mapstack info`."""

import json
import re
from typing import Any

import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import MapstackError
from engine.schema import PIXEL, X, Y, image_variables


def describe(images: xr.Dataset) -> dict[str, Any]:
    """Return facts about images as JSON: what they are, how large, and what the user should know.

    Reads all pixels once, for the share that has no data. `nan_share` is the share of pixels, 0 to 1, with
    a NaN in at least one map; None, with a warning, if the maps cannot all be read. `units` and `dtype` are
    by variable, `chunks` and `coordinates` by dim; `wcs` holds the keywords of
    the world coordinates, None where there are none.
    """
    names = image_variables(images)
    first = images[names[0]]
    warnings = json.loads(images.attrs.get("warnings", "[]"))
    share: float | None = None
    try:
        share = nan_share(images)
    except MapstackError as error:
        warnings = [*warnings, f"Not all maps can be read: {error}."]
    chunks = first.chunksizes or {dim: (size,) for dim, size in first.sizes.items()}
    return {
        "path": str(images.attrs.get("source", "")),
        "reader": str(images.attrs.get("reader", "")),
        "title": str(images.attrs.get("title", "")),
        "variables": names,
        "dims": [str(dim) for dim in first.dims],
        "sizes": {str(dim): int(size) for dim, size in first.sizes.items()},
        "units": {name: str(images[name].attrs.get("units", "1")) for name in names},
        "dtype": {name: str(images[name].dtype) for name in names},
        "chunks": {str(dim): [int(n) for n in sizes] for dim, sizes in chunks.items()},
        "bytes": int(sum(images[name].nbytes for name in names)),
        "nan_share": share,
        "coordinates": {str(dim): _coordinate(images[dim]) for dim in first.dims if dim in images.coords},
        "wcs": json.loads(images.attrs.get("wcs", "null")),
        "pixel_size": _pixel_size(images),
        "comment": str(images.attrs.get("comment", "")),
        "warnings": warnings,
    }


def nan_share(images: xr.Dataset) -> float:
    """Return the share of pixels, 0 to 1, with a NaN in at least one of the images."""
    arrays = [blocks.as_tiles(images[n]) for n in image_variables(images) if images[n].dtype.kind == "f"]
    if not arrays:
        return 0.0
    n_missing = blocks.reduce_tiles(_count_missing, sum, *arrays)
    (counted,) = blocks.compute(n_missing, doing="reading maps")
    return float(counted) / int(np.prod([images.sizes[dim] for dim in PIXEL]))


def _count_missing(*tiles: np.ndarray) -> int:
    missing = np.zeros(tiles[0].shape[-2:], bool)
    for tile in tiles:
        for plane in tile.reshape(-1, *missing.shape):
            missing |= np.isnan(plane)
    return int(missing.sum())


def _coordinate(coordinate: xr.DataArray) -> dict[str, Any]:
    values = coordinate.values
    return {
        "units": str(coordinate.attrs.get("units", "1")),
        "first": float(values[0]),
        "last": float(values[-1]),
        "size": int(values.size),
    }


def _pixel_size(images: xr.Dataset) -> dict[str, Any] | None:
    """Step of the pixel coordinates, None where they only count pixels."""
    units = {dim: str(images[dim].attrs.get("units", "px")) for dim in PIXEL if dim in images.coords}
    if set(units.values()) in ({"px"}, set()) or min(images.sizes[dim] for dim in PIXEL) < 2:
        return None
    steps = {dim: abs(float(images[dim][1] - images[dim][0])) for dim in PIXEL}
    return {"y": steps[Y], "x": steps[X], "units": units[X]}


def header_number(images: xr.Dataset, keyword: str) -> float | None:
    """Return a number from the FITS header that images keep; None where there is none.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    keyword : str
        Name of the keyword.
    """
    match = re.search(rf"^{keyword:<8}=\s*([-+.\dEeDd]+)", str(images.attrs.get("header", "")), re.MULTILINE)
    try:
        return None if match is None else float(match[1].replace("D", "E").replace("d", "e"))
    except ValueError:
        return None
