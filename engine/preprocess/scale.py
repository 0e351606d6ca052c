"""Give the frame a scale where the file has none, or the wrong one."""

from typing import Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.recipe import record_step
from engine.schema import PIXEL

UNITS: Final = ("nm", "µm", "mm")


@record_step
def pixel_size(images: xr.Dataset, *, size: float, unit: str = "µm") -> xr.Dataset:
    """Set the distance between pixel centres, the same in both directions.

    Coordinates that count pixels are scaled, so that a part cut out keeps its place; others begin at 0.

    Parameters
    ----------
    images : Dataset
    size
        Distance in `unit`.
    unit
        One of `UNITS`.

    Raises
    ------
    InputError
        If the size is not positive or the unit is unknown.
    """
    unit = "µm" if unit in ("um", "μm") else unit
    if unit not in UNITS or not 0 < size < np.inf:
        raise InputError(f"pixel size {size} {unit}; expected a positive number of {', '.join(UNITS)}")
    return images.assign_coords({dim: _scale_coordinates(images, dim, size, unit) for dim in PIXEL})


def _scale_coordinates(images: xr.Dataset, dim: str, size: float, unit: str) -> xr.Variable:
    places = np.arange(images.sizes[dim], dtype=float)
    attrs = dict(images.coords[dim].attrs) if dim in images.coords else {"long_name": dim}
    if attrs.get("units") == "px":
        places = images.coords[dim].values.astype(float)
    return xr.Variable(dim, places * size, {**attrs, "units": unit})
