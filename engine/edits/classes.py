"""Merge, rename, recolour classes, and relabel polygons and objects. No edit renumbers classes."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.objects import Calibration, describe_objects
from engine.preprocess.crop import inside
from engine.preprocess.intensity import intensity
from engine.schema import (
    AUDIT,
    CLASSES,
    CONFIDENCE,
    ENTROPY,
    FRACTIONS,
    LABEL,
    LABELS,
    OBJECT,
    OBJECT_TABLE,
    OBJECTS,
    PIXEL,
    X,
    Y,
    label_map,
    labels_dtype,
    pixel_map,
    table,
)
from engine.statistics import describe


def names_of(result: xr.DataTree) -> dict[int, str]:
    """Class names by label."""
    classes = table(result, CLASSES)
    return {int(i): str(n) for i, n in zip(classes[LABEL].values, classes["name"].values, strict=True)}


def colors_of(result: xr.DataTree) -> dict[int, str]:
    """Class colours by label."""
    classes = table(result, CLASSES)
    return {int(i): str(c) for i, c in zip(classes[LABEL].values, classes["color"].values, strict=True)}


def rebuilt(
    result: xr.DataTree,
    images: xr.Dataset,
    labels: xr.DataArray,
    *,
    names: Mapping[int, str],
    colors: Mapping[int, str],
    confidence: xr.DataArray | None = None,
) -> xr.DataTree:
    """Return a result with other labels and its tables made anew; attrs and other maps are kept.

    Objects, where the result has them, are connected and measured again.
    """
    _check_by_pixel(result)
    margin = pixel_map(result, CONFIDENCE) if confidence is None else confidence
    described: xr.DataTree = describe(images, labels, margin, names=names, colors=colors)
    if ENTROPY in result.data_vars:
        described.dataset = described.to_dataset().assign({ENTROPY: pixel_map(result, ENTROPY)})
    if OBJECT_TABLE in result.children:
        _add_objects(described, result, images, names=names)
    described.attrs.update(result.attrs)
    return described


def _add_objects(
    described: xr.DataTree, result: xr.DataTree, images: xr.Dataset, *, names: Mapping[int, str]
) -> None:
    """Objects of the new labels, calibrated as those of the result; what rules and network said stays."""
    level = json.loads(str(result.attrs.get("background", "{}"))).get("level", 0.0)
    calibration = json.loads(str(result.attrs.get("calibration", "{}")))
    found = describe_objects(
        pixel_map(described, LABELS),
        intensity(images) - level,
        pixel_map(described, CONFIDENCE),
        names=names,
        calibration=Calibration(**calibration) if calibration else Calibration(float("nan")),
    )
    described.dataset = described.to_dataset().assign({OBJECTS: found.objects})
    votes = _votes_kept(found.table, table(result, OBJECT_TABLE))
    measured = found.table.assign(votes=found.table["votes"].copy(data=votes))
    described[OBJECT_TABLE] = xr.DataTree(measured)
    described[AUDIT] = xr.DataTree(table(result, AUDIT) if AUDIT in result.children else found.audit)


def _votes_kept(objects: xr.Dataset, before: xr.Dataset) -> np.ndarray:
    """Votes of the objects that were there before; NaN of others: the network was not asked about them."""
    if "votes" not in before:
        return np.full(objects.sizes[OBJECT], np.nan)
    votes = dict(zip(_identities(before), before["votes"].values.tolist(), strict=True))
    return np.array([votes.get(row, np.nan) for row in _identities(objects)], float)


def _identities(objects: xr.Dataset) -> list[tuple[float, ...]]:
    columns = ("class", Y, X, "area", "bbox_top", "bbox_left", "bbox_bottom", "bbox_right")
    return list(zip(*(objects[name].values.tolist() for name in columns), strict=True))


def merge(result: xr.DataTree, images: xr.Dataset, *, labels: Sequence[int]) -> xr.DataTree:
    """Make several classes one, with the lowest of their numbers and its name and colour."""
    names, colors = names_of(result), colors_of(result)
    merged = sorted({known(names, label) for label in labels})
    if len(merged) < 2:
        raise InputError(f"merge was given the classes {list(labels)}; give two or more different ones")
    numbers = np.arange(max(names) + 1, dtype=labels_dtype(max(names)))
    numbers[merged] = merged[0]
    kept = {label: name for label, name in names.items() if label not in merged[1:]}
    relabelled = map_labels(result, _looked_up, numbers=numbers, dtype=numbers.dtype)
    return rebuilt(result, images, relabelled, names=kept, colors={label: colors[label] for label in kept})


def rename(result: xr.DataTree, images: xr.Dataset, *, label: int, name: str) -> xr.DataTree:  # noqa: ARG001
    """Give a class another name."""
    names = names_of(result)
    if not name.strip():
        raise InputError(f"class {label} was given an empty name; give it a word")
    names[known(names, label)] = name.strip()
    return _with_class_column(result, "name", names)


def recolour(result: xr.DataTree, images: xr.Dataset, *, label: int, color: str) -> xr.DataTree:  # noqa: ARG001
    """Give a class another colour, as `#rrggbb`."""
    colors = colors_of(result)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise InputError(f"{color!r} is no colour; give it as #rrggbb")
    colors[known(colors, label)] = color
    return _with_class_column(result, "color", colors)


def relabel(
    result: xr.DataTree, images: xr.Dataset, *, polygon: Sequence[Sequence[float]], label: int
) -> xr.DataTree:
    """Give every labelled pixel inside a polygon another class.

    Parameters
    ----------
    polygon
        Corners `[x, y]` in the units of the coordinates.
    label
        An existing class, or 0 for none.
    """
    names = names_of(result)
    if label != 0:
        known(names, label)
    area = inside(images, polygon)
    relabelled = map_labels(result, _painted, area, label=label, dtype=pixel_map(result, LABELS).dtype)
    return rebuilt(result, images, relabelled, names=names, colors=colors_of(result))


def map_labels(
    result: xr.DataTree, kernel: Any, *others: xr.DataArray, dtype: Any, **arguments: Any
) -> xr.DataArray:
    """Apply `kernel(labels, *others, **arguments)` tile by tile to the result's label map; lazy."""
    _check_by_pixel(result)
    labels = pixel_map(result, LABELS)
    arrays = [blocks.tiled(array) for array in (labels, *others)]
    data = blocks.map_tiles(kernel, *arrays, dtype=dtype, **arguments)
    return xr.DataArray(data, dims=PIXEL, coords=labels.coords, attrs=labels.attrs, name=LABELS)


