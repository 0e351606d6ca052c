"""Maps of a result as TIFF, with names of classes, pixel size and the recipe."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.export.atomic import appearing
from engine.export.fits_tables import fits_unit, table_unit
from engine.export.provenance import RECIPE, recipe_text, stem
from engine.export.streaming import in_memory
from engine.schema import (
    AUDIT,
    CLASSES,
    CONFIDENCE,
    ENTROPY,
    LABEL,
    LABELS,
    OBJECT_TABLE,
    OBJECTS,
    PIXEL,
    X,
    Y,
    pixel_map,
    table,
)

_CENTIMETRES: Final = {"nm": 1e-7, "µm": 1e-4, "um": 1e-4, "mm": 0.1, "m": 100.0}
"""Units of length that a TIFF resolution can be given in."""

_KEYWORDS: Final = 1000
"""Values that fit into a keyword of eight characters after CLASS."""

def pixel_edges(result: xr.DataTree, dim: str) -> tuple[np.ndarray, str]:
    """Coordinates of the borders between the pixels along a dim, first and last included, and their units."""
    labels = pixel_map(result, LABELS)
    if dim not in labels.coords:
        return np.arange(labels.sizes[dim] + 1) - 0.5, "px"
    centres = labels.coords[dim].values.astype(float)
    between = (centres[1:] + centres[:-1]) / 2
    step = np.diff(centres) if centres.size > 1 else np.ones(1)
    edges = np.concatenate([[centres[0] - step[0] / 2], between, [centres[-1] + step[-1] / 2]])
    return edges, str(labels.coords[dim].attrs.get("units", "px"))


def pixel_step(result: xr.DataTree, dim: str) -> tuple[float, str]:
    """Signed distance between neighbouring pixels along a dim, and its units."""
    edges, unit = pixel_edges(result, dim)
    return float(edges[-1] - edges[0]) / (edges.size - 1), unit


def write_tiff(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write labels, confidence, entropy and objects as one TIFF each.

    The description tag holds recipe and classes as JSON, the resolution tags the size of a pixel.
    """
    import tifffile

    result = in_memory(result)
    start = Path(folder) / stem(result, images)
    description = {RECIPE: json.loads(recipe_text(result) or "null"), "classes": class_rows(result)}
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
                **_resolution(result),
            )
        paths.append(path)
    return paths


def _maps(result: xr.DataTree) -> list[str]:
    return [name for name in (LABELS, CONFIDENCE, ENTROPY, OBJECTS) if name in result.data_vars]


def class_rows(result: xr.DataTree) -> list[dict[str, Any]]:
    """Label, name and colour of every class."""
    classes = table(result, CLASSES)
    rows = zip(*(classes[name].values.tolist() for name in (LABEL, "name", "color")), strict=True)
    return [{"label": label, "name": name, "color": color} for label, name, color in rows]


def _resolution(result: xr.DataTree) -> dict[str, Any]:
    """Pixels per centimetre, where the pixels have a size."""
    steps = [pixel_step(result, dim) for dim in (X, Y)]
    if any(unit not in _CENTIMETRES for _, unit in steps):
        return {}
    per_cm = tuple(1 / (abs(step) * _CENTIMETRES[unit]) for step, unit in steps)
    return {"resolution": per_cm, "resolutionunit": "CENTIMETER"}
