"""Novelty: the distance of an image from those that the model was trained on.

What a picture looks like is judged at every depth of the network by itself: noise differs from all in the
first maps and in no others, an unknown specimen in the last ones. The features of a depth are whitened by
their covariance within the classes, so that a distance is in units of what varies between pictures of one
class (Mahalanobis) [1]_; it is that to the nearest known picture [2]_, in units of what 97 % of held-out
pictures stay below. How strange it is, a linear rule says that tells the known pictures from some made to be
strange (`strange`), in the same units: 0 for the median of held-out pictures. The largest of all counts.

References
----------
.. [1] K. Lee, K. Lee, H. Lee, J. Shin, A simple unified framework for detecting out-of-distribution samples,
   NeurIPS 2018, arXiv:1807.03888.
.. [2] Y. Sun, Y. Ming, X. Zhu, Y. Li, Out-of-distribution detection with deep nearest neighbors, ICML 2022,
   arXiv:2204.06507.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

N_SIMILAR: Final = 5
QUANTILE: Final = 0.97
"""Share of held-out pictures that are like those learned from."""
SHRINKAGE: Final = 0.2
"""Share of the mean variance that is added to each direction: few pictures know their covariance badly."""
STRICTNESS: Final = 0.01
"""Inverse of the penalty on the weights of the rule that tells strange pictures, in standardised features."""
N_COMPONENTS: Final = 32
"""Directions of a depth that are looked at, those that vary most."""


class Known(NamedTuple):
    """Reference images as features, in units of the limit.

    Attributes
    ----------
    middle : ndarray (feature,)
    whitening : ndarray (feature, component)
        Of each depth by itself.
    places : ndarray (picture, component), float32
    components : ndarray (depth,), int
        How many components each depth has.
    direction : ndarray (feature,)
        In which pictures become strange.
    level : ndarray ()
        How strange the middle is.
    """

    middle: np.ndarray
    whitening: np.ndarray
    places: np.ndarray
    components: np.ndarray
    direction: np.ndarray
    level: np.ndarray


def learn(
    features: np.ndarray,
    classes: np.ndarray,
    held_out: np.ndarray,
    strange: np.ndarray,
    *,
    depths: Sequence[int],
    kept: np.ndarray,
) -> Known:
    """Return what is needed to tell the unknown.

    Parameters
    ----------
    features : ndarray (picture, feature)
        Of the pictures learned from.
    classes : ndarray (picture,)
    held_out : ndarray (picture, feature)
        Of others of the same classes.
    strange : ndarray (picture, feature)
        Of pictures made to be unlike them.
    depths
        How many of the features each depth has, in their order.
    kept : ndarray of int
        Pictures that are kept to compare with.
    """
    values = np.asarray(features, np.float64)
    middle = values.mean(axis=0)
    within = values - _class_means(values, classes)
    axes = [_whitening(within[:, part]) for part in _parts(depths)]
    whitening = np.zeros((values.shape[1], sum(axis.shape[1] for axis in axes)))
    components = [axis.shape[1] for axis in axes]
    for rows, columns, axis in zip(_parts(depths), _parts(components), axes, strict=True):
        whitening[rows, columns] = axis
    direction = _direction(values, np.asarray(strange, np.float64))
    known = Known(
        middle.astype(np.float32),
        whitening.astype(np.float32),
        ((values[kept] - middle) @ whitening).astype(np.float32),
        np.array(components),
        direction.astype(np.float32),
        np.zeros((), np.float32),
    )
    return _in_units_of_limits(known, held_out) if len(held_out) else known


def _direction(values: np.ndarray, strange: np.ndarray) -> np.ndarray:
    """Direction `(feature,)` from known to strange pictures, by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    spread = np.maximum(values.std(axis=0), 1e-6)
    both = np.concatenate([values, strange]) - values.mean(axis=0)
    rule = LogisticRegression(C=STRICTNESS, class_weight="balanced", max_iter=1000)
    rule.fit(both / spread, np.repeat([0, 1], [len(values), len(strange)]))
    return np.asarray(rule.coef_[0] / spread)


def _in_units_of_limits(known: Known, held_out: np.ndarray) -> Known:
    """Return the same, such that all but a few held-out pictures stay below 1."""
    apart = np.sqrt(_squared_distances(known, held_out).min(axis=2))
    limits = np.maximum(np.quantile(apart, QUANTILE, axis=1), 1e-9)
    strangeness = _strangeness(known, held_out)
    usual = float(np.median(strangeness))
    limit = max(float(np.quantile(strangeness, QUANTILE)) - usual, 1e-9)
    largest = np.concatenate([apart / limits[:, np.newaxis], [(strangeness - usual) / limit]]).max(axis=0)
    together = max(float(np.quantile(largest, QUANTILE)), 1e-9)
    scale = (1 / np.repeat(limits * together, known.components)).astype(np.float32)
    return known._replace(
        whitening=known.whitening * scale,
        places=known.places * scale,
        direction=known.direction / np.float32(limit * together),
        level=np.asarray(-usual / (limit * together), np.float32),
    )


def compare(known: Known, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the most similar known pictures, and how far each picture is from all, 1: the limit.

    Parameters
    ----------
    features : ndarray (picture, feature)

    Returns
    -------
    similar : ndarray (picture, rank), int
    distance : ndarray (picture,), float32
        Or how strange it is, if that is more.
    """
    squared = _squared_distances(known, features)
    together = squared.sum(axis=0)
    n_similar = min(N_SIMILAR, together.shape[1])
    similar = np.argsort(together, axis=1, kind="stable")[:, :n_similar]
    distance = np.sqrt(squared.min(axis=2)).max(axis=0)
    return similar, np.maximum(distance, _strangeness(known, features)).astype(np.float32)


def _strangeness(known: Known, features: np.ndarray) -> np.ndarray:
    return np.asarray((np.asarray(features, np.float32) - known.middle) @ known.direction + known.level)


def _squared_distances(known: Known, features: np.ndarray) -> np.ndarray:
    """Squared distances `(depth, picture, known picture)`."""
    places = (np.asarray(features, np.float32) - known.middle) @ known.whitening
    found = []
    for part in _parts(known.components.tolist()):
        here, there = places[:, part], known.places[:, part]
        sums = (here**2).sum(axis=1)[:, np.newaxis] + (there**2).sum(axis=1)
        found.append(np.maximum(sums - 2 * here @ there.T, 0))
    return np.stack(found)


def _whitening(within: np.ndarray) -> np.ndarray:
    """Return the directions that vary most, `(feature, component)`, each divided by its spread."""
    variances, axes = np.linalg.eigh(within.T @ within / max(1, len(within) - 1))
    floor = SHRINKAGE * float(np.maximum(variances, 0).mean()) + 1e-12
    most = slice(max(0, len(variances) - N_COMPONENTS), None)
    return np.asarray(axes[:, most] / np.sqrt(np.maximum(variances[most], 0) + floor))


def _parts(sizes: Sequence[int]) -> Iterator[slice]:
    """Return where each of some parts in a row lies."""
    ends = np.cumsum(sizes).tolist()
    return (slice(end - size, end) for end, size in zip(ends, sizes, strict=True))


def _class_means(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the mean of its class for each picture."""
    _, rows = np.unique(classes, return_inverse=True)
    sums = np.zeros((rows.max() + 1, values.shape[1]))
    np.add.at(sums, rows, values)
    return np.asarray((sums / np.bincount(rows)[:, np.newaxis])[rows])