def _check_by_pixel(result: xr.DataTree) -> None:
    if FRACTIONS in result.children:
        raise InputError(
            "particles have their class as a whole; give particles another class (relabel_objects) instead"
        )


def _looked_up(labels: np.ndarray, *, numbers: np.ndarray) -> np.ndarray:
    return np.asarray(numbers[labels])


def _painted(labels: np.ndarray, area: np.ndarray, *, label: int) -> np.ndarray:
    return np.where(area & (labels > 0), labels.dtype.type(label), labels)


def known(classes: Mapping[int, Any], label: int) -> int:
    """The label, if it is one of the classes.

    Raises
    ------
    InputError
        If there is no such class.
    """
    if label not in classes:
        raise InputError(f"there is no class {label}; the classes are {', '.join(map(str, classes))}")
    return label


def _with_class_column(result: xr.DataTree, column: str, values: Mapping[int, str]) -> xr.DataTree:
    edited = result.copy()
    classes = table(edited, CLASSES)
    ordered = np.array([values[int(label)] for label in classes[LABEL].values])
    edited[CLASSES] = xr.DataTree(classes.assign({column: (LABEL, ordered, classes[column].attrs)}))
    if column == "name" and LABELS in edited.data_vars:
        edited.dataset = edited.to_dataset().assign({LABELS: label_map(pixel_map(edited, LABELS), values)})
        if FRACTIONS in edited.children:
            particles = table(edited, OBJECT_TABLE).load()
            called = zip(particles["class"].values.tolist(), particles["name"].values.tolist(), strict=True)
            names = np.array([values.get(label, name) for label, name in called], dtype=str)
            renamed = {"name": (OBJECT, names, particles["name"].attrs)}
            edited[OBJECT_TABLE] = xr.DataTree(particles.assign(renamed))
    return edited


def numbered(result: xr.DataTree, objects: Sequence[int], *, what: str = "object") -> np.ndarray:
    """The numbers of objects, each once, if all are in the table.

    Raises
    ------
    InputError
        If one is not; `what` is what it was said to be.
    """
    there = table(result, OBJECT_TABLE)[OBJECT].values
    missing = sorted(set(objects) - set(there.tolist()))
    if missing:
        told = ", ".join(map(str, missing[:5]))
        raise InputError(f"there is no {what} {told}; the result has {there.size}, give numbers of its table")
    return np.unique(np.asarray(objects, np.int64))
