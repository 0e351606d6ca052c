"""Outlines of classes as GeoJSON, and outlines or objects as DS9 regions."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.export.atomic import appearing
from engine.export.images import pixel_edges, pixel_step
from engine.export.outlines import Outline, trace
from engine.export.provenance import LINE, RECIPE, one_line, recipe_text, stem
from engine.export.streaming import in_memory
from engine.schema import CLASSES, LABEL, LABELS, OBJECT, OBJECT_TABLE, X, Y, pixel_map, table

_SQUARE: Final = 16 / 12
"""What pixels add to the square of an ellipse's axis: 16 times the second moment of a unit square."""


def write_geojson(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write one MultiPolygon a class, in the units of the coordinates (RFC 7946 but for the coordinates).

    A polygon runs along the edges of its pixels, so that its area is exactly that of the pixels. Exterior
    rings are counter-clockwise, holes clockwise. The recipe is the member `recipe`.
    """
    result = in_memory(result)
    edges = {dim: pixel_edges(result, dim) for dim in (X, Y)}
    document = {
        "type": "FeatureCollection",
        RECIPE: json.loads(recipe_text(result) or "null"),
        "units": edges[X][1],
        "features": [
            {
                "type": "Feature",
                "properties": row,
                "geometry": {
                    "type": "MultiPolygon",
                    "coordinates": _polygons(outlines, edges[X][0], edges[Y][0]),
                },
            }
            for row, outlines in _classes(result)
        ],
    }
    path = Path(folder) / f"{stem(result, images)}.geojson"
    with appearing(path) as draft:
        draft.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return [path]


def write_ds9(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write DS9 regions in image coordinates (first pixel's centre at 1, 1), coloured by class.

    A result with a table of objects: one ellipse an object, with its number as text, tagged with its class
    and, of tracks, its kind. Another: polygons round the classes; holes are excluded regions.
    """
    regions = _ellipses(result) if OBJECT_TABLE in result.children else _ds9_polygons(in_memory(result))
    path = Path(folder) / f"{stem(result, images)}.reg"
    with appearing(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# Region file format: DS9 version 4.1\n")
        file.write(f"{LINE}{recipe_text(result)}\nimage\n")
        file.writelines(regions)
    return [path]


def _ds9_polygons(result: xr.DataTree) -> Iterator[str]:
    for row, outlines in _classes(result):
        look = f"color={row['color']} text={_braced(row['name'])} tag={_braced(f'class {row["label"]}')}\n"
        for outline in outlines:
            yield f"{_ds9_polygon(outline.outer)} # {look}"
            yield from (f"-{_ds9_polygon(hole)} # {look}" for hole in outline.holes)


def _ellipses(result: xr.DataTree) -> Iterator[str]:
    """The ellipse that has the second moments of each object, of which pixels are squares, not points."""
    objects = table(result, OBJECT_TABLE)
    y, x = (_pixels(result, dim, objects[dim].values) + 1 for dim in PIXEL)
    long, short = (np.sqrt(objects[axis].values ** 2 + _SQUARE) / 2 for axis in ("length", "width"))
    angle = 90 - np.degrees(objects["orientation"].values)
    looks = {row[LABEL]: f"color={row['color']} tag={_braced(row['name'])}" for row in class_rows(result)}
    kinds = objects["kind"].values.tolist() if "kind" in objects else [""] * angle.size
    numbers, labels = objects[OBJECT].values.tolist(), objects["class"].values.tolist()
    shapes = np.stack([x, y, long, short, angle], axis=1).tolist()
    for number, label, kind, shape in zip(numbers, labels, kinds, shapes, strict=True):
        drawn = ",".join(f"{value:.2f}" for value in shape)
        tag = f" tag={_braced(kind)}" if kind else ""
        yield f"ellipse({drawn}) # text={{{number}}} {looks.get(label, '')}{tag}\n"


def _pixels(result: xr.DataTree, dim: str, places: np.ndarray) -> np.ndarray:
    """Places given in the values of a coordinate, in pixels from the centre of the first."""
    edges, _ = pixel_edges(result, dim)
    order = np.argsort(edges)
    return np.asarray(np.interp(places, edges[order], order - 0.5))


def _braced(text: str) -> str:
    """A text as DS9 takes it: on one line, between the only braces."""
    return "{" + one_line(text).translate(str.maketrans("{}", "()")) + "}"


def _classes(result: xr.DataTree) -> Iterator[tuple[dict[str, Any], list[Outline]]]:
    """Properties and outlines of every class that has pixels."""
    labels = pixel_map(result, LABELS).values
    classes = table(result, CLASSES)
    columns = [name for name in (LABEL, "name", "color", "area") if name in classes.variables]
    for values in zip(*(classes[name].values.tolist() for name in columns), strict=True):
        row = dict(zip(columns, values, strict=True))
        yield row, trace(labels == row[LABEL])


def _polygons(outlines: list[Outline], x: np.ndarray, y: np.ndarray) -> list[list[list[list[float]]]]:
    """Polygons as GeoJSON wants them: rings closed, in coordinates, the outer one counter-clockwise."""
    if not outlines:
        return []
    rings = [ring for outline in outlines for ring in (outline.outer, *outline.holes)]
    vertices = np.concatenate(rings)
    points = np.column_stack([x[vertices[:, 1]], y[vertices[:, 0]]]).tolist()
    # Outer rings are clockwise in the picture: counter-clockwise in (x, y) where y grows downwards.
    turn = 1 if (x[-1] - x[0]) * (y[-1] - y[0]) > 0 else -1
    stops = np.cumsum([len(ring) for ring in rings]).tolist()
    closed = iter(_closed(points[a:b], turn) for a, b in pairwise([0, *stops]))
    return [[next(closed) for _ in range(1 + len(outline.holes))] for outline in outlines]


def _closed(ring: list[list[float]], turn: int) -> list[list[float]]:
    ring = ring[::turn]
    return [*ring, ring[0]]


def _ds9_polygon(vertices: np.ndarray) -> str:
    # half a pixel before the centre of pixel (0, 0), which is (1, 1)
    return f"polygon({','.join(map(str, (vertices[:, ::-1] + 0.5).ravel().tolist()))})"
