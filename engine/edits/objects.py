"""Give whole objects another class: connected pixels, or the particles of a population."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from engine.edits.classes import colors_of, known, map_labels, names_of, numbered, rebuilt
from engine.edits.particles import relabel_particles
from engine.schema import FRACTIONS, LABELS, OBJECTS, pixel_map


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
    chosen = numbered(result, objects)
    relabelled = map_labels(
        result,
        _recast,
        pixel_map(result, OBJECTS),
        objects=chosen,
        label=known(names, label),
        dtype=pixel_map(result, LABELS).dtype,
    )
    return rebuilt(result, images, relabelled, names=names, colors=colors_of(result))


def _recast(labels: np.ndarray, numbers: np.ndarray, *, objects: np.ndarray, label: int) -> np.ndarray:
    return np.where(np.isin(numbers, objects), labels.dtype.type(label), labels)
