"""The analysis `particles`: which particles of a micrograph carry a defect, and what lattice each shows."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import param
import xarray as xr

from engine import blocks, progress
from engine.analysis import Analysis, Model
from engine.errors import InputError
from engine.learning import scores
from engine.learning.calibration import expected_calibration_error, temperature
from engine.learning.pairs import frame_pairs
from engine.objects import measure
from engine.particles import forest
from engine.particles.features import NAMES
from engine.particles.forest import BOOSTING, CLASSIFIERS
from engine.particles.lattice import Lattice
from engine.particles.look import Looked, look
from engine.particles.regions import CONTRASTS, MASS
from engine.preprocess.intensity import intensity
from engine.schema import LABEL, OBJECT, OBJECT_TABLE, OBJECTS, PIXEL
from engine.statistics import describe
from engine.statistics.classes import pixel_area
from engine.statistics.intervals import wilson

CLASSES: Final = ("yes", "no", "null")
"""A lattice with a defect, one without, and none that is resolved."""
NULL: Final = CLASSES.index("null")
EMPTY: Final = len(CLASSES)
"""Class number of what was found and is no particle."""
JUDGED: Final = (*CLASSES, "empty")
AUTO: Final = "auto"
LABELLED: Final = 0.5
"""Share of a found particle's pixels that must be labelled for it to be one."""
HELD_OUT: Final = "micrographs held out, in folds"
LEARNED: Final = "the micrograph learned from: there was but one"
FRACTIONS: Final = "fractions"
LATTICE_COLUMNS: Final[Mapping[str, str]] = {
    "spacing": "spacing of the strongest fringes",
    "spacing_error": "standard deviation of the spacing",
    "angle": "direction across the strongest fringes, from x towards y",
    "angle_error": "standard deviation of the angle",
    "spacing_2": "spacing of the second fringes",
    "angle_2": "direction across the second fringes",
}


class Particles(Analysis):
    """Find the particles of a micrograph, measure their lattices and say which carry a defect.

    Without a model given, the one that Mapstack brings is used: it was trained on simulated HR-TEM images of
    CdSe and gold particles with twins, stacking faults and edge dislocations.
    """

    analysis: ClassVar[str] = "particles"
    needs_labels: ClassVar[bool] = True
    per_frame: ClassVar[bool] = True
    fit_only: ClassVar[frozenset[str]] = frozenset({"seed", "classifier"})

    contrast = param.Selector(
        objects=[AUTO, *CONTRASTS],
        default=AUTO,
        doc="What particles are found by: their lattice or their darkness (mass). auto: as the image shows.",
    )
    min_radius = param.Number(
        1.5, bounds=(1, 1000), doc="Particles smaller than a disk of this radius in pixels are left out."
    )
    certainty = param.Number(
        0.0,
        bounds=(0, 1),
        doc="Probability of the best class below which a particle is undecided and in no fraction.",
    )
    classifier = param.Selector(
        objects=list(CLASSIFIERS), default=BOOSTING, doc="What is trained: boosted trees or a random forest."
    )

    def fit(self, images: xr.Dataset, labels: xr.DataArray | None = None) -> "ParticlesModel":
        """Learn from micrographs whose particles are labelled; judged by micrographs held out.

        Parameters
        ----------
        images : Dataset, dims ([image,] y, x)
        labels : DataArray, dims ([image,] y, x)
            1 yes, 2 no, 3 null where a particle is, 0 elsewhere.

        Raises
        ------
        InputError
            If there are no labels, or particles of one micrograph or one class alone.
        """
        return _learned(self, _examples(self, images, labels))


