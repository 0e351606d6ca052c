"""Lift kernels that look at neighbouring pixels onto all images, with mask and angles taken care of."""

from collections.abc import Callable
from typing import Any, Final

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.schema import MASK, PERIODS, image_variables

BAND_BYTES: Final = 16 * 2**20
"""Size of the bands of rows into which large planes in memory are cut."""


def with_neighbours(
    images: xr.Dataset, kernel: Callable[..., np.ndarray], *, halo: int, kinds: str = "fiub", **arguments: Any
) -> xr.Dataset:
    """Replace each image by `kernel(tile, period=..., **arguments)`; lazy, the same for any tiles.

    Excluded pixels are missing to the kernel and keep their values.

    Parameters
    ----------
    images : Dataset
    kernel
        Takes and returns `([channel,] y, x)`, floating point of native byte order.
    halo
        Pixels round a tile that the kernel looks at.
    kinds
        Kinds of dtype to which the kernel is applied; others stay as they are.
    """
    changed = {}
    for name in image_variables(images):
        image = images[name]
        if image.dtype.kind not in kinds:
            continue
        data = _whole_planes(image)
        dtype = floating(image.dtype)
        mask = blocks.as_tiles(images[MASK]).rechunk(data.chunks[-2:]) if MASK in images else None
        source = data.astype(dtype) if mask is None else da.where(mask, np.nan, data).astype(dtype)
        arguments["period"] = PERIODS.get(name)
        if mask is None and _is_large(image) and image.dtype == dtype:
            result = _map_bands(kernel, image.values, halo=halo, **arguments)
        else:
            result = blocks.map_halo(kernel, source, halo=halo, dtype=dtype, **arguments)
        changed[name] = image.copy(data=result if mask is None else da.where(mask, data, result))
    return images.assign(changed)


def _whole_planes(image: xr.DataArray) -> da.Array:
    """Dask array of an image: its own tiles, or whole planes of an image in memory, which need no halo."""
    if isinstance(image.data, da.Array):
        return blocks.as_tiles(image)
    n_planes = max(1, blocks.TILE_BYTES // plane_bytes(image))
    whole = blocks.as_tiles(image, tile_bytes=max(1, image.nbytes))
    return whole.rechunk(dict.fromkeys(range(image.ndim - 2), n_planes))


def _is_large(image: xr.DataArray) -> bool:
    """Return whether the image is in memory, with planes worth more than one task."""
    return not isinstance(image.data, da.Array) and plane_bytes(image) >= 2 * BAND_BYTES


def plane_bytes(image: xr.DataArray) -> int:
    """Return the size of one channel."""
    return max(1, image.nbytes // max(1, int(np.prod(image.shape[:-2]))))


def _map_bands(
    kernel: Callable[..., np.ndarray], values: np.ndarray, *, halo: int, **arguments: Any
) -> da.Array:
    """Apply the kernel to bands of rows seen with their halo: views, where `map_halo` would copy."""
    if values.ndim > 2:
        return da.stack([_map_bands(kernel, plane, halo=halo, **arguments) for plane in values])
    n_rows = max(1, halo, BAND_BYTES * len(values) // values.nbytes)
    lifted = dask.delayed(_within, pure=False, traverse=False)
    bands = []
    for start in range(0, len(values), n_rows):
        stop, top = min(start + n_rows, len(values)), max(0, start - halo)
        band = lifted(kernel, values[top : stop + halo], slice(start - top, stop - top), **arguments)
        bands.append(da.from_delayed(band, (stop - start, values.shape[1]), dtype=values.dtype))
    return da.concatenate(bands)


def _within(kernel: Callable[..., np.ndarray], band: np.ndarray, rows: slice, **arguments: Any) -> np.ndarray:
    return kernel(band, **arguments)[rows]


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Native floating dtype that holds the values: float32 but for doubles and wide integers."""
    wide = dtype.itemsize > 4 or (dtype.kind in "iu" and dtype.itemsize > 2)
    return np.dtype(np.float64 if wide else np.float32)
