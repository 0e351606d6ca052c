"""Tables of a result as binary tables of FITS, with units."""

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from astropy.io import fits

UNITS: Final = {"1": "", "µm": "um", "px": "pixel", "px²": "pixel2"}
"""Units that FITS writes otherwise (FITS standard 4.0, section 4.3)."""
FORMATS: Final = {"b": "L", "i": "K", "u": "K", "f": "D"}
"""Letters of the FITS formats of columns, by the kind of their dtype."""


def table_unit(table: xr.Dataset, name: str) -> "fits.BinTableHDU":
    """Return a table of a result as a FITS table.

    Text has all but ASCII escaped as in JSON.

    Parameters
    ----------
    table : Dataset
        One row an object, class or change.
    name
        Of the FITS extension.
    """
    from astropy.io import fits

    columns = [_column(str(column), values) for column, values in table.variables.items()]
    unit = fits.BinTableHDU.from_columns(columns, name=name)
    for n, (column, values) in enumerate(table.variables.items(), start=1):
        unit.header[f"TCOMM{n}"] = ascii_text(values.attrs.get("long_name", column))
    return unit


def fits_unit(unit: str) -> str:
    """Return the unit in ASCII, as FITS spells it."""
    return UNITS.get(unit, unit).encode("ascii", "replace").decode()


def _column(name: str, variable: xr.Variable) -> "fits.Column":
    from astropy.io import fits

    values = variable.values
    form = FORMATS.get(values.dtype.kind, "")
    if not form:
        values = np.array([ascii_text(text) for text in values.tolist()], dtype=str)
        form = f"{max(1, values.dtype.itemsize // 4)}A"
    unit = fits_unit(str(variable.attrs.get("units", "1")))
    return fits.Column(name=name, format=form, unit=unit or None, array=values)


def ascii_text(text: Any) -> str:
    """Return a text with anything but ASCII, and control characters, escaped as in JSON."""
    return json.dumps(str(text))[1:-1]
