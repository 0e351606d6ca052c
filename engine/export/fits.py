"""Maps and tables of a result as one FITS file, with the classes named in its header."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr

from engine.export.atomic import appearing
from engine.export.images import class_rows, maps_of, pixel_edges
from engine.export.provenance import RECIPE, recipe_text, stem
from engine.export.streaming import in_memory
from engine.schema import AUDIT, CHANGE, OBJECT, OBJECT_TABLE, OBJECTS, PIXEL, pixel_map, table

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, Header

EXTENSIONS: Final = {OBJECTS: "instance"}
"""Extensions of maps that are not called like the map: OBJECTS is the table."""
TABLES: Final = {OBJECT_TABLE: (OBJECT, "OBJECTS"), AUDIT: (CHANGE, "AUDIT")}
"""Dim and extension of each table that has one."""

_FORMATS: Final = {"b": ("L", bool), "i": ("K", np.int64), "u": ("K", np.int64), "f": ("D", np.float64)}
"""FITS format and dtype of a column, by kind of its values; text has the format of its longest."""

_LONGEST: Final = 999
"""Largest class value whose keyword has no more than the eight characters of FITS."""

_ROW: Final = 1000
"""Characters in a row of the table that holds the recipe."""


def write_fits(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write labels (primary), the other maps and the tables of objects and changes as extensions.

    Extensions, where the result has what is in them: CONFIDENCE, ENTROPY and INSTANCE (the number of each
    pixel's object) are images; OBJECTS, AUDIT and RECIPE are tables, with units. Keywords `CLASSv` name the
    class of value v, as in files of labels that are learned from; `CVALn CNAMEn CCOLORn` list all classes
    with their colours. Anything but ASCII is escaped as in JSON.
    """
    from astropy.io import fits

    result = in_memory(result)
    path = Path(folder) / f"{stem(result, images)}.fits"
    units = fits.HDUList()
    for name in maps_of(result):
        kind = fits.ImageHDU if units else fits.PrimaryHDU
        units.append(kind(pixel_map(result, name).values))
        units[-1].name = EXTENSIONS.get(name, name)
        units[-1].header.update(_axes(result))
    _name_classes(units[0].header, result)
    for group, (row, extension) in TABLES.items():
        if group in result.children:
            units.append(_table(table(result, group), row, extension))
    column = fits.Column(name=RECIPE, format=f"{_ROW}A", array=_rows(recipe_text(result)))
    units.append(fits.BinTableHDU.from_columns([column], name="RECIPE"))
    with appearing(path) as draft:
        units.writeto(draft, checksum=True, output_verify="exception")
    return [path]


def _table(data: xr.Dataset, row: str, extension: str) -> "BinTableHDU":
    """Columns along a dim with their units; TCOMMn says what column n is."""
    from astropy.io import fits

    columns = [data[row], *(column for column in data.data_vars.values() if column.dims == (row,))]
    unit = fits.BinTableHDU.from_columns([_column(column) for column in columns], name=extension)
    for n, column in enumerate(columns, start=1):
        unit.header[f"TCOMM{n}"] = ascii_text(str(column.attrs.get("long_name", column.name)))
    return unit


def _column(values: xr.DataArray) -> Any:
    from astropy.io import fits

    unit = fits_unit(str(values.attrs.get("units", "1")))
    if values.dtype.kind not in _FORMATS:
        text = [ascii_text(str(value)) for value in values.values.tolist()]
        width = max(1, *map(len, text), 1)
        return fits.Column(str(values.name), f"{width}A", array=np.array(text, dtype=f"S{width}"))
    code, dtype = _FORMATS[values.dtype.kind]
    return fits.Column(str(values.name), code, unit=unit, array=values.values.astype(dtype))


def fits_unit(unit: str) -> str | None:
    """Return a unit as the FITS standard spells it, None for numbers without one.

    Examples
    --------
    >>> fits_unit("px²"), fits_unit("µm"), fits_unit("1")
    ('pixel2', 'um', None)
    """
    spelled = unit.replace("px", "pixel").replace("²", "2").replace("µ", "u")
    return None if spelled == "1" else spelled.encode("ascii", "replace").decode()


def ascii_text(text: str) -> str:
    """Return a text with anything but ASCII, and control characters, escaped as in JSON."""
    return json.dumps(text)[1:-1]


def _rows(recipe: str) -> list[str]:
    """Cut a recipe into rows of ASCII without blanks, because FITS drops blanks at the end of a row."""
    compact = json.dumps(json.loads(recipe), separators=(",", ":")) if recipe else ""
    text = compact.replace(" ", "\\u0020")
    return [text[start : start + _ROW] for start in range(0, len(text), _ROW)] or [""]


def _axes(result: xr.DataTree) -> dict[str, Any]:
    """Linear world coordinates of x (axis 1) and y (axis 2), Greisen & Calabretta 2002, A&A 395, 1061."""
    cards: dict[str, Any] = {}
    for axis, dim in enumerate(reversed(PIXEL), start=1):
        edges, unit = pixel_edges(result, dim)
        step = float(edges[-1] - edges[0]) / (edges.size - 1)
        cards |= {
            f"CTYPE{axis}": "LINEAR",
            f"CRPIX{axis}": 0.5,
            f"CRVAL{axis}": float(edges[0]),
            f"CDELT{axis}": step,
            f"CUNIT{axis}": fits_unit(unit) or "",
        }
    return cards


def _name_classes(header: "Header", result: xr.DataTree) -> None:
    for n, row in enumerate(class_rows(result), start=1):
        name, prefix = ascii_text(row["name"]), "" if row["label"] <= _LONGEST else "HIERARCH "
        header[f"{prefix}CLASS{row['label']}"] = name
        header[f"CVAL{n}"] = (row["label"], "class value")
        header[f"CNAME{n}"] = name
        header[f"CCOLOR{n}"] = row["color"]
    header["HISTORY"] = "The recipe is in the table RECIPE; run it: mapstack run --recipe FILE"
