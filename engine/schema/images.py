"""Images: how a Dataset of pixel values is laid out, and a check of it."""

import xarray as xr

from engine.errors import InputError
from engine.schema.names import DELTA, MASK, PIXEL, PSI, SPECTRAL, WEIGHTS


def image_variables(images: xr.Dataset) -> list[str]:
    """Return the names of the variables that hold pixel values: dims `(..., y, x)`, not mask or weights."""
    return [
        str(name)
        for name, variable in images.data_vars.items()
        if name not in (MASK, WEIGHTS) and variable.dims[-2:] == PIXEL
    ]


def spectral_dim(images: xr.Dataset) -> str | None:
    """Name of the spectral dim that the image variables share, None for plain images."""
    found = {str(d) for name in image_variables(images) for d in images[name].dims if d not in PIXEL}
    return found.pop() if found else None


def is_ellipsometry(images: xr.Dataset) -> bool:
    """Return whether the images are ellipsometric: both Delta and Psi are there."""
    return DELTA in images.data_vars and PSI in images.data_vars


def check(images: xr.Dataset) -> xr.Dataset:
    """Return the images unchanged if they follow the data model.

    Raises
    ------
    InputError
        If there is no image variable, dims are wrong, or mask and weights do not fit.
    """
    names = image_variables(images)
    if not names:
        raise InputError(
            f"no image variable with last dims (y, x) among {sorted(map(str, images.data_vars))};"
            " give each image the dims (y, x) or (wavelength, y, x)"
        )
    leading = {images[name].dims[:-2] for name in names}
    if len(leading) > 1 or len(next(iter(leading))) > 1 or not set(next(iter(leading))) <= set(SPECTRAL):
        raise InputError(
            f"image variables have the leading dims {sorted(map(str, leading))};"
            f" expected the same for all, at most one of {', '.join(SPECTRAL)}"
        )
    for name in names:
        if images[name].dtype.kind not in "fiub":
            raise InputError(f"image variable {name!r} holds {images[name].dtype} values; expected numbers")
    for name in (MASK, WEIGHTS):
        if name in images and images[name].dims != PIXEL:
            raise InputError(f"{name!r} has the dims {images[name].dims}; expected (y, x)")
    return images