class ParticlesModel(Model):
    """A classifier of particles, and how good it is on micrographs that it did not see."""

    @property
    def names(self) -> dict[int, str]:
        """Class names by label."""
        return dict(enumerate(self.class_names, start=1))

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Find and classify the particles of a micrograph; the maps are computed at once.

        Returns
        -------
        DataTree
            `labels` (0 = ground), `confidence` (best minus second probability of the particle), `objects`;
            tables `classes`, `spectra`, `object_table` and `fractions`.

        Raises
        ------
        InputError
            If the images are no single micrograph.
        """
        frame = intensity(images)
        (image,) = blocks.compute(blocks.tiled(frame), doing="reading")
        seen = look(np.asarray(image), **_finding(self.settings))
        chances = forest.probabilities(
            forest.unpacked(self.arrays["classifier"]),
            seen.features,
            n_classes=len(JUDGED),
            temperature=float(self.metadata["temperature"]),
        )
        by_mass = np.full(len(chances), seen.contrast == MASS)
        return _tree(self, images, frame, seen, consistent(chances, seen.features, by_mass))


Particles.model_class = ParticlesModel


def _finding(settings: Mapping[str, Any]) -> dict[str, Any]:
    contrast = settings["contrast"]
    return {"contrast": "" if contrast == AUTO else contrast, "min_radius": float(settings["min_radius"])}


class Examples(NamedTuple):
    """Particles to learn from, all arrays `(object, ...)`."""

    features: np.ndarray
    classes: np.ndarray
    parents: np.ndarray
    """Number of the micrograph."""
    by_mass: np.ndarray
    """Whether it was found by its brightness."""


def _examples(settings: Particles, images: xr.Dataset, labels: xr.DataArray | None) -> Examples:
    """All particles found in labelled micrographs."""
    pairs = frame_pairs(images, labels, learner="a classifier of particles")
    found = []
    for number, (frame, truth) in enumerate(pairs):
        with progress.stage(0.9 * number / len(pairs), 0.9 * (number + 1) / len(pairs)):
            image, known = blocks.compute(blocks.tiled(frame), blocks.tiled(truth), doing="reading")
            seen = look(np.asarray(image), **_finding(settings.settings()))
        classes = classes_of(seen.objects, np.asarray(known))
        of_all = (np.full(len(classes), value) for value in (number, seen.contrast == MASS))
        found.append((seen.features, classes, *of_all))
    return Examples(*(np.concatenate(column) for column in zip(*found, strict=True)))


def consistent(chances: np.ndarray, features: np.ndarray, by_mass: np.ndarray) -> np.ndarray:
    """Probabilities with what is so by definition: without a lattice a particle is neither yes nor no.

    And what was found by its brightness is there: whether a lattice is seen says nothing of that.

    Parameters
    ----------
    chances : ndarray (object, class)
        In the order of `JUDGED`.
    features : ndarray (object, feature)
    by_mass : ndarray (object,), bool
    """
    known = chances.copy()
    known[features[:, NAMES.index("peaks")] == 0, :NULL] = 0.0
    known[by_mass, EMPTY] = 0.0
    known[known.sum(axis=1) == 0, NULL] = 1.0
    return np.asarray(known / known.sum(axis=1, keepdims=True))


def classes_of(objects: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Class number of each object by the labels under it, `(object,)`; `EMPTY` where most is unlabelled."""
    n_objects = int(objects.max(initial=0))
    pairs = objects.astype(np.int64) * (len(CLASSES) + 1) + np.minimum(labels, len(CLASSES))
    counts = np.bincount(pairs.ravel(), minlength=(n_objects + 1) * (len(CLASSES) + 1))
    counts = counts.reshape(n_objects + 1, len(CLASSES) + 1)[1:]
    named = counts[:, 1:].sum(axis=1) >= LABELLED * counts.sum(axis=1)
    return np.where(named, counts[:, 1:].argmax(axis=1), EMPTY)


def _learned(settings: Particles, examples: Examples) -> ParticlesModel:
    features, classes, parents, by_mass = examples
    if np.unique(classes).size < 2:
        raise InputError("all particles found are of one class; give labels of two or more")
    kind, seed = settings.classifier, settings.seed
    progress.report(0.9, "judging by micrographs held out")
    fitted = CLASSIFIERS[kind](seed).fit(features, classes)
    micrographs = np.unique(parents)
    unseen = (
        forest.held_out(kind, features, classes, parents, n_classes=len(JUDGED), seed=seed)
        if micrographs.size > 1
        else forest.probabilities(fitted, features, n_classes=len(JUDGED))
    )
    heat = temperature(np.log(np.maximum(unseen, forest.LEAST)), classes)
    chances = consistent(forest.at_temperature(unseen, heat), features, by_mass)
    found = chances.argmax(axis=1)
    counts = [
        scores.confusion(classes[parents == one], found[parents == one], n_classes=len(JUDGED))
        for one in micrographs
    ]
    return ParticlesModel(
        analysis=settings.analysis,
        settings=settings.settings(),
        class_names=CLASSES,
        arrays={"classifier": forest.packed(fitted), "confusion": np.stack(counts)},
        metadata={
            "features": list(NAMES),
            "temperature": float(heat),
            "n_micrographs": int(micrographs.size),
            "judged_on": HELD_OUT if micrographs.size > 1 else LEARNED,
            "metrics": scores.report(np.stack(counts), JUDGED, seed=seed),
            "calibration_error": float(expected_calibration_error(chances, classes)),
        },
    )


