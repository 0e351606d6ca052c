"""Lift kernels that look at neighbouring pixels onto all images, with mask and angles taken care of."""

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.schema import MASK, PERIODS, image_variables


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
        mask = blocks.tiled(images[MASK]).rechunk(data.chunks[-2:]) if MASK in images else None
        source = data.astype(dtype) if mask is None else da.where(mask, np.nan, data).astype(dtype)
        result = blocks.map_halo(
            kernel, source, halo=halo, dtype=dtype, period=PERIODS.get(name), **arguments
        )
        changed[name] = image.copy(data=result if mask is None else da.where(mask, data, result))
    return images.assign(changed)


def _whole_planes(image: xr.DataArray) -> da.Array:
    """Dask array of an image: its own tiles, or whole planes of an image in memory, which need no halo."""
    if isinstance(image.data, da.Array):
        return blocks.tiled(image)
    plane_bytes = max(1, image.nbytes // max(1, int(np.prod(image.shape[:-2]))))
    n_planes = max(1, blocks.TILE_BYTES // plane_bytes)
    whole = blocks.tiled(image, tile_bytes=max(1, image.nbytes))
    return whole.rechunk(dict.fromkeys(range(image.ndim - 2), n_planes))


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Native floating dtype that holds the values: float32 but for doubles and wide integers."""
    wide = dtype.itemsize > 4 or (dtype.kind in "iu" and dtype.itemsize > 2)
    return np.dtype(np.float64 if wide else np.float32)
