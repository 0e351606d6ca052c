"""Arrays and axes into images: dims, coordinates, units, and the order of axes nobody has named."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema import ANGLE, CHANNEL, ENERGY, IMAGE, PIXEL, SPECTRAL, WAVELENGTH, X, Y

VALUES: Final = "values"
"""Name of the image variable where a file gives none."""

Coordinate = tuple[np.ndarray, str]
"""Values and units."""

DIM_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("wavelength", "wavelengths", "lambda", "wl", "wave"), WAVELENGTH),
    **dict.fromkeys(("angle", "aoi", "angle_of_incidence"), ANGLE),
    **dict.fromkeys(("energy", "energies", "e_loss", "energy_loss"), ENERGY),
    **dict.fromkeys(("channel", "channels", "band", "bands", "c", "z", "depth"), CHANNEL),
    **dict.fromkeys(("image", "images", "time", "t", "frame", "frames"), IMAGE),
    **dict.fromkeys(("y", "row", "rows", "lat", "latitude", "height"), Y),
    **dict.fromkeys(("x", "col", "cols", "column", "columns", "lon", "longitude", "width"), X),
}
"""What files call the dims of the data model."""

UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "kev": ("eV", 1e3),
    "ev": ("eV", 1.0),
    "pm": ("nm", 1e-3),
    "å": ("nm", 0.1),
    "angstrom": ("nm", 0.1),
    "nm": ("nm", 1.0),
    "nanometer": ("nm", 1.0),
    "um": ("µm", 1.0),
    "µm": ("µm", 1.0),
    "micron": ("µm", 1.0),
    "m": ("µm", 1e6),
    "mm": ("µm", 1e3),
    "cm": ("µm", 1e4),
    "deg": ("deg", 1.0),
    "degree": ("deg", 1.0),
    "degrees": ("deg", 1.0),
    "°": ("deg", 1.0),
    "rad": ("deg", 180 / np.pi),
    "radian": ("deg", 180 / np.pi),
}
"""Units as files spell them: our unit and the factor to it."""

LONG_NAMES: Final[Mapping[str, str]] = {
    WAVELENGTH: "wavelength",
    ANGLE: "angle of incidence",
    ENERGY: "energy",
    CHANNEL: "channel",
    IMAGE: "image",
    Y: "y",
    X: "x",
}


def stack(
    data: da.Array,
    *,
    dims: tuple[str, ...],
    name: str = VALUES,
    coords: Mapping[str, Coordinate] | None = None,
    units: str = "1",
    notes: Iterable[str] = (),
) -> xr.Dataset:
    """Return the images of one lazy array with axes in any order, as `(spectral, y, x)`, without reading.

    Parameters
    ----------
    data : dask array
        One axis per entry of `dims`.
    dims
        `y`, `x` and at most one spectral dim.
    name
        Name of the image variable.
    coords
        Coordinates that the file gives; the others are counted from 0, in px for `y` and `x`.
    units
        Of the values.
    notes
        Sentences for the user.
    """
    order = (*(d for d in dims if d not in PIXEL), *PIXEL)
    variable = xr.Variable(dims, data, {"units": units, "long_name": name}).transpose(*order)
    images = xr.Dataset({name: variable}, attrs={"warnings": dumps(notes)})
    return with_coordinates(images, coords or {})


def dumps(notes: Iterable[str]) -> str:
    """Return the sentences for the user as the `warnings` attr holds them."""
    return json.dumps(list(notes), ensure_ascii=False)


def with_coordinates(images: xr.Dataset, coords: Mapping[str, Coordinate]) -> xr.Dataset:
    """Give every dim a coordinate with units: the given one, or a count from 0.

    Parameters
    ----------
    images : Dataset, dims ([spectral,] y, x)
        The images.
    coords : mapping
        Coordinates by dim: values and units.

    Raises
    ------
    InputError
        If a dim has no length.
    """
    made = {}
    for dim, size in images.sizes.items():
        if size == 0:
            raise InputError(
                f"the images have no values: the dims are {dict(images.sizes)}; give a file with pixels"
            )
        values, units = coords.get(
            str(dim), (np.arange(size, dtype=np.float64), "px" if dim in PIXEL else "1")
        )
        attrs = {"units": units, "long_name": LONG_NAMES.get(str(dim), str(dim))}
        made[dim] = xr.Variable((dim,), values, attrs)
    return images.assign_coords(made)


def axis(size: int, *, scale: float, offset: float, units: str) -> Coordinate | None:
    """Return the coordinate of an evenly spaced axis in our units; None where scale or units say nothing.

    Parameters
    ----------
    size : int
        Number of pixels.
    scale : float
        Distance of neighbouring pixels.
    offset : float
        Coordinate of the first pixel.
    units : str
        Units of the coordinate.
    """
    spelled = units.strip().lower().replace("μ", "µ")
    if spelled not in UNITS or not np.isfinite([scale, offset]).all() or scale == 0:
        return None
    unit, factor = UNITS[spelled]
    return (offset + scale * np.arange(size, dtype=np.float64)) * factor, unit


def guess_dims(shape: tuple[int, ...], *, last: bool = False) -> tuple[tuple[str, ...], list[str]]:
    """Dims of an array whose axes nobody has named, and a sentence that says what was decided.

    A 3-D array is `(channel, y, x)`, unless its last axis is clearly the spectral one: the first two axes
    are equal and the last is not, or the last is shorter than half of both while the first is not shorter
    than half of the other two.

    Parameters
    ----------
    shape
        Of the array, 2-D or 3-D.
    last
        Whether the format's custom is `(y, x, channel)`.

    Examples
    --------
    >>> guess_dims((31, 512, 512))[0]
    ('channel', 'y', 'x')
    >>> guess_dims((145, 145, 200))[0]
    ('y', 'x', 'channel')
    """
    if len(shape) == 2:
        return PIXEL, []
    equal_pair = shape[0] == shape[1] != shape[2]
    short_last = shape[2] < min(shape[:2]) / 2 and not shape[0] < min(shape[1:]) / 2
    last = last or equal_pair or short_last
    dims = (*PIXEL, CHANNEL) if last else (CHANNEL, *PIXEL)
    sizes = " × ".join(map(str, shape))
    note = (
        f"The axes of the {sizes} array have no names: the {'last' if last else 'first'} one was taken as the"
        " channels. If that is wrong, store the array as NetCDF or Zarr with named dims."
    )
    return dims, [note]


def arrange_named(dataset: xr.Dataset, *, key: str | None, file_name: str) -> xr.Dataset:
    """Return the images of a Dataset whose dims have names, though perhaps not ours.

    Parameters
    ----------
    dataset : Dataset
        As the library opened it.
    key : str, optional
        Part of the file that was asked for; None for the whole.
    file_name : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        If there is no image variable, or several of different dims and no key.
    """
    fitting = {str(n): v for n, v in dataset.data_vars.items() if v.ndim in (2, 3) and v.dtype.kind in "fiub"}
    picked = pick(
        fitting, key=key, file_name=file_name, together=len({v.dims for v in fitting.values()}) == 1
    )
    dims = fitting[picked[0]].dims
    renamed, notes = _our_dims(tuple(map(str, dims)), fitting[picked[0]].shape)
    coords = {new: c for old, new in renamed.items() if (c := _coordinate(dataset, old)) is not None}
    parts = [
        stack(
            fitting[name].variable.data,
            dims=tuple(renamed[str(d)] for d in fitting[name].dims),
            name=name,
            coords=coords,
            units=str(fitting[name].attrs.get("units", "1")),
            notes=notes,
        )
        for name in picked
    ]
    return xr.merge(parts, combine_attrs="override", join="exact", compat="equals")


def pick(names: Iterable[str], *, key: str | None, file_name: str, together: bool = False) -> list[str]:
    """Return the names of the arrays to open: the key's, the only one, or all where they belong together.

    Parameters
    ----------
    names : iterable of str
        Names of the arrays.
    key : str, optional
        Part of the file that was asked for; None for the whole.
    file_name : str
        Name of the file, for messages.
    together : bool
        Whether several arrays belong together.

    Raises
    ------
    InputError
        If there is none, several, or not the one asked for.
    """
    known = sorted(names)
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    if not known:
        raise InputError(f"{file_name} holds no 2-D or 3-D array of numbers; give a file that holds images")
    if key is not None:
        wanted = [name for name in known if name.strip("/") == key.strip("/")]
        if not wanted:
            raise InputError(f"{file_name} has no array {key!r}; there are: {listed}")
        return wanted
    if len(known) > 1 and not together:
        raise InputError(
            f"{file_name} holds several arrays: {listed}; name one, as in {file_name}::{known[0]}"
        )
    return known


def _our_dims(dims: tuple[str, ...], shape: tuple[int, ...]) -> tuple[dict[str, str], list[str]]:
    """Map a file's dims to ours: by name where the names say it all, else by the rule for unnamed axes."""
    named = [DIM_NAMES.get(dim.lower(), "") for dim in dims]
    if len(set(named)) == len(named) and set(PIXEL) <= set(named) and set(named) <= {*PIXEL, *SPECTRAL}:
        return dict(zip(dims, named, strict=True)), []
    spectral = [n for n, name in enumerate(named) if name in SPECTRAL]
    if len(dims) == 3 and len(spectral) == 1:
        rest = iter(PIXEL)
        ours = [named[n] if n == spectral[0] else next(rest) for n in range(3)]
        return dict(zip(dims, ours, strict=True)), []
    ours_unnamed, notes = guess_dims(shape)
    return dict(zip(dims, ours_unnamed, strict=True)), notes


def _coordinate(dataset: xr.Dataset, dim: str) -> Coordinate | None:
    """Return the numbers along a dim in our units, None where the file has none that can be used."""
    if dim not in dataset.coords or dataset[dim].ndim != 1 or dataset[dim].dtype.kind not in "fiu":
        return None
    spelled = str(dataset[dim].attrs.get("units", ""))
    values: Any = np.asarray(dataset[dim].values, dtype=np.float64)
    unit, factor = UNITS.get(spelled.strip().lower().replace("μ", "µ"), (spelled or "px", 1.0))
    if not spelled and DIM_NAMES.get(dim.lower()) in SPECTRAL:
        unit = {WAVELENGTH: "nm", ANGLE: "deg", ENERGY: "eV"}.get(DIM_NAMES[dim.lower()], "1")
    return values * factor, unit
