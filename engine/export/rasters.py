"""Label and confidence maps as TIFF and FITS, with names, pixel size and the recipe."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.export.atomic import appearing
from engine.export.collections import per_micrograph
from engine.export.fits_tables import ascii_text, fits_unit, table_unit
from engine.export.provenance import RECIPE, recipe_text, stem
from engine.export.streaming import in_memory
from engine.schema import (
    AUDIT,
    CLASSES,
    LABEL,
    LABELS,
    OBJECT_TABLE,
    PIXEL,
    X,
    Y,
    pixel_map,
    table,
)
from engine.schema import columns as c
from engine.schema.kinds import has, maps_of

_CENTIMETRES: Final = {"nm": 1e-7, "µm": 1e-4, "um": 1e-4, "mm": 0.1, "m": 100.0}
"""Units of length that a TIFF resolution can be given in."""

_KEYWORDS: Final = 1000
"""Values that fit into a keyword of eight characters after CLASS."""
_ROW: Final = 1000
"""Characters in a row of the FITS table that holds the recipe."""


def pixel_edges(result: xr.DataTree, dim: str) -> tuple[np.ndarray, str]:
    """Return the coordinates of the borders of the pixels along a dim, and their units.

    Parameters
    ----------
    result
        A result with a map of labels.
    dim
        `y` or `x`.
    """
    return map_edges(pixel_map(result, LABELS), dim)


def map_edges(labels: xr.DataArray, dim: str) -> tuple[np.ndarray, str]:
    """Return the coordinates of the borders of the pixels of a map along a dim, and their units.

    Parameters
    ----------
    labels : DataArray (y, x)
        Any map.
    dim
        `y` or `x`.

    Returns
    -------
    tuple of ndarray (n + 1,) and str
        From the border before the first pixel to that after the last one.
    """
    if dim not in labels.coords:
        return np.arange(labels.sizes[dim] + 1) - 0.5, "px"
    centres = labels.coords[dim].values.astype(float)
    between = (centres[1:] + centres[:-1]) / 2
    step = np.diff(centres) if centres.size > 1 else np.ones(1)
    edges = np.concatenate([[centres[0] - step[0] / 2], between, [centres[-1] + step[-1] / 2]])
    return edges, str(labels.coords[dim].attrs.get("units", "px"))


def pixel_step(result: xr.DataTree, dim: str) -> tuple[float, str]:
    """Return the signed distance between neighbouring pixels along a dim, and its units.

    Parameters
    ----------
    result
        A result with a map of labels.
    dim
        `y` or `x`.
    """
    return map_step(pixel_map(result, LABELS), dim)


def map_step(labels: xr.DataArray, dim: str) -> tuple[float, str]:
    """Return the signed distance between neighbouring pixels of a map along a dim, and its units.

    Parameters
    ----------
    labels : DataArray (y, x)
        Any map.
    dim
        `y` or `x`.
    """
    edges, unit = map_edges(labels, dim)
    return float(edges[-1] - edges[0]) / (edges.size - 1), unit


@per_micrograph
def write_tiff(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write labels, confidence, entropy and objects as one TIFF each.

    The description tag holds recipe and classes as JSON, the resolution tags the size of a pixel.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    import tifffile

    result = in_memory(result)
    start = Path(folder) / stem(result, images)
    description = {RECIPE: json.loads(recipe_text(result) or "null"), "classes": _classes(result)}
    paths = []
    for name in maps_of(result):
        path = start.with_name(f"{start.name}_{name}.tif")
        with appearing(path) as draft:
            tifffile.imwrite(
                draft,
                pixel_map(result, name).values,
                photometric="minisblack",
                compression="zlib",
                description=json.dumps({"map": name, **description}),
                metadata=None,
                software="Mapstack",
                **pixel_resolution(pixel_map(result, LABELS)),
            )
        paths.append(path)
    return paths


@per_micrograph
def write_fits(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write labels (primary), confidence, entropy and objects as FITS images; object table, audit and recipe.

    Keyword `CLASSn` names the class of value n; `CVALn CNAMEn CCOLORn` are value, name and colour of the n-th
    class. Anything but ASCII is escaped as in JSON.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    from astropy.io import fits

    result = in_memory(result)
    path = Path(folder) / f"{stem(result, images)}.fits"
    units = fits.HDUList()
    for name in maps_of(result):
        kind = fits.ImageHDU if units else fits.PrimaryHDU
        units.append(kind(pixel_map(result, name).values))
        units[-1].name = name
        units[-1].header.update(image_axes(pixel_map(result, LABELS)))
    _name_classes(units[0].header, result)
    tables = [name for name in (OBJECT_TABLE, AUDIT) if has(result, name)]
    units += [table_unit(table(result, name), name) for name in tables]
    units.append(recipe_unit(result))
    with appearing(path) as draft:
        units.writeto(draft, checksum=True, output_verify="exception")
    return [path]


def recipe_unit(result: xr.DataTree) -> Any:
    """Return the FITS table that holds a result's recipe."""
    from astropy.io import fits

    column = fits.Column(name=RECIPE, format=f"{_ROW}A", array=_rows(recipe_text(result)))
    return fits.BinTableHDU.from_columns([column], name="RECIPE")


