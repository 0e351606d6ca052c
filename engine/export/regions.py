"""Outlines of classes as GeoJSON, and outlines or objects as DS9 regions."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.export.atomic import appearing
from engine.export.collections import per_micrograph
from engine.export.outlines import Outline, trace, trace_objects
from engine.export.provenance import LINE, RECIPE, one_line, recipe_text, stem
from engine.export.rasters import pixel_edges, pixel_step
from engine.export.streaming import in_memory
from engine.export.tables import objects_frame
from engine.schema import (
    CLASSES,
    LABEL,
    LABELS,
    OBJECT,
    OBJECT_TABLE,
    OBJECTS,
    X,
    Y,
    pixel_map,
    table,
)
from engine.schema import columns as c
from engine.schema.kinds import POPULATION, has, is_kind

_SQUARE: Final = 16 / 12
"""Square of the axis of a pixel's ellipse: four times the root of the second moment of a unit square."""


@per_micrograph
def write_geojson(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write one MultiPolygon a class, in the units of the coordinates (RFC 7946 but for the coordinates).

    Of a population of particles, one a particle, its row of the table as properties.

    A polygon runs along the edges of its pixels, so that its area is exactly that of the pixels. Exterior
    rings are counter-clockwise, holes clockwise. The recipe is the member `recipe`.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
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
            for row, outlines in (_particles(result) if is_kind(result, POPULATION) else _classes(result))
        ],
    }
    path = Path(folder) / f"{stem(result, images)}.geojson"
    with appearing(path) as draft:
        draft.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return [path]


@per_micrograph
def write_ds9(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write DS9 regions in image coordinates (first pixel's centre at 1, 1).

    Of a result with objects, an ellipse an object, its text the number and its tag the name of the class.
    Else the outlines of the classes as polygons; holes are excluded regions.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    path = Path(folder) / f"{stem(result, images)}.reg"
    lines = _ellipses(result) if has(result, OBJECT_TABLE) else _outlines(in_memory(result))
    with appearing(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# Region file format: DS9 version 4.1\n")
        file.write(f"{LINE}{recipe_text(result)}\nimage\n")
        file.writelines(f"{line}\n" for line in lines)
    return [path]


def _outlines(result: xr.DataTree) -> Iterator[str]:
    """Polygons of all classes."""
    for row, outlines in _classes(result):
        look = f" # color={row[c.COLOR]} text={{{_ds9_text(row[c.NAME])}}} tag={{class {row['label']}}}"
        for outline in outlines:
            yield _ds9_polygon(outline.outer) + look
            yield from ("-" + _ds9_polygon(hole) + look for hole in outline.holes)


def _ellipses(result: xr.DataTree) -> Iterator[str]:
    """Yield the ellipse of the same second moments as each object, whose pixels are squares."""
    objects, classes = table(result, OBJECT_TABLE), table(result, CLASSES)
    looks = zip(*(classes[name].values.tolist() for name in (LABEL, c.NAME, c.COLOR)), strict=True)
    by_class = {label: f"color={color} tag={{{_ds9_text(name)}}}" for label, name, color in looks}
    x, y = (_ds9_positions(result, objects[dim].values, dim) for dim in (X, Y))
    radii = (np.sqrt(objects[name].values ** 2 + _SQUARE) / 2 for name in (c.LENGTH, c.WIDTH))
    # ours from the y axis towards x, theirs from the x axis towards y
    angle = 90 - np.rad2deg(objects[c.ORIENTATION].values)
    rows = np.column_stack([x, y, *radii, angle]).tolist()
    for number, label, row in zip(objects[OBJECT].values, objects[c.CLASS].values, rows, strict=True):
        shape = ",".join(f"{value:.3f}" for value in row)
        yield f"ellipse({shape}) # {by_class.get(int(label), '')} text={{{number}}}"


def _ds9_positions(result: xr.DataTree, places: np.ndarray, dim: str) -> np.ndarray:
    """Return the positions along a dim in pixels, the first of which has its centre at 1."""
    edges, _ = pixel_edges(result, dim)
    step, _ = pixel_step(result, dim)
    return np.asarray((places - edges[0]) / step + 0.5)


def _ds9_text(name: str) -> str:
    return one_line(name).translate(str.maketrans("{}", "()"))


def _classes(result: xr.DataTree) -> Iterator[tuple[dict[str, Any], list[Outline]]]:
    """Properties and outlines of every class that has pixels."""
    labels = pixel_map(result, LABELS).values
    classes = table(result, CLASSES)
    columns = [name for name in (LABEL, c.NAME, c.COLOR, c.AREA) if name in classes.variables]
    for values in zip(*(classes[name].values.tolist() for name in columns), strict=True):
        row = dict(zip(columns, values, strict=True))
        yield row, trace(labels == row[LABEL])


def _particles(result: xr.DataTree) -> Iterator[tuple[dict[str, Any], list[Outline]]]:
    """Properties and outlines of every particle."""
    particles = table(result, OBJECT_TABLE)
    outlines = dict(trace_objects(pixel_map(result, OBJECTS).values))
    columns = {str(name): column.values.tolist() for name, column in particles.data_vars.items()}
    columns[c.NAME] = objects_frame(result)[c.NAME].tolist()
    for n, number in enumerate(particles[OBJECT].values.tolist()):
        values = {name: column[n] for name, column in columns.items()}
        known = {name: value for name, value in values.items() if value == value}  # NaN is no JSON
        yield {OBJECT: number, **known}, outlines[number]


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
    closed = iter(_close_ring(points[a:b], turn) for a, b in pairwise([0, *stops]))
    return [[next(closed) for _ in range(1 + len(outline.holes))] for outline in outlines]


def _close_ring(ring: list[list[float]], turn: int) -> list[list[float]]:
    ring = ring[::turn]
    return [*ring, ring[0]]


def _ds9_polygon(vertices: np.ndarray) -> str:
    # half a pixel before the centre of pixel (0, 0), which is (1, 1)
    return f"polygon({','.join(map(str, (vertices[:, ::-1] + 0.5).ravel().tolist()))})"
