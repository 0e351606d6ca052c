"""Whether a micrograph is unlike anything learned from: its distance from the nearest known one.

What a picture looks like is judged at every depth of the network by itself: noise differs from all in the
first maps and in no others, an unknown specimen in the last ones. The features of a depth are whitened by
their covariance within the classes, so that a distance is in units of what varies between pictures of one
class (Mahalanobis) [1]_; it is that to the nearest known picture [2]_, in units of what 98 % of held-out
pictures stay below. The largest of the depths counts.

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
QUANTILE: Final = 0.98
"""Share of held-out pictures that are like those learned from."""
SHRINKAGE: Final = 0.2
"""Share of the mean variance that is added to each direction: few pictures know their covariance badly."""
N_COMPONENTS: Final = 32
"""Directions of a depth that are looked at, those that vary most."""


class Known(NamedTuple):
    """What is kept of the pictures learned from.

    Attributes
    ----------
    middle : ndarray (feature,)
    whitening : ndarray (feature, component)
        Of each depth by itself, in units of its limit.
    places : ndarray (picture, component), float32
    components : ndarray (depth,), int
        How many components each depth has.
    limit : float
        Largest distance of the depths from which a picture is unlike all.
    """

    middle: np.ndarray
    whitening: np.ndarray
    places: np.ndarray
    components: np.ndarray
    limit: float


def learn(
    features: np.ndarray,
    classes: np.ndarray,
    held_out: np.ndarray,
    *,
    depths: Sequence[int],
    kept: np.ndarray,
) -> Known:
    """What is needed to tell the unknown.

    Parameters
    ----------
    features : ndarray (picture, feature)
        Of the pictures learned from.
    classes : ndarray (picture,)
    held_out : ndarray (picture, feature)
        Of others of the same classes.
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
    known = Known(
        middle.astype(np.float32),
        whitening.astype(np.float32),
        ((values[kept] - middle) @ whitening).astype(np.float32),
        np.array(components),
        1.0,
    )
    apart = np.sqrt(_squared(known, held_out).min(axis=2))
    limits = np.maximum(np.quantile(apart, QUANTILE, axis=1), 1e-9) if apart.size else np.ones(len(axes))
    scale = (1 / np.repeat(limits, components)).astype(np.float32)
    known = known._replace(whitening=known.whitening * scale, places=known.places * scale)
    furthest = (apart / limits[:, np.newaxis]).max(axis=0)
    return known._replace(limit=float(np.quantile(furthest, QUANTILE)) if furthest.size else 1.0)


def compare(known: Known, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most similar known pictures, and how far each picture is from all, 1: the limit.

    Parameters
    ----------
    features : ndarray (picture, feature)

    Returns
    -------
    similar : ndarray (picture, rank), int
    distance : ndarray (picture,), float32
    """
    squared = _squared(known, features)
    together = squared.sum(axis=0)
    n_similar = min(N_SIMILAR, together.shape[1])
    similar = np.argsort(together, axis=1, kind="stable")[:, :n_similar]
    return similar, (np.sqrt(squared.min(axis=2)).max(axis=0) / known.limit).astype(np.float32)


def _squared(known: Known, features: np.ndarray) -> np.ndarray:
    """Squared distances `(depth, picture, known picture)`."""
    places = (np.asarray(features, np.float32) - known.middle) @ known.whitening
    found = []
    for part in _parts(known.components.tolist()):
        here, there = places[:, part], known.places[:, part]
        sums = (here**2).sum(axis=1)[:, np.newaxis] + (there**2).sum(axis=1)
        found.append(np.maximum(sums - 2 * here @ there.T, 0))
    return np.stack(found)


def _whitening(within: np.ndarray) -> np.ndarray:
    """The directions that vary most, `(feature, component)`, each divided by its spread."""
    variances, axes = np.linalg.eigh(within.T @ within / max(1, len(within) - 1))
    floor = SHRINKAGE * float(np.maximum(variances, 0).mean()) + 1e-12
    most = slice(max(0, len(variances) - N_COMPONENTS), None)
    return np.asarray(axes[:, most] / np.sqrt(np.maximum(variances[most], 0) + floor))


def _parts(sizes: Sequence[int]) -> Iterator[slice]:
    """Where each of some parts in a row lies."""
    ends = np.cumsum(sizes).tolist()
    return (slice(end - size, end) for end, size in zip(ends, sizes, strict=True))


def _class_means(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The mean of its class for each picture."""
    _, rows = np.unique(classes, return_inverse=True)
    sums = np.zeros((rows.max() + 1, values.shape[1]))
    np.add.at(sums, rows, values)
    return np.asarray((sums / np.bincount(rows)[:, np.newaxis])[rows])
