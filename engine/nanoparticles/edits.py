"""Edits of a population: particles get another class, from a person or from a correction learned from one.

The tables and the map of labels follow from the class of each particle; particles are not detected again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine import blocks
from engine.analysis import model_of
from engine.errors import InputError
from engine.learning import review
from engine.learning.correction import ReviewedExamples
from engine.nanoparticles.model import consistent
from engine.nanoparticles.segmentation import MASS
from engine.nanoparticles.tables import (
    EMPTY,
    JUDGED,
    choose_classes,
    class_table,
    count_particles,
    counts_of,
    fraction_table,
)
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
    label_map,
    pixel_map,
    table,
)
from engine.schema import columns as c
from engine.schema.accessors import check_objects, colors_of, names_of, replace_name, with_class_column
from engine.schema.kinds import POPULATION, check_kind, has
from engine.statistics.spectra import class_spectra


def rename(result: xr.DataTree, images: xr.Dataset, *, label: int, name: str) -> xr.DataTree:
    """Give a class another name, in the table of classes, the map's attributes and the table of particles.

    Parameters
    ----------
    result
        A population.
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
    del images
    names = replace_name(result, label, name)
    edited = with_class_column(result, c.NAME, names)
    edited.dataset = edited.to_dataset().assign({LABELS: label_map(pixel_map(edited, LABELS), names)})
    particles = table(edited, OBJECT_TABLE).load()
    rows = zip(particles[c.CLASS].values.tolist(), particles[c.NAME].values.tolist(), strict=True)
    texts = np.array([names.get(label, before) for label, before in rows], dtype=str)
    edited[OBJECT_TABLE] = xr.DataTree(particles.assign({c.NAME: (OBJECT, texts, particles[c.NAME].attrs)}))
    return edited


