"""Model of particles: a classifier, and how good it is on micrographs that it was not trained on."""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.analysis import Model
from engine.nanoparticles import classifiers
from engine.nanoparticles.features import NAMES
from engine.nanoparticles.record import Record, records
from engine.nanoparticles.result import result_of
from engine.nanoparticles.segmentation import MASS
from engine.nanoparticles.tables import EMPTY, JUDGED, NULL
from engine.preprocess.intensity import frames

AUTO: Final = "auto"
LABELLED: Final = 0.5
HELD_OUT: Final = "micrographs held out, in folds"
LEARNED: Final = "the micrograph learned from: there was but one"


class ParticlesModel(Model):
    """A classifier of particles, and how good it is on micrographs that it did not see."""

    def predict(self, images: xr.Dataset) -> xr.DataTree:
        """Find and classify the particles of a micrograph or of a collection; the tables are made at once.

        Parameters
        ----------
        images : Dataset, dims ([image,] y, x)

        Returns
        -------
        DataTree
            As `result.result_of` lays it out. Micrographs of a collection that cannot be read are told in its
            `image_table` and in the warnings.

        Raises
        ------
        InputError
            If the images are neither a micrograph nor a collection.
        """
        found = records(frames(images), finding(self.settings))
        result = result_of(
            images,
            found,
            [self.chances(one) for one in found],
            names=self.names,
            certainty=float(self.settings["certainty"]),
            held_out=self.arrays,
        )
        result.attrs["judged"] = json.dumps(self.metadata["metrics"])
        return result

    def chances(self, one: Record) -> np.ndarray:
        """Probabilities `(object, class)` of the particles of a micrograph, in the order of `JUDGED`."""
        return self.judged(one.features, by_mass=np.full(one.n_particles, one.contrast == MASS))

    def judged(self, features: np.ndarray, *, by_mass: np.ndarray) -> np.ndarray:
        """Return probabilities `(object, class)` by features `(object, feature)`, in the order of `JUDGED`.

        Parameters
        ----------
        by_mass : ndarray (object,), bool
            Whether a particle was found by its brightness.
        """
        known = classifiers.probabilities(
            classifiers.unpack_classifier(self.arrays["classifier"]),
            features,
            n_classes=len(JUDGED),
            temperature=float(self.metadata["temperature"]),
        )
        return consistent(known, features, by_mass)


def finding(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the settings concerns the finding of particles."""
    contrast = settings["contrast"]
    return {"contrast": "" if contrast == AUTO else contrast, "min_radius": float(settings["min_radius"])}


def consistent(chances: np.ndarray, features: np.ndarray, by_mass: np.ndarray) -> np.ndarray:
    """Return the probabilities with what holds by definition: no lattice, so neither yes nor no.

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
