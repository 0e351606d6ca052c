"""Whether a micrograph is unlike anything learned from: its distance from the nearest known ones.

Features are whitened by their covariance within the classes, so that a distance is in units of what varies
between pictures of one class (Mahalanobis) [1]_; the distance is to the k-th nearest known picture [2]_. The
limit is a quantile of the distances of held-out pictures.

References
----------
.. [1] K. Lee, K. Lee, H. Lee, J. Shin, A simple unified framework for detecting out-of-distribution samples,
   NeurIPS 2018, arXiv:1807.03888.
.. [2] Y. Sun, Y. Ming, X. Zhu, Y. Li, Out-of-distribution detection with deep nearest neighbors, ICML 2022,
   arXiv:2204.06507.
"""

from typing import Final, NamedTuple

import numpy as np

NEAREST: Final = 5
QUANTILE: Final = 0.98
"""Share of held-out pictures that are like those learned from."""
SHRINKAGE: Final = 0.02
"""Share of the mean variance that is added to each direction: few pictures know their covariance badly."""
N_KNOWN: Final = 4000
"""Known pictures that are kept, at most."""


class Known(NamedTuple):
    """What is kept of the pictures learned from.

    Attributes
    ----------
    middle : ndarray (feature,)
    whitening : ndarray (feature, component)
    places : ndarray (picture, component), float32
    limit : float
        Distance from which a picture is unlike all.
    """

    middle: np.ndarray
    whitening: np.ndarray
    places: np.ndarray
    limit: float


def learn(features: np.ndarray, classes: np.ndarray, held_out: np.ndarray) -> Known:
    """What is needed to tell the unknown.

    Parameters
    ----------
    features : ndarray (picture, feature)
        Of the pictures learned from.
    classes : ndarray (picture,)
    held_out : ndarray (picture, feature)
        Of others of the same classes.
    """
    values = np.asarray(features, np.float64)
    within = values - _class_means(values, classes)
    covariance = within.T @ within / max(1, len(within) - 1)
    variances, axes = np.linalg.eigh(covariance)
    floor = SHRINKAGE * float(variances.mean()) + 1e-12
    whitening = axes / np.sqrt(np.maximum(variances, 0) + floor)
    middle = values.mean(axis=0)
    places = ((values - middle) @ whitening).astype(np.float32)
    known = Known(middle.astype(np.float32), whitening.astype(np.float32), places, 1.0)
    distances = nearest(known, held_out)[1][:, -1]
    return known._replace(limit=float(np.quantile(distances, QUANTILE)) if distances.size else np.inf)


def nearest(known: Known, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and distances `(picture, rank)` of the nearest known pictures, the nearest first.

    Parameters
    ----------
    features : ndarray (picture, feature)
    """
    places = (np.asarray(features, np.float32) - known.middle) @ known.whitening
    n_nearest = min(NEAREST, len(known.places))
    squared = (
        (places**2).sum(axis=1)[:, np.newaxis]
        - 2 * places @ known.places.T
        + (known.places**2).sum(axis=1)[np.newaxis]
    )
    first = np.argpartition(squared, n_nearest - 1, axis=1)[:, :n_nearest]
    order = np.take_along_axis(squared, first, axis=1).argsort(axis=1)
    ranked = np.take_along_axis(first, order, axis=1)
    found = np.take_along_axis(squared, ranked, axis=1)
    return ranked, np.sqrt(np.maximum(found, 0))


def _class_means(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The mean of its class for each picture."""
    _, rows = np.unique(classes, return_inverse=True)
    sums = np.zeros((rows.max() + 1, values.shape[1]))
    np.add.at(sums, rows, values)
    return np.asarray((sums / np.bincount(rows)[:, np.newaxis])[rows])
