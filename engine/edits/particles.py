"""Edits of a population of particles: whole particles get another class, by a person or by learning from one.

The tables and the map of labels are functions of the class of each particle; nothing is found anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine import blocks
from engine.analysis import model_from_dict
from engine.edits.classes import colors_of, names_of, numbered
from engine.errors import InputError
from engine.learning.correction import Lesson
from engine.nanoparticles.classify import consistent
from engine.nanoparticles.population import (
    EMPTY,
    JUDGED,
    class_table,
    counted,
    counts_of,
    fraction_table,
    judged,
)
from engine.nanoparticles.regions import MASS
from engine.recipe import Recipe
from engine.schema import (
    CLASSES,
    FEATURES,
    FRACTIONS,
    IMAGE,
    IMAGE_TABLE,
    LABELS,
    OBJECT,
    OBJECT_TABLE,
    OBJECTS,
    RETRAINED,
    SPECTRA,
    pixel_map,
    table,
)
from engine.statistics.spectra import class_spectra


def relabel_particles(
    result: xr.DataTree, images: xr.Dataset, *, objects: Sequence[int], label: int
) -> xr.DataTree:
    """Give particles another class, or confirm that which they have; 0: it is no particle.

    Parameters
    ----------
    objects
        Numbers in the object table.
    label
        An existing class, or 0.
    """
    names, particles = names_of(result), _particles(result)
    if label and label not in names:
        raise InputError(f"there is no class {label}; the classes are 0 (no particle), {_listed(names)}")
    chosen = np.isin(particles[OBJECT].values, numbered(result, objects, what="particle"))
    classes = np.where(chosen, label, particles["class"].values)
    reviewed = particles["reviewed"].values | chosen
    abstained = particles["abstained"].values & ~chosen
    return _with_particles(result, images, _revised(particles, classes, names, reviewed, abstained))


def lesson(result: xr.DataTree) -> Lesson:
    """What can be learned from the particles whose class a person gave."""
    particles = _particles(result)
    classes = particles["class"].values
    return Lesson(
        numbers=particles[OBJECT].values,
        features=table(result, FEATURES)[FEATURES].values,
        chances=_chances(result, particles),
        truth=np.where(classes > 0, classes - 1, EMPTY),
        reviewed=particles["reviewed"].values,
        parents=particles[IMAGE].values,
        names=JUDGED,
    )


def judged_anew(result: xr.DataTree, images: xr.Dataset, chances: np.ndarray) -> xr.DataTree:
    """The same particles with other probabilities `(object, class)`; what a person said stays."""
    names, particles = names_of(result), _particles(result)
    known = consistent(chances, table(result, FEATURES)[FEATURES].values, _by_mass(result, particles))
    reviewed = particles["reviewed"].values
    found = judged(known, certainty=float(Recipe.from_json(result.attrs["recipe"]).settings["certainty"]))
    classes = np.where(reviewed, particles["class"].values, found["class"].values)
    abstained = np.where(reviewed, False, found["abstained"].values)
    anew = particles.assign({name: (OBJECT, column.values, column.attrs) for name, column in found.items()})
    return _with_particles(result, images, _revised(anew, classes, names, reviewed, abstained))


def _chances(result: xr.DataTree, particles: xr.Dataset) -> np.ndarray:
    """What the classifier itself says of each particle, before any correction."""
    model: Any = model_from_dict(Recipe.from_json(result.attrs["recipe"]).model or {})
    features = table(result, FEATURES)[FEATURES].values
    return np.asarray(model.judged(features, by_mass=_by_mass(result, particles)))


def _by_mass(result: xr.DataTree, particles: xr.Dataset) -> np.ndarray:
    found_by = table(result, IMAGE_TABLE)["found_by"].values
    return np.asarray(found_by[particles[IMAGE].values] == MASS)


def _particles(result: xr.DataTree) -> xr.Dataset:
    if FRACTIONS not in result.children:
        raise InputError("the result holds no population of particles; give a result of 'particles'")
    return table(result, OBJECT_TABLE).load()


def _revised(
    particles: xr.Dataset,
    classes: np.ndarray,
    names: Mapping[int, str],
    reviewed: np.ndarray,
    abstained: np.ndarray,
) -> xr.Dataset:
    called = np.array([names.get(int(label), JUDGED[EMPTY]) for label in classes], dtype=str)
    columns = {"class": classes, "name": called, "reviewed": reviewed, "abstained": abstained}
    return particles.assign({n: (OBJECT, v, particles[n].attrs) for n, v in columns.items()})


def _with_particles(result: xr.DataTree, images: xr.Dataset, particles: xr.Dataset) -> xr.DataTree:
    """The same result with its particles in other classes: the map of labels and all tables follow."""
    edited = result.copy()
    names, colors = names_of(result), colors_of(result)
    labels, objects = pixel_map(result, LABELS), pixel_map(result, OBJECTS)
    lookup = np.zeros(int(particles[OBJECT].values.max(initial=0)) + 1, labels.dtype)
    lookup[particles[OBJECT].values] = particles["class"].values
    edited.dataset = edited.to_dataset().assign({LABELS: labels.copy(data=_looked_up(objects, lookup))})
    micrographs = table(result, IMAGE_TABLE)
    counts = counts_of(particles, n_images=micrographs.sizes[IMAGE])
    edited[OBJECT_TABLE] = xr.DataTree(particles)
    edited[IMAGE_TABLE] = xr.DataTree(counted(micrographs, particles))
    edited[FRACTIONS] = xr.DataTree(_fractions(edited, counts, particles))
    edited[CLASSES] = xr.DataTree(class_table(particles, names=names, colors=colors))
    if SPECTRA in result.children:
        spectra = class_spectra(images, pixel_map(edited, LABELS), values=sorted(names))
        edited[SPECTRA] = xr.DataTree(spectra)
    return edited


def _fractions(result: xr.DataTree, counts: np.ndarray, particles: xr.Dataset) -> xr.Dataset:
    """Fractions of what is now said; corrected ones only while the model alone has spoken."""
    document = Recipe.from_json(result.attrs["recipe"]).model
    if document is None or RETRAINED in result.attrs or particles["reviewed"].values.any():
        return fraction_table(counts)
    arrays = model_from_dict(document).arrays
    return fraction_table(counts, arrays.get("confusion"), arrays.get("present"))


def _looked_up(objects: xr.DataArray, lookup: np.ndarray) -> Any:
    data = objects.data if hasattr(objects.data, "dask") else blocks.tiled(objects)
    return data.map_blocks(_taken, lookup, dtype=lookup.dtype, meta=np.empty((0,) * data.ndim, lookup.dtype))


def _taken(numbers: np.ndarray, lookup: np.ndarray) -> np.ndarray:
    return np.asarray(lookup[numbers])


def _listed(names: Mapping[int, str]) -> str:
    return ", ".join(f"{label} ({name})" for label, name in names.items())