def _tree(
    model: ParticlesModel, images: xr.Dataset, frame: xr.DataArray, seen: Looked, chances: np.ndarray
) -> xr.DataTree:
    """The result of a micrograph."""
    kept = chances.argmax(axis=1) != EMPTY
    numbers = np.where(kept, np.cumsum(kept), 0)
    objects = np.append(0, numbers)[seen.objects].astype(np.uint32)
    chances, best = chances[kept], chances[kept][:, :EMPTY].argmax(axis=1)
    ranked = np.sort(chances, axis=1)
    sure = ranked[:, -1] - ranked[:, -2] if len(ranked) else np.zeros(0)
    coords = {name: coord for name, coord in frame.coords.items() if set(coord.dims) <= set(PIXEL)}
    maps = {
        "labels": np.append(0, best + 1).astype(np.uint8)[objects],
        "confidence": np.append(0, sure).astype(np.float32)[objects],
        OBJECTS: objects,
    }
    chunks = blocks.tiled(frame).chunks
    planes = {
        name: xr.DataArray(plane, dims=PIXEL, coords=coords).chunk(dict(zip(PIXEL, chunks, strict=True)))
        for name, plane in maps.items()
    }
    tree = describe(images, planes["labels"], planes["confidence"], names=model.names)
    attrs = {"units": "1", "long_name": "object"}
    tree.dataset = tree.to_dataset().assign({OBJECTS: planes[OBJECTS].assign_attrs(attrs)})
    table = measure(planes[OBJECTS], image=frame, classes=planes["labels"], confidence=planes["confidence"])
    lattices = [one for one, there in zip(seen.lattices, kept, strict=True) if there]
    decided = chances.max(axis=1, initial=0) >= float(model.settings["certainty"])
    tree[OBJECT_TABLE] = xr.DataTree(_with_lattices(table, lattices, chances, decided, frame, model.names))
    tree[FRACTIONS] = xr.DataTree(_fractions(best[decided], model.names))
    tree.attrs["found_by"] = seen.contrast
    tree.attrs["judged"] = json.dumps(model.metadata["metrics"])
    return tree


def _with_lattices(
    table: xr.Dataset,
    lattices: list[Lattice],
    chances: np.ndarray,
    decided: np.ndarray,
    frame: xr.DataArray,
    names: Mapping[int, str],
) -> xr.Dataset:
    area, unit = pixel_area(frame)
    size = float(np.sqrt(area))
    measured = np.array([_row(lattice, size) for lattice in lattices]).reshape(-1, len(LATTICE_COLUMNS))
    columns: dict[str, Any] = {
        name: (OBJECT, column, {"units": "deg" if "angle" in name else unit, "long_name": meaning})
        for (name, meaning), column in zip(LATTICE_COLUMNS.items(), measured.T, strict=True)
    }
    for n, name in enumerate(JUDGED):
        attrs = {"units": "1", "long_name": f"probability of {name}"}
        columns[f"probability_{name}"] = (OBJECT, chances[:, n], attrs)
    radius = size * np.sqrt(table["area"].values / np.pi)
    kinds = np.array([names.get(int(label), "") for label in table["class"].values], dtype=str)
    resolved = np.array([lattice.resolved for lattice in lattices], bool)
    return table.assign(
        name=(OBJECT, kinds, {"units": "1", "long_name": "class name"}),
        radius=(OBJECT, radius, {"units": unit, "long_name": "radius of the disk of its area"}),
        resolved=(OBJECT, resolved, {"units": "1", "long_name": "whether a lattice is seen"}),
        abstained=(OBJECT, ~decided, {"units": "1", "long_name": "whether no class is probable enough"}),
        **columns,
    )


def _row(lattice: Lattice, size: float) -> list[float]:
    values = [np.nan] * len(LATTICE_COLUMNS)
    if lattice.resolved:
        lengths = [size * lattice.spacing[0], size * lattice.spacing_error[0]]
        values[:4] = [*lengths, *np.rad2deg([lattice.angle[0], lattice.angle_error[0]])]
    if lattice.spacing.size > 1:
        values[4:] = [size * lattice.spacing[1], np.rad2deg(lattice.angle[1])]
    return [float(value) for value in values]


def _fractions(classes: np.ndarray, names: Mapping[int, str]) -> xr.Dataset:
    """Share of each class among the particles of this micrograph, with Wilson's interval."""
    counts = np.bincount(classes, minlength=len(names))[: len(names)]
    low, high = wilson(counts, counts.sum())
    share = counts / counts.sum() if counts.sum() else np.full(len(names), np.nan)
    meaning = {"count": "particles", "fraction": "share of the particles", "low": "2.5 %", "high": "97.5 %"}
    columns = dict(zip(meaning, (counts, share, low, high), strict=True))
    coords = {LABEL: (LABEL, np.array(sorted(names)), {"units": "1", "long_name": "class"})}
    return xr.Dataset(
        {
            name: (LABEL, column, {"units": "1", "long_name": meaning[name]})
            for name, column in columns.items()
        },
        coords,
    )