def retrain(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> xr.DataTree:
    """Learn from the particles whose class a person gave, and classify the others again.

    Parameters
    ----------
    result
        A population.
    images : Dataset, dims ([image,] y, x)
        The micrographs.
    correction
        From `learn_correction`; None: it is learned now.

    Raises
    ------
    InputError
        If too little was reviewed to learn from.
    """
    return review.retrain(result, images, correction, collect=collect_reviewed, reclassify=reclassify)


def learn_correction(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of `retrain` with what it learns, for the recipe.

    Parameters
    ----------
    result
        A population.
    images
        Not needed; every edit gets them.
    correction
        What was learned earlier; it is kept.

    Raises
    ------
    InputError
        If too little was reviewed to learn from.
    """
    del images
    return {"correction": dict(correction or review.learn(collect_reviewed(result)))}


def relabel_particles(
    result: xr.DataTree, images: xr.Dataset, *, objects: Sequence[int], label: int
) -> xr.DataTree:
    """Give particles another class, or confirm that which they have; 0: it is no particle.

    Parameters
    ----------
    result
        A population.
    images : Dataset, dims ([image,] y, x)
        The micrographs.
    objects
        Numbers in the object table.
    label
        An existing class, or 0.
    """
    names, particles = names_of(result), _particles(result)
    if label and label not in names:
        raise InputError(
            f"there is no class {label}; the classes are 0 (no particle), {_list_classes(names)}"
        )
    chosen = np.isin(particles[OBJECT].values, check_objects(result, objects, what="particle"))
    classes = np.where(chosen, label, particles[c.CLASS].values)
    reviewed = particles[c.REVIEWED].values | chosen
    abstained = particles[c.ABSTAINED].values & ~chosen
    return _replace_particles(result, images, _change_classes(particles, classes, names, reviewed, abstained))


def collect_reviewed(result: xr.DataTree) -> ReviewedExamples:
    """Return all particles of a population as examples, those that a person reviewed marked."""
    particles = _particles(result)
    classes = particles[c.CLASS].values
    return ReviewedExamples(
        numbers=particles[OBJECT].values,
        features=table(result, FEATURES)[FEATURES].values,
        chances=_chances(result, particles),
        truth=np.where(classes > 0, classes - 1, EMPTY),
        reviewed=particles[c.REVIEWED].values,
        parents=particles[IMAGE].values,
        names=JUDGED,
    )


def reclassify(result: xr.DataTree, images: xr.Dataset, chances: np.ndarray) -> xr.DataTree:
    """Return a population with other probabilities; the classes that a person gave stay.

    Parameters
    ----------
    result
        A population.
    images : Dataset, dims ([image,] y, x)
        The micrographs.
    chances : ndarray (object, class)
        Probabilities of yes, no, null and empty.
    """
    names, particles = names_of(result), _particles(result)
    known = consistent(chances, table(result, FEATURES)[FEATURES].values, _by_mass(result, particles))
    reviewed = particles[c.REVIEWED].values
    found = choose_classes(
        known, certainty=float(Recipe.from_json(result.attrs["recipe"]).settings["certainty"])
    )
    classes = np.where(reviewed, particles[c.CLASS].values, found[c.CLASS].values)
    abstained = np.where(reviewed, False, found[c.ABSTAINED].values)
    anew = particles.assign({name: (OBJECT, column.values, column.attrs) for name, column in found.items()})
    return _replace_particles(result, images, _change_classes(anew, classes, names, reviewed, abstained))


def _chances(result: xr.DataTree, particles: xr.Dataset) -> np.ndarray:
    """Return the classifier's own probabilities `(object, class)`, before any correction."""
    model: Any = model_of(result)
    features = table(result, FEATURES)[FEATURES].values
    return np.asarray(model.judged(features, by_mass=_by_mass(result, particles)))


def _by_mass(result: xr.DataTree, particles: xr.Dataset) -> np.ndarray:
    found_by = table(result, IMAGE_TABLE)[c.FOUND_BY].values
    return np.asarray(found_by[particles[IMAGE].values] == MASS)


def _particles(result: xr.DataTree) -> xr.Dataset:
    check_kind(result, POPULATION, what="an edit of particles")
    return table(result, OBJECT_TABLE).load()


def _change_classes(
    particles: xr.Dataset,
    classes: np.ndarray,
    names: Mapping[int, str],
    reviewed: np.ndarray,
    abstained: np.ndarray,
) -> xr.Dataset:
    called = np.array([names.get(int(label), JUDGED[EMPTY]) for label in classes], dtype=str)
    columns = {c.CLASS: classes, c.NAME: called, c.REVIEWED: reviewed, c.ABSTAINED: abstained}
    return particles.assign({n: (OBJECT, v, particles[n].attrs) for n, v in columns.items()})


def _replace_particles(result: xr.DataTree, images: xr.Dataset, particles: xr.Dataset) -> xr.DataTree:
    """Return the population with other classes of its particles; the map of labels and all tables follow."""
    edited = result.copy()
    names, colors = names_of(result), colors_of(result)
    labels, objects = pixel_map(result, LABELS), pixel_map(result, OBJECTS)
    lookup = np.zeros(int(particles[OBJECT].values.max(initial=0)) + 1, labels.dtype)
    lookup[particles[OBJECT].values] = particles[c.CLASS].values
    edited.dataset = edited.to_dataset().assign({LABELS: labels.copy(data=_look_up(objects, lookup))})
    micrographs = table(result, IMAGE_TABLE)
    counts = counts_of(particles, n_images=micrographs.sizes[IMAGE])
    edited[OBJECT_TABLE] = xr.DataTree(particles)
    edited[IMAGE_TABLE] = xr.DataTree(count_particles(micrographs, particles))
    edited[FRACTIONS] = xr.DataTree(_fractions(edited, counts, particles))
    edited[CLASSES] = xr.DataTree(class_table(particles, names=names, colors=colors))
    if has(result, SPECTRA):
        spectra = class_spectra(images, pixel_map(edited, LABELS), values=sorted(names))
        edited[SPECTRA] = xr.DataTree(spectra)
    return edited


def _fractions(result: xr.DataTree, counts: np.ndarray, particles: xr.Dataset) -> xr.Dataset:
    """Return the table of fractions; corrected fractions only while no person changed a class."""
    if RETRAINED in result.attrs or particles[c.REVIEWED].values.any():
        return fraction_table(counts)
    arrays = model_of(result).arrays
    return fraction_table(counts, arrays.get("confusion"), arrays.get("present"))


def _look_up(objects: xr.DataArray, lookup: np.ndarray) -> Any:
    data = objects.data if hasattr(objects.data, "dask") else blocks.as_tiles(objects)
    return data.map_blocks(_take, lookup, dtype=lookup.dtype, meta=np.empty((0,) * data.ndim, lookup.dtype))


def _take(numbers: np.ndarray, lookup: np.ndarray) -> np.ndarray:
    return np.asarray(lookup[numbers])


def _list_classes(names: Mapping[int, str]) -> str:
    return ", ".join(f"{label} ({name})" for label, name in names.items())
