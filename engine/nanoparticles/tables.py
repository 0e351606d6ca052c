"""The tables of a population of particles: one row a particle, a micrograph, a class.

Everything is a function of the table of particles, so that it is made anew in a moment when somebody gives a
particle another class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr

from engine import palette
from engine.errors import InputError
from engine.nanoparticles.record import LATTICE, MEASURES, Record
from engine.objects.measure import COLUMNS
from engine.readers.collection import PIXEL_SIZE
from engine.schema import CONFIDENCE, IMAGE, LABEL, OBJECT, X, Y
from engine.schema import columns as col
from engine.statistics.corrected import correct_fractions
from engine.statistics.intervals import Fractions, bootstrap_fractions, class_fractions, wilson

CLASSES: Final = ("yes", "no", "null")
"""A lattice with a defect, one without, and none that is resolved."""
NULL: Final = CLASSES.index("null")
EMPTY: Final = len(CLASSES)
"""Class number of what was found and is no particle."""
JUDGED: Final = (*CLASSES, "empty")
MEANING: Final[Mapping[str, str]] = {
    "spacing": "spacing of the strongest fringes",
    "spacing_error": "standard deviation of the spacing",
    "angle": "direction across the strongest fringes, from x towards y",
    "angle_error": "standard deviation of the angle",
    "spacing_2": "spacing of the second fringes",
    "angle_2": "direction across the second fringes",
}
COUNTS: Final = tuple(f"n_{name}" for name in CLASSES)
"""Columns of the table of micrographs: particles of each class, undecided ones left out."""
SHARES: Final[Mapping[str, str]] = {
    "fraction": "share of the particles",
    "low": "2.5 % of the share, Wilson's interval at the effective size",
    "high": "97.5 % of the share, Wilson's interval at the effective size",
}


@dataclass(frozen=True)
class MicrographFacts:
    """Facts of the micrographs themselves, arrays `(image,)`."""

    files: np.ndarray
    pixel_size: np.ndarray
    """Edge of a pixel in `unit`; 1 where the unit is px."""
    unit: str
    places: Mapping[str, np.ndarray]
    """Coordinates by dim, which the micrographs of a collection share."""
    place_unit: str


def object_table(
    found: Sequence[Record], chances: Sequence[np.ndarray], of: MicrographFacts, *, certainty: float
) -> xr.Dataset:
    """Return one row a particle of all micrographs, without what was found and is none.

    Parameters
    ----------
    found, chances
        Of each micrograph, its record and the probabilities `(object, JUDGED)`.
    certainty
        Least probability of the best class of a particle that is decided.

    Returns
    -------
    Dataset, dim object
        Numbered 1, 2, ... over all micrographs; `image` and `label` say which particle of which micrograph.
    """
    kept = [table.argmax(axis=1) != EMPTY for table in chances]
    image = np.repeat(np.arange(len(found)), [there.sum() for there in kept])
    numbers = np.concatenate([np.flatnonzero(there) + 1 for there in kept]).astype(np.int64)
    measures = np.concatenate([one.measures[there] for one, there in zip(found, kept, strict=True)])
    lattices = np.concatenate([one.lattices[there] for one, there in zip(found, kept, strict=True)])
    known = np.concatenate([table[there] for table, there in zip(chances, kept, strict=True)])
    verdict = choose_classes(known, certainty=certainty)
    size = of.pixel_size[image]
    columns: dict[str, tuple[np.ndarray, str, str]] = {
        LABEL: (numbers, "1", "number in its micrograph"),
        IMAGE: (image, "1", "micrograph, counted from 0"),
        **{name: (column, *COLUMNS[name]) for name, column in zip(MEASURES, measures.T, strict=True)},
        **_lattice_columns(lattices, size, of.unit),
    }
    for dim in (Y, X):
        columns[dim] = (_to_coordinates(columns[dim][0], of.places.get(dim)), of.place_unit, COLUMNS[dim][1])
    columns[col.TOUCHES_EDGE] = (columns[col.TOUCHES_EDGE][0].astype(bool), *COLUMNS[col.TOUCHES_EDGE])
    radius = size * np.sqrt(columns[col.AREA][0] / np.pi)
    columns[col.RADIUS] = (radius, of.unit, "radius of the disk of its area")
    coords = {OBJECT: (OBJECT, np.arange(1, len(known) + 1), {"units": "1", "long_name": "object"})}
    return _build(col.PARTICLES, columns).merge(verdict).assign_coords(coords)


def _build(table: col.Table, columns: Mapping[str, tuple[Any, str, str]]) -> xr.Dataset:
    """Return a table from the values and units of its columns; the schema knows their meaning."""
    values = {name: parts[0] for name, parts in columns.items()}
    return table.build(values, units={name: parts[1] for name, parts in columns.items()})


def choose_classes(chances: np.ndarray, *, certainty: float) -> xr.Dataset:
    """Columns of the table of particles that follow from their probabilities `(object, JUDGED)`.

    Parameters
    ----------
    chances : ndarray (object, class)
        Probabilities.
    certainty : float
        Least probability of the best class of a decided particle.
    """
    best = chances.argmax(axis=1)
    ranked = np.sort(chances, axis=1)
    decided = chances.max(axis=1, initial=0) >= certainty
    columns = {
        "class": (np.where(best == EMPTY, 0, best + 1), "1", "class, 0 = no particle"),
        "name": (np.array(JUDGED, dtype=str)[best], "1", "class name"),
        CONFIDENCE: (ranked[:, -1] - ranked[:, -2], "1", "best minus second probability"),
        "abstained": (~decided, "1", "whether no class is probable enough"),
        "reviewed": (np.zeros(len(best), bool), "1", "whether a person has given the class"),
    }
    for n, name in enumerate(JUDGED):
        columns[f"probability_{name}"] = (chances[:, n], "1", f"probability of {name}")
    return _build(col.PARTICLES, columns)


def _lattice_columns(
    lattices: np.ndarray, size: np.ndarray, unit: str
) -> dict[str, tuple[np.ndarray, str, str]]:
    columns: dict[str, tuple[np.ndarray, str, str]] = {
        "resolved": (np.isfinite(lattices[:, 0]), "1", "whether a lattice is seen")
    }
    for name, column in zip(LATTICE, lattices.T, strict=True):
        is_angle = name.startswith(col.DIRECTION)
        columns[name] = (column if is_angle else column * size, "deg" if is_angle else unit, MEANING[name])
    return columns


def _to_coordinates(places: np.ndarray, centres: np.ndarray | None) -> np.ndarray:
    """Return the places in pixels in the values of a coordinate."""
    return places if centres is None else np.interp(places, np.arange(centres.size), centres)


def image_table(found: Sequence[Record], objects: xr.Dataset, of: MicrographFacts) -> xr.Dataset:
    """Return one row a micrograph: its file, pixel size, contrast, and number of particles."""
    known = of.pixel_size if of.unit != "px" else np.full(len(found), np.nan)
    columns: dict[str, tuple[Any, str, str]] = {
        "file": (of.files, "1", "file"),
        PIXEL_SIZE: (known, of.unit, "edge of a pixel"),
        "found_by": (np.array([one.contrast for one in found], dtype=str), "1", "what was looked for"),
        "rows": (np.array([one.shape[0] for one in found]), "px", "rows of pixels"),
        "columns": (np.array([one.shape[1] for one in found]), "px", "columns of pixels"),
        "problem": (np.array([one.problem for one in found], dtype=str), "1", "why it could not be read"),
    }
    coords = {IMAGE: (IMAGE, np.arange(len(found)), {"units": "1", "long_name": "micrograph"})}
    made = _build(col.MICROGRAPHS, columns).assign_coords(coords)
    return count_particles(made, objects)


def count_particles(micrographs: xr.Dataset, objects: xr.Dataset) -> xr.Dataset:
    """Return the table of micrographs with its particles counted: all, and the decided ones of each class.

    Parameters
    ----------
    micrographs : Dataset, rows image
        The table of micrographs.
    objects : Dataset, rows object
        The table of objects.
    """
    n_images = micrographs.sizes[IMAGE]
    counts = counts_of(objects, n_images=n_images)
    in_all = np.bincount(objects[IMAGE].values[objects[col.CLASS].values > 0], minlength=n_images)
    columns = {"n_particles": (in_all, "1", "particles")}
    for n, (column, name) in enumerate(zip(COUNTS, CLASSES, strict=True)):
        columns[column] = (counts[:, n], "1", f"decided particles of class {name}")
    return micrographs.assign(_build(col.MICROGRAPHS, columns).data_vars)


def counts_of(objects: xr.Dataset, *, n_images: int) -> np.ndarray:
    """Decided particles by micrograph and class, `(image, class)`.

    Parameters
    ----------
    objects : Dataset, rows object
        The table of objects.
    n_images : int
        Number of images.
    """
    classes, decided = objects[col.CLASS].values, ~objects[col.ABSTAINED].values
    there = decided & (classes > 0)
    pairs = objects[IMAGE].values[there] * len(CLASSES) + classes[there] - 1
    return np.bincount(pairs, minlength=n_images * len(CLASSES)).reshape(n_images, len(CLASSES))


def class_table(objects: xr.Dataset, *, names: Mapping[int, str], colors: Mapping[int, str]) -> xr.Dataset:
    """Return one row a class: `name color count fraction area confidence`, of the pixels of its particles.

    Parameters
    ----------
    objects : Dataset, rows object
        The table of objects.
    names : mapping of int to str
        Class names by label.
    colors : mapping of int to str
        Class colours by label, as `#rrggbb`.
    """
    labels = sorted(names)
    classes, pixels = objects[col.CLASS].values, objects[col.AREA].values
    size = objects[col.RADIUS].values ** 2 * np.pi
    count = np.array([pixels[classes == label].sum() for label in labels])
    area = np.array([size[classes == label].sum() for label in labels])
    sure = [objects[CONFIDENCE].values[classes == label] for label in labels]
    paint = palette.class_colors(len(labels))
    columns = {
        "name": ([str(names[label]) for label in labels], "1", "class name"),
        "color": ([colors.get(n, c) for n, c in zip(labels, paint, strict=True)], "1", "colour"),
        "count": (count.astype(np.int64), "1", "pixels"),
        "fraction": (count / max(1.0, count.sum()), "1", "share of the labelled pixels"),
        "area": (area, f"{objects[col.RADIUS].attrs['units']}²", "area"),
        CONFIDENCE: (np.array([s.mean() if s.size else np.nan for s in sure]), "1", "mean confidence"),
    }
    coords = {LABEL: (LABEL, np.array(labels), {"units": "1", "long_name": "class"})}
    return _build(col.CLASS_TABLE, columns).assign_coords(coords)


def fraction_table(
    counts: np.ndarray, confusion: np.ndarray | None = None, present: np.ndarray | None = None
) -> xr.Dataset:
    """Return the share of each class in the population, with the interval that says how sure that is.

    Parameters
    ----------
    counts : ndarray (image, class)
        Decided particles. With one micrograph alone the interval takes its particles to be independent; with
        several, micrographs are what was drawn from the population.
    confusion : ndarray (image, JUDGED, JUDGED)
        Of held-out micrographs: found things by true and found class.
    present : ndarray (image, class)
        Particles that the held-out micrographs hold. Without both, `corrected` is NaN.
    """
    with_some = counts[counts.sum(axis=1) > 0]
    total = counts.sum(axis=0)
    if len(with_some) > 1:
        shares = class_fractions(with_some)
    else:
        share = total / total.sum() if total.sum() else np.full(total.size, np.nan)
        shares = Fractions(share, *wilson(total, total.sum()))
    columns: dict[str, tuple[Any, str, str]] = {"count": (total, "1", "decided particles")}
    for (name, meaning), column in zip(SHARES.items(), shares, strict=True):
        columns[name] = (column, "1", meaning)
    for name, column in zip(ends_of("bootstrap"), bootstrap_fractions(counts)[1:], strict=True):
        columns[name] = (column, "1", "end of the 95 % interval from drawing micrographs again")
    corrected = _correct_fractions(counts, confusion, present)
    columns[col.CORRECTED] = (corrected.fraction, "1", "share, corrected for errors, misses and false finds")
    for name, column in zip(ends_of("corrected"), corrected[1:], strict=True):
        columns[name] = (column, "1", "end of the 95 % interval of the corrected share")
    coords = {LABEL: (LABEL, np.arange(1, total.size + 1), {"units": "1", "long_name": "class"})}
    return _build(col.FRACTION_TABLE, columns).assign_coords(coords)


def ends_of(name: str) -> tuple[str, str]:
    """Return the names of the columns with the ends of an interval."""
    return f"{name}_low", f"{name}_high"


def _correct_fractions(
    counts: np.ndarray, confusion: np.ndarray | None, present: np.ndarray | None
) -> Fractions:
    unknown = np.full(counts.shape[1], np.nan)
    if confusion is None or present is None:
        return Fractions(unknown, unknown, unknown)
    try:
        return correct_fractions(counts, confusion[:, :, : counts.shape[1]], present=present)
    except InputError:  # held out was too little, or the classifier is blind there
        return Fractions(unknown, unknown, unknown)
