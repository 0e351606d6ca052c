"""Apply a fitted profile: peaks of all pixels as a value map, lazily and tile by tile."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from scipy.stats import norm, t

from engine import blocks
from engine.analysis import Model
from engine.errors import InputError
from engine.profile import peak_fit
from engine.profile.result import NAMES, make_result
from engine.schema import MASK, PIXEL, image_variables, spectral_dim

SHAPES: Final = ("gaussian", "lorentzian")
MOST_FREEDOM: Final = 512
"""Degrees of freedom above which the errors of a fit are taken as those of a normal distribution."""


@dataclass(frozen=True)
class ProfileModel(Model):
    """The shape of the peak that fits these images better; `arrays["shape"]` is its index in `SHAPES`."""

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Fit the largest peak of every pixel.

        Parameters
        ----------
        images : Dataset, dims (spectral, y, x)

        Returns
        -------
        DataTree
            A value map: position, width, height and area, each with its error; lazy.

        Raises
        ------
        InputError
            If there is no spectral dim, or no such variable.
        """
        image = choose_image(images, str(self.settings["variable"]))
        shape, snr = int(self.arrays["shape"]), float(self.settings["min_snr"])
        values = fit_images(image, images.get(MASK), shape=shape, min_snr=snr)
        return make_result(image, values, zones=str(self.settings["zones"]))


def choose_image(images: xr.Dataset, variable: str) -> xr.DataArray:
    """Return the image variable whose spectra are fitted.

    Parameters
    ----------
    images : Dataset, dims (spectral, y, x)
    variable
        Its name; empty: the first.

    Raises
    ------
    InputError
        If there is no such variable, no spectral dim, or too few channels.
    """
    names = image_variables(images)
    if variable and variable not in names:
        raise InputError(f"there is no variable {variable!r}; the images have {', '.join(names)}")
    dim = spectral_dim(images)
    if dim is None:
        raise InputError("a profile needs a stack of channels, and this is one image; give a stack")
    image = images[variable or names[0]]
    if image.sizes[dim] < peak_fit.LEAST_CHANNELS:
        raise InputError(
            f"there are {image.sizes[dim]} channels, and a peak needs {peak_fit.LEAST_CHANNELS} or more;"
            " give a stack of more channels"
        )
    return image


def fit_images(image: xr.DataArray, mask: xr.DataArray | None, *, shape: int, min_snr: float) -> Any:
    """Return the fitted values of all pixels as a Dask array (`len(NAMES)`, y, x), float32; lazy.

    Parameters
    ----------
    image : DataArray (channel, y, x)
    mask : DataArray (y, x), optional
        True where excluded.
    shape
        Index in `SHAPES`.
    min_snr
        Height over its error below which there is no peak.
    """
    axis, order = sort_axis(image)
    arrays = [blocks.as_tiles(image)] + ([] if mask is None else [blocks.as_tiles(mask)])
    return blocks.map_tiles(
        _fit_tile,
        *arrays,
        dtype=np.float32,
        leading=(len(NAMES),),
        axis=axis,
        order=order,
        shape=shape,
        min_snr=min_snr,
    )


def sort_axis(image: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Return the spectral coordinate in ascending order, and the channel of each entry.

    Parameters
    ----------
    image : DataArray (channel, y, x)

    Raises
    ------
    InputError
        If two channels are at the same place or one has no number.
    """
    dim = str(image.dims[0])
    axis = np.arange(image.sizes[dim], dtype=np.float64)
    if dim in image.coords and image.coords[dim].dtype.kind in "iuf":
        axis = image.coords[dim].values.astype(np.float64)
    order = np.argsort(axis, kind="stable")
    if not np.isfinite(axis).all() or (np.diff(axis[order]) <= 0).any():
        raise InputError(f"the coordinate {dim} has equal or missing values; give each channel its own")
    return axis[order], order


def error_inflation() -> np.ndarray:
    """Return the factor on errors by degrees of freedom: Student's 97.5 % quantile over the normal one."""
    freedom = np.arange(1, MOST_FREEDOM)
    factors = t.ppf(0.975, freedom) / norm.ppf(0.975)
    return np.concatenate([[np.nan], factors, [1.0]])


def _fit_tile(
    values: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    axis: np.ndarray,
    order: np.ndarray,
    shape: int,
    min_snr: float,
) -> np.ndarray:
    native = np.ascontiguousarray(values, np.float64 if values.dtype.itemsize > 4 else np.float32)
    excluded = np.zeros(values.shape[1:], bool) if mask is None else np.ascontiguousarray(mask, bool)
    out = np.empty((len(NAMES), *values.shape[1:]), np.float32)
    peak_fit.fit_tile(native, excluded, axis, order, shape, min_snr, error_inflation(), out)
    return out


def sample_pixels(image: xr.DataArray, n_rows: int) -> np.ndarray:
    """Return some rows of pixels, spread over the image, in memory: (channel, row, x).

    Which rows depends on the shape of the image alone, so that the chunking does not matter.

    Parameters
    ----------
    image : DataArray (channel, y, x)
    n_rows
        Number of rows.
    """
    count = image.sizes[PIXEL[0]]
    rows = np.unique(np.linspace(0, count - 1, min(n_rows, count)).round().astype(int))
    return np.asarray(image.isel({PIXEL[0]: rows}).values)
