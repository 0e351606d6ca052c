"""The analysis `particles`: which particles of micrographs carry a defect, and what lattice each shows."""

from typing import ClassVar, Final, NamedTuple

import numpy as np
import param
import xarray as xr
from scipy import ndimage

from engine import blocks, progress
from engine.analysis import COLLECTION, Analysis, Model, Settings
from engine.errors import InputError
from engine.learning import scores
from engine.learning.calibration import calibration_error, temperature
from engine.learning.correction import LEAST
from engine.learning.pairs import frame_pairs
from engine.nanoparticles import classifiers
from engine.nanoparticles.classifiers import BOOSTING, CLASSIFIERS
from engine.nanoparticles.features import NAMES
from engine.nanoparticles.model import ParticlesModel, consistent, finding
from engine.nanoparticles.record import Record, objects_of, records
from engine.nanoparticles.segmentation import CONTRASTS, MASS
from engine.nanoparticles.tables import CLASSES, EMPTY, JUDGED
from engine.schema.kinds import POPULATION, ResultKind

AUTO: Final = "auto"
LABELLED: Final = 0.5
"""Share of a found particle's pixels that must be labelled for it to be one."""
HELD_OUT: Final = "micrographs held out, in folds"
LEARNED: Final = "the micrograph learned from: there was but one"


class ParticlesTraining(Settings):
    """Settings that only concern the training of `Particles`."""

    classifier = param.Selector(
        objects=list(CLASSIFIERS), default=BOOSTING, doc="What is trained: boosted trees or a random forest."
    )


class Particles(ParticlesTraining, Analysis):
    """Find the particles of micrographs, measure their lattices and say which carry a defect.

    Without a model given, the one that Mapstack brings is used: it was trained on simulated HR-TEM images of
    CdSe and gold particles with twins, stacking faults and edge dislocations.
    """

    analysis: ClassVar[str] = "particles"
    title: ClassVar[str] = "Particles"
    kind: ClassVar[ResultKind] = POPULATION
    page: ClassVar[str] = "particles"
    example: ClassVar[str] = "hrtem"
    model_class: ClassVar[type[Model]] = ParticlesModel
    training: ClassVar[type[Settings]] = ParticlesTraining
    needs_labels: ClassVar[bool] = True
    takes: ClassVar[str] = COLLECTION

    contrast = param.Selector(
        objects=[AUTO, *CONTRASTS],
        default=AUTO,
        doc="What particles are found by: their lattice or their darkness (mass). auto: as the image shows.",
        precedence=2,
    )
    min_radius = param.Number(
        1.5, bounds=(1, 1000), doc="Particles smaller than a disk of this radius in pixels are left out."
    )
    certainty = param.Number(
        0.0,
        bounds=(0, 1),
        doc="Probability of the best class below which a particle is undecided and in no fraction.",
        precedence=2,
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
        return _fit_classifier(self, _examples(self, images, labels))


class LabelledParticles(NamedTuple):
    """Particles to learn from, all arrays `(object, ...)`."""

    features: np.ndarray
    classes: np.ndarray
    parents: np.ndarray
    """Number of the micrograph."""
    by_mass: np.ndarray
    """Whether it was found by its brightness."""
    present: np.ndarray
    """`(micrograph, class)`: how many particles there are, found or not."""


def _examples(settings: Particles, images: xr.Dataset, labels: xr.DataArray | None) -> LabelledParticles:
    """Return all particles found in labelled micrographs."""
    pairs = frame_pairs(images, labels, learner="a classifier of particles")
    with progress.stage(0.0, 0.9):
        found = records([frame for frame, _ in pairs], finding(settings.settings()))
    parts = [
        _label_particles(n, one, truth) for n, (one, (_, truth)) in enumerate(zip(found, pairs, strict=True))
    ]
    return LabelledParticles(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _label_particles(number: int, one: Record, truth: xr.DataArray) -> LabelledParticles:
    """Return the particles of one micrograph with the classes that its labels give them."""
    rows, columns = one.shape
    (known,) = blocks.compute(blocks.as_tiles(truth[:rows, :columns]), doing="reading labels")
    classes = classes_of(objects_of(one), np.asarray(known))
    return LabelledParticles(
        one.features,
        classes,
        np.full(classes.size, number),
        np.full(classes.size, one.contrast == MASS),
        present_in(np.asarray(known))[np.newaxis],
    )


def present_in(labels: np.ndarray) -> np.ndarray:
    """Return the number of particles of each class in a map of labels, `(class,)`: connected pixels."""
    eight = np.ones((3, 3), int)
    return np.array([ndimage.label(labels == 1 + n, eight)[1] for n in range(len(CLASSES))])


def classes_of(objects: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the class number of each object by the labels under it, `(object,)`.

    `EMPTY` where most is unlabelled.

    Parameters
    ----------
    objects : ndarray (y, x)
        Number of each pixel's object, 0 = none.
    labels : ndarray (y, x)
        Class of each pixel: 1 yes, 2 no, 3 null, 0 none.
    """
    n_objects = int(objects.max(initial=0))
    pairs = objects.astype(np.int64) * (len(CLASSES) + 1) + np.minimum(labels, len(CLASSES))
    counts = np.bincount(pairs.ravel(), minlength=(n_objects + 1) * (len(CLASSES) + 1))
    counts = counts.reshape(n_objects + 1, len(CLASSES) + 1)[1:]
    named = counts[:, 1:].sum(axis=1) >= LABELLED * counts.sum(axis=1)
    return np.where(named, counts[:, 1:].argmax(axis=1), EMPTY)


def _fit_classifier(settings: Particles, examples: LabelledParticles) -> ParticlesModel:
    features, classes, parents, by_mass, present = examples
    if np.unique(classes).size < 2:
        raise InputError("all particles found are of one class; give labels of two or more")
    kind, seed = settings.classifier, settings.seed
    progress.report(0.9, "judging by micrographs held out")
    fitted = CLASSIFIERS[kind](seed).fit(features, classes)
    micrographs = np.unique(parents)
    unseen = (
        classifiers.predict_held_out(kind, features, classes, parents, n_classes=len(JUDGED), seed=seed)
        if micrographs.size > 1
        else classifiers.probabilities(fitted, features, n_classes=len(JUDGED))
    )
    heat = temperature(np.log(np.maximum(unseen, LEAST)), classes)
    chances = consistent(classifiers.at_temperature(unseen, heat), features, by_mass)
    found = chances.argmax(axis=1)
    counts = [
        scores.confusion(classes[parents == one], found[parents == one], n_classes=len(JUDGED))
        for one in range(len(present))
    ]
    return ParticlesModel(
        analysis=settings.analysis,
        settings=settings.settings(),
        class_names=CLASSES,
        arrays={
            "classifier": classifiers.pack_classifier(fitted),
            "confusion": np.stack(counts),
            "present": present,
        },
        metadata={
            "features": list(NAMES),
            "temperature": float(heat),
            "n_micrographs": len(present),
            "judged_on": HELD_OUT if micrographs.size > 1 else LEARNED,
            "metrics": scores.report(np.stack(counts), JUDGED, seed=seed),
            "calibration_error": float(calibration_error(chances, classes)),
        },
    )
