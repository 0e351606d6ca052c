"""One intensity a pixel, of whatever a file holds."""

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema import CHANNEL, IMAGE, PIXEL, image_variables, spectral_dim

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


def intensity(images: xr.Dataset) -> xr.DataArray:
    """The only image, or the luma of a colour picture; lazy.

    Parameters
    ----------
    images : Dataset, dims (y, x), or (channel, y, x) with 3 or 4 channels: red, green, blue, opacity

    Returns
    -------
    DataArray, dims (y, x)

    Raises
    ------
    InputError
        If there are several images.
    """
    names, dim = image_variables(images), spectral_dim(images)
    if len(names) == 1 and dim is None:
        return images[names[0]]
    if len(names) == 1 and dim == CHANNEL and images.sizes[CHANNEL] in (3, 4):
        image = images[names[0]]
        grey = sum(
            np.float32(weight) * image.isel({CHANNEL: n}, drop=True).astype(np.float32)
            for n, weight in enumerate(LUMA)
        )
        return xr.DataArray(grey).assign_attrs(image.attrs).transpose(*PIXEL)
    if dim == IMAGE:
        raise InputError(
            f"these are {images.sizes[IMAGE]} frames; give one of them, such as"
            f" {images.attrs.get('source', 'the folder')}/{_first_file(images)}"
        )
    what = f"{images.sizes[dim]} {dim}s" if dim else f"the images {', '.join(names)}"
    raise InputError(f"there are {what}; give a single frame, or crop to one")


def _first_file(images: xr.Dataset) -> str:
    return str(images["file"].values[0]) if "file" in images.coords else "frame_000.fits"