def _rows(recipe: str) -> list[str]:
    """Cut a recipe into rows of ASCII without blanks, because FITS drops blanks at the end of a row."""
    compact = json.dumps(json.loads(recipe), separators=(",", ":")) if recipe else ""
    text = compact.replace(" ", "\\u0020")
    return [text[start : start + _ROW] for start in range(0, len(text), _ROW)] or [""]


def _classes(result: xr.DataTree) -> list[dict[str, Any]]:
    classes = table(result, CLASSES)
    rows = zip(*(classes[name].values.tolist() for name in (LABEL, c.NAME, c.COLOR)), strict=True)
    return [{"label": label, "name": name, "color": color} for label, name, color in rows]


def pixel_resolution(labels: xr.DataArray) -> dict[str, Any]:
    """Return a TIFF's tags of the pixels per centimetre of a map, none where its pixels have no size."""
    steps = [map_step(labels, dim) for dim in (X, Y)]
    if any(unit not in _CENTIMETRES for _, unit in steps):
        return {}
    per_cm = tuple(1 / (abs(step) * _CENTIMETRES[unit]) for step, unit in steps)
    return {"resolution": per_cm, "resolutionunit": "CENTIMETER"}


def image_axes(labels: xr.DataArray) -> dict[str, Any]:
    """Return cards of linear coordinates of a map, x as axis 1 (Greisen & Calabretta 2002, A&A 395, 1061)."""
    cards: dict[str, Any] = {}
    for axis, dim in enumerate(reversed(PIXEL), start=1):
        edges, unit = map_edges(labels, dim)
        step = float(edges[-1] - edges[0]) / (edges.size - 1)
        cards |= {
            f"CTYPE{axis}": "LINEAR",
            f"CRPIX{axis}": 0.5,
            f"CRVAL{axis}": float(edges[0]),
            f"CDELT{axis}": step,
            f"CUNIT{axis}": fits_unit(unit),
        }
    return cards


def _name_classes(header: Any, result: xr.DataTree) -> None:
    for n, row in enumerate(_classes(result), start=1):
        header[f"CVAL{n}"] = (row["label"], "class value")
        header[f"CNAME{n}"] = ascii_text(row[c.NAME])
        header[f"CCOLOR{n}"] = row[c.COLOR]
        if row["label"] < _KEYWORDS:
            header[f"CLASS{row['label']}"] = ascii_text(row[c.NAME])
    header["HISTORY"] = "The recipe is in the table RECIPE; run it: mapstack run --recipe FILE"
