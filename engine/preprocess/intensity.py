"""One intensity a pixel, of whatever a file holds."""

import json

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.schema import CHANNEL, IMAGE, LUMA, PIXEL, image_variables, spectral_dim
from engine.schema import columns as c


def intensity(images: xr.Dataset) -> xr.DataArray:
    """Return the only image, or the luma of a colour picture; lazy.

    Parameters
    ----------
    images : Dataset, dims (y, x), or (channel, y, x) with 3 or 4 channels: red, green, blue, opacity
        Channels in units such as adu are no colours: they are measured frames.
        Attr `palette`, where there is one: the colour of each number in a plain image, as JSON.

    Returns
    -------
    DataArray, dims (y, x)
        With the coordinates and units of the images.

    Raises
    ------
    InputError
        If there are several images.
    """
    names, dim = image_variables(images), spectral_dim(images)
    if len(names) == 1 and dim is None:
        palette = images.attrs.get("palette")
        image = images[names[0]]
        return _look_up(image, palette) if palette and image.dtype == np.uint8 else image
    if len(names) == 1 and _is_colour(images[names[0]]):
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
    if dim == CHANNEL and images.attrs.get("reader") == "tiff":
        raise InputError(
            f"these are the {images.sizes[dim]} channels of a stack; if each file is its own image, open"
            " the folder with reader='collection'"
        )
    what = f"{images.sizes[dim]} {dim}s" if dim else f"the images {', '.join(names)}"
    raise InputError(f"there are {what}; give a single frame, or crop to one")


def frames(images: xr.Dataset) -> list[xr.DataArray]:
    """Return each frame of a collection, dims (y, x), or the one frame that the images are; lazy.

    Raises
    ------
    InputError
        If there are several images that are no collection.
    """
    if spectral_dim(images) != IMAGE:
        return [intensity(images)]
    planes = images[image_variables(images)[0]]
    return [planes.isel({IMAGE: n}) for n in range(planes.sizes[IMAGE])]


def _is_colour(image: xr.DataArray) -> bool:
    return image.sizes.get(CHANNEL, 0) in (3, 4) and image.attrs.get("units", "1") == "1"


def _look_up(image: xr.DataArray, palette: str) -> xr.DataArray:
    """Luma of the palette's colour of each number."""
    shades = np.zeros(256, np.float32)
    colours = np.array(json.loads(palette), np.float32)
    shades[: len(colours)] = colours @ np.array(LUMA, np.float32)
    data = da.map_blocks(_shade, blocks.as_tiles(image), shades, dtype=np.float32)
    return image.copy(data=data)


def _shade(tile: np.ndarray, shades: np.ndarray) -> np.ndarray:
    return np.asarray(shades[tile])


def _first_file(images: xr.Dataset) -> str:
    return str(images[c.FILE].values[0]) if c.FILE in images.coords else "frame_000.fits"
