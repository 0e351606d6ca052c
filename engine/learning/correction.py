"""Learning from the objects or pictures whose class a person gave: a correction of what a classifier says.

The corrected probabilities are ``softmax(log p + b + z W)``, with `p` those of the classifier and `z` the
standardised features. What nobody reviewed counts too, as the classifier judged it: people look at what is
wrong, and a correction learned from that alone would turn everything round.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from scipy.optimize import minimize

from engine.errors import InputError
from engine.learning.splits import folds

LEAST: Final = 1e-6
"""Smallest probability whose logarithm is taken."""
UNREVIEWED: Final = 0.2
"""What an object that nobody reviewed counts, of one that somebody did."""
RIDGES: Final = (3.0, 30.0, 300.0)
"""Penalties of the squared weights; the one that does best on parents left out is taken."""
OFFSET_RIDGE: Final = 0.1
N_FOLDS: Final = 5


class ReviewedExamples(NamedTuple):
    """Objects or images that a person reviewed, and the probabilities of a classifier for them.

    Attributes
    ----------
    numbers : ndarray (object,)
        By which the tables of a result call them.
    features : ndarray (object, feature)
    chances : ndarray (object, class)
        Of the classifier itself, before any correction.
    truth : ndarray (object,)
        Class number; looked at only where reviewed.
    reviewed : ndarray (object,), bool
        Whether a person gave the class.
    parents : ndarray (object,)
        Number of the micrograph or sample.
    names : tuple of str
        Of the classes.
    """

    numbers: np.ndarray
    features: np.ndarray
    chances: np.ndarray
    truth: np.ndarray
    reviewed: np.ndarray
    parents: np.ndarray
    names: tuple[str, ...]


class Correction(NamedTuple):
    """Correction that was learned, ready for JSON."""

    weights: list[list[float]]
    """`(feature + 1, class)`; the last row is the offset."""
    centre: list[float]
    scale: list[float]

    def applied(self, chances: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Corrected probabilities `(object, class)`.

        Parameters
        ----------
        chances : ndarray (object, class)
            Of the classifier.
        features : ndarray (object, feature)
        """
        z = _standard(features, np.array(self.centre), np.array(self.scale))
        return _softmax(_logs(chances) + z @ np.array(self.weights))


def learn_correction(lesson: ReviewedExamples, *, seed: int = 0) -> tuple[Correction, np.ndarray]:
    """Learn a correction, and judge it on parents that were left out.

    Parameters
    ----------
    lesson : ReviewedExamples
        Reviewed examples and the probabilities of a classifier.
    seed : int
        Seed of every random choice.

    Returns
    -------
    correction
    unseen : ndarray (object, class)
        Probabilities of the reviewed objects by corrections that were learned without their parent (of a
        single parent: without them).

    Raises
    ------
    InputError
        If fewer than two objects are reviewed.
    """
    reviewed, truth, chances = lesson.reviewed, lesson.truth, lesson.chances
    if reviewed.sum() < 2:
        raise InputError("fewer than two were given a class; relabel or confirm some, then retrain")
    centre, scale = _location(lesson.features)
    z, logs = _standard(lesson.features, centre, scale), _logs(chances)
    targets = np.where(reviewed[:, None], np.eye(chances.shape[1])[truth], chances)
    counts = np.where(reviewed, 1.0, UNREVIEWED)
    parents = lesson.parents[reviewed]
    groups = parents if np.unique(parents).size > 1 else np.arange(reviewed.sum())
    part = np.full(len(truth), -1)
    part[reviewed] = folds(groups, min(N_FOLDS, np.unique(groups).size), seed=seed)
    tried = [_predict_left_out(z, logs, targets, counts, part, ridge) for ridge in RIDGES]
    losses = [-np.log(unseen[np.arange(len(unseen)), truth[reviewed]]).mean() for unseen in tried]
    best = int(np.argmin(losses))
    weights = _fit_weights(z, logs, targets, counts, RIDGES[best])
    return Correction(weights.tolist(), centre.tolist(), scale.tolist()), tried[best]


def _predict_left_out(
    z: np.ndarray, logs: np.ndarray, targets: np.ndarray, counts: np.ndarray, part: np.ndarray, ridge: float
) -> np.ndarray:
    """Return the probabilities of the reviewed objects, of each fold by a correction that did not see it."""
    found = np.zeros_like(logs)
    for fold in np.unique(part[part >= 0]):
        rest = part != fold
        weights = _fit_weights(z[rest], logs[rest], targets[rest], counts[rest], ridge)
        found[~rest] = _softmax(logs[~rest] + z[~rest] @ weights)
    return np.asarray(np.maximum(found[part >= 0], LEAST))


def _fit_weights(
    z: np.ndarray, logs: np.ndarray, targets: np.ndarray, counts: np.ndarray, ridge: float
) -> np.ndarray:
    """Return weights `(feature + 1, class)` of the least penalised cross-entropy."""
    shape = (z.shape[1], logs.shape[1])
    penalty = np.full((shape[0], 1), ridge)
    penalty[-1] = OFFSET_RIDGE

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        found = _softmax(logs + z @ weights)
        entropy = -(counts[:, None] * targets * np.log(np.maximum(found, 1e-30))).sum()
        slope = z.T @ (counts[:, None] * (found - targets)) + penalty * weights
        return float(entropy + 0.5 * (penalty * weights**2).sum()), slope.ravel()

    found: Any = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x).reshape(shape)


def _location(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.where(np.isfinite(features), features, np.nan).astype(np.float64)
    with np.errstate(invalid="ignore"):
        centre = np.nan_to_num(np.nanmean(known, axis=0)) if len(known) else np.zeros(known.shape[1])
        scale = np.nan_to_num(np.nanstd(known, axis=0)) if len(known) else np.ones(known.shape[1])
    return centre, np.where(scale > 0, scale, 1.0)


def _standard(features: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Standardised features and a column of ones; what is not finite is in the middle."""
    z = np.clip(np.nan_to_num((features - centre) / scale, nan=0.0, posinf=0.0, neginf=0.0), -5, 5)
    return np.column_stack([z, np.ones(len(z))])


def _logs(chances: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(chances, LEAST)))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
