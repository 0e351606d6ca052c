"""Edits of class maps: merge, rename, relabel polygons and objects, clean. No edit renumbers classes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine import blocks
from engine.cluster.specks import remove_specks
from engine.edits import class_names
from engine.errors import InputError
from engine.objects import Calibration, describe_objects
from engine.preprocess.crop import inside
from engine.preprocess.intensity import intensity
from engine.schema import (
    AUDIT,
    CONFIDENCE,
    ENTROPY,
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
from engine.schema import columns as c
from engine.schema.accessors import check_class, check_objects, colors_of, names_of
from engine.schema.kinds import has
from engine.statistics import describe


def rebuild(
    result: xr.DataTree,
    images: xr.Dataset,
    labels: xr.DataArray,
    *,
    names: Mapping[int, str],
    colors: Mapping[int, str],
    confidence: xr.DataArray | None = None,
) -> xr.DataTree:
    """Return a result with other labels and its tables made again; attrs and other maps are kept.

    Objects, where the result has them, are connected and measured again.

    Parameters
    ----------
    result
        A class map.
    images : Dataset, dims ([spectral,] y, x)
        The images that it was made from.
    labels : DataArray, dims (y, x), unsigned
        The new labels.
    names, colors
        Of the classes, by label.
    confidence : DataArray, dims (y, x), optional
        The new confidence; the result's if not given.
    """
    margin = pixel_map(result, CONFIDENCE) if confidence is None else confidence
    described: xr.DataTree = describe(images, labels, margin, names=names, colors=colors)
    if has(result, ENTROPY):
        described.dataset = described.to_dataset().assign({ENTROPY: pixel_map(result, ENTROPY)})
    if has(result, OBJECT_TABLE):
        _add_objects(described, result, images, names=names)
    described.attrs.update(result.attrs)
    return described


def _add_objects(
    described: xr.DataTree, result: xr.DataTree, images: xr.Dataset, *, names: Mapping[int, str]
) -> None:
    """Add the objects of the new labels, calibrated as those of the result; votes and audit stay."""
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
    votes = _keep_votes(found.table, table(result, OBJECT_TABLE))
    measured = found.table.assign(votes=found.table[c.VOTES].copy(data=votes))
    described[OBJECT_TABLE] = xr.DataTree(measured)
    described[AUDIT] = xr.DataTree(table(result, AUDIT) if has(result, AUDIT) else found.audit)


def _keep_votes(objects: xr.Dataset, before: xr.Dataset) -> np.ndarray:
    """Return the votes of the objects that were there before; NaN of new ones, which had none."""
    if c.VOTES not in before:
        return np.full(objects.sizes[OBJECT], np.nan)
    votes = dict(zip(_object_keys(before), before[c.VOTES].values.tolist(), strict=True))
    return np.array([votes.get(row, np.nan) for row in _object_keys(objects)], float)


def _object_keys(objects: xr.Dataset) -> list[tuple[float, ...]]:
    columns = (c.CLASS, Y, X, c.AREA, c.TOP, c.LEFT, c.BOTTOM, c.RIGHT)
    return list(zip(*(objects[name].values.tolist() for name in columns), strict=True))


def merge(result: xr.DataTree, images: xr.Dataset, *, labels: Sequence[int]) -> xr.DataTree:
    """Make several classes one, with the lowest of their numbers and its name and colour.

    Parameters
    ----------
    result
        A class map.
    images : Dataset, dims ([spectral,] y, x)
        The images that the result was made from.
    labels
        The classes to merge.

    Raises
    ------
    InputError
        If these are fewer than two classes, or one does not exist.
    """
    names, colors = names_of(result), colors_of(result)
    merged = sorted({check_class(names, label) for label in labels})
    if len(merged) < 2:
        raise InputError(f"merge was given the classes {list(labels)}; give two or more different ones")
    numbers = np.arange(max(names) + 1, dtype=labels_dtype(max(names)))
    numbers[merged] = merged[0]
    kept = {label: name for label, name in names.items() if label not in merged[1:]}
    relabelled = map_labels(result, _look_up, numbers=numbers, dtype=numbers.dtype)
    return rebuild(result, images, relabelled, names=kept, colors={label: colors[label] for label in kept})


def rename(result: xr.DataTree, images: xr.Dataset, *, label: int, name: str) -> xr.DataTree:
    """Give a class another name, in the table of classes and in the map's attributes.

    Parameters
    ----------
    result
        A class map.
    images
        Not needed; every edit gets them.
    label
        The class.
    name
        Its new name.

    Raises
    ------
    InputError
        If there is no such class, or the name is empty.
    """
    edited = class_names.rename(result, images, label=label, name=name)
    labels = label_map(pixel_map(result, LABELS), names_of(edited))
    edited.dataset = edited.to_dataset().assign({LABELS: labels})
    return edited


def relabel(
    result: xr.DataTree, images: xr.Dataset, *, polygon: Sequence[Sequence[float]], label: int
) -> xr.DataTree:
    """Give every labelled pixel inside a polygon another class.

    Parameters
    ----------
    result
        A class map.
    images : Dataset, dims ([spectral,] y, x)
        The images that the result was made from.
    polygon
        Corners `[x, y]` in the units of the coordinates.
    label
        An existing class, or 0 for none.
    """
    names = names_of(result)
    if label != 0:
        check_class(names, label)
    area = inside(images, polygon)
    relabelled = map_labels(result, _paint_polygon, area, label=label, dtype=pixel_map(result, LABELS).dtype)
    return rebuild(result, images, relabelled, names=names, colors=colors_of(result))


def map_labels(
    result: xr.DataTree, kernel: Any, *others: xr.DataArray, dtype: Any, **arguments: Any
) -> xr.DataArray:
    """Return the label map with a function applied to it, tile by tile; lazy.

    Parameters
    ----------
    result
        A class map.
    kernel
        `kernel(labels, *others, **arguments) -> labels`, of arrays `(y, x)`.
    others : DataArray, dims (y, x)
        Further maps that the function gets.
    dtype
        Of the new labels.
    arguments
        Further arguments of the function.
    """
    labels = pixel_map(result, LABELS)
    arrays = [blocks.as_tiles(array) for array in (labels, *others)]
    data = blocks.map_tiles(kernel, *arrays, dtype=dtype, **arguments)
    return xr.DataArray(data, dims=PIXEL, coords=labels.coords, attrs=labels.attrs, name=LABELS)


def relabel_objects(
    result: xr.DataTree, images: xr.Dataset, *, objects: Sequence[int], label: int
) -> xr.DataTree:
    """Give whole objects another class.

    Parameters
    ----------
    result
        A class map with objects.
    images : Dataset, dims ([spectral,] y, x)
        The images that the result was made from.
    objects
        Numbers in the object table.
    label
        An existing class.

    Raises
    ------
    InputError
        If there is no such class or object.
    """
    names = names_of(result)
    chosen = check_objects(result, objects)
    relabelled = map_labels(
        result,
        _paint_objects,
        pixel_map(result, OBJECTS),
        objects=chosen,
        label=check_class(names, label),
        dtype=pixel_map(result, LABELS).dtype,
    )
    return rebuild(result, images, relabelled, names=names, colors=colors_of(result))


def clean(result: xr.DataTree, images: xr.Dataset, *, min_area: int) -> xr.DataTree:
    """Give small connected areas the class of most of their neighbours.

    Parameters
    ----------
    result
        A class map.
    images : Dataset, dims ([spectral,] y, x)
        The images that the result was made from.
    min_area
        Areas of fewer pixels are changed.

    Raises
    ------
    InputError
        If `min_area` is less than 1.
    """
    if min_area < 1:
        raise InputError(f"min_area is {min_area}; give a number of pixels, 1 or more")
    labels = pixel_map(result, LABELS)
    tiles = blocks.as_tiles(labels)
    # One task for the whole map: an area may reach over any number of tiles.
    data = blocks.map_tiles(remove_specks, tiles.rechunk(-1), dtype=labels.dtype, min_area=min_area)
    cleaned = labels.copy(data=data.rechunk(tiles.chunks))
    return rebuild(result, images, cleaned, names=names_of(result), colors=colors_of(result))


def _look_up(labels: np.ndarray, *, numbers: np.ndarray) -> np.ndarray:
    return np.asarray(numbers[labels])


def _paint_polygon(labels: np.ndarray, area: np.ndarray, *, label: int) -> np.ndarray:
    return np.where(area & (labels > 0), labels.dtype.type(label), labels)


def _paint_objects(labels: np.ndarray, numbers: np.ndarray, *, objects: np.ndarray, label: int) -> np.ndarray:
    return np.where(np.isin(numbers, objects), labels.dtype.type(label), labels)
