"""The value map of a profile: its variables with units, where it is valid, and its values in zones."""

from typing import Any, Final

import xarray as xr

from engine.schema import KIND, LABELS, ORDER, PIXEL, RESIDUAL, VALID, VALUES, ZONE_TABLE, pixel_map
from engine.schema.accessors import names_of
from engine.schema.kinds import VALUE_MAP
from engine.statistics.zones import zone_table

MEASURES: Final = ("position", "width", "height", "area")
NAMES: Final = (*MEASURES, *(f"{name}_error" for name in MEASURES), RESIDUAL, VALID)
"""Fitted values in the order in which the kernel gives them."""
MEANING: Final = {
    "position": "position of the largest peak",
    "width": "full width of the peak at half of its height",
    "height": "height of the peak above the background",
    "area": "area of the peak",
    RESIDUAL: "root mean square of what the fit leaves",
    VALID: "whether a peak was found",
}


def make_result(image: xr.DataArray, values: Any, *, zones: str = "") -> xr.DataTree:
    """Return the result of a profile.

    Parameters
    ----------
    image : DataArray (channel, y, x)
        The fitted variable.
    values : Dask array (len(NAMES), y, x), float32
        As `NAMES` lists them.
    zones
        Path of a stored class map of the same pixels, to describe the values per class; may be empty.

    Returns
    -------
    DataTree
        `residual` and `valid` at the root, `/values`, and `/zone_table` where zones are given; lazy.

    Raises
    ------
    InputError
        If the class map has another shape.
    """
    coords = {dim: image.coords[dim] for dim in PIXEL if dim in image.coords}
    units = _units(image)
    maps = {
        name: xr.DataArray(
            values[n] if name != VALID else values[n] > 0,
            dims=PIXEL,
            coords=coords,
            attrs={"units": units.get(name.removesuffix("_error"), "1"), "long_name": _meaning(name)},
        )
        for n, name in enumerate(NAMES)
    }
    root = xr.Dataset({name: maps.pop(name) for name in (RESIDUAL, VALID)}, attrs={KIND: VALUE_MAP.name})
    tree = xr.DataTree.from_dict(
        {"/": root, f"/{VALUES}": xr.Dataset(maps, attrs={ORDER: " ".join(MEASURES)})}
    )
    if zones:
        tree[ZONE_TABLE] = xr.DataTree(_describe_zones(maps, zones))
    return tree


def _describe_zones(maps: dict[str, xr.DataArray], zones: str) -> xr.Dataset:
    from engine.export.store import open_result

    classes = open_result(zones)
    values = {name: maps[name] for name in MEASURES}
    return zone_table(values, pixel_map(classes, LABELS), names=names_of(classes))


def _units(image: xr.DataArray) -> dict[str, str]:
    dim = str(image.dims[0])
    axis = str(image.coords[dim].attrs.get("units", "1")) if dim in image.coords else "1"
    unit = str(image.attrs.get("units", "1"))
    parts = [part for part in (unit, axis) if part != "1"]
    return {"position": axis, "width": axis, "height": unit, "area": "·".join(parts) or "1", RESIDUAL: unit}


def _meaning(name: str) -> str:
    base = name.removesuffix("_error")
    return MEANING[base] if base == name else f"standard error of the {base}"
