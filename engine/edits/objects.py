"""Give whole objects another class: connected pixels, or the particles of a population."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from engine.edits.classes import colors_of, known, map_labels, names_of, rebuilt
from engine.edits.particles import relabel_particles
from engine.errors import InputError
from engine.schema import FRACTIONS, LABELS, OBJECT, OBJECT_TABLE, OBJECTS, pixel_map, table


def relabel_objects(
    result: xr.DataTree, images: xr.Dataset, *, objects: Sequence[int], label: int
) -> xr.DataTree:
    """Give whole objects another class.

    Parameters
    ----------
    objects
        Numbers in the object table.
    label
        An existing class; of particles also 0: it is none.
    """
    if FRACTIONS in result.children:
        return relabel_particles(result, images, objects=objects, label=label)
    names = names_of(result)
    chosen = _numbered(result, objects)
    relabelled = map_labels(
        result,
        _recast,
        pixel_map(result, OBJECTS),
        objects=chosen,
        label=known(names, label),
        dtype=pixel_map(result, LABELS).dtype,
    )
    return rebuilt(result, images, relabelled, names=names, colors=colors_of(result))


def _numbered(result: xr.DataTree, objects: Sequence[int]) -> np.ndarray:
    """The numbers of objects, each once, if all are in the table."""
    there = table(result, OBJECT_TABLE)[OBJECT].values
    missing = sorted(set(objects) - set(there.tolist()))
    if missing:
        told = ", ".join(map(str, missing[:5]))
        raise InputError(f"there is no object {told}; the result has {there.size}, give numbers of its table")
    return np.unique(np.asarray(objects, np.int64))


def _recast(labels: np.ndarray, numbers: np.ndarray, *, objects: np.ndarray, label: int) -> np.ndarray:
    return np.where(np.isin(numbers, objects), labels.dtype.type(label), labels)
