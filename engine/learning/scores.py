"""Metrics of a classifier on held-out examples."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

N_RESAMPLES: Final = 2000


def confusion(truth: np.ndarray, found: np.ndarray, *, n_classes: int) -> np.ndarray:
    """Numbers of examples by true class (row) and found class (column).

    Parameters
    ----------
    truth, found : ndarray of int, same shape
        Class numbers from 0; examples of a negative true class are left out.
    """
    known = truth >= 0
    pairs = truth[known].astype(np.int64) * n_classes + found[known]
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def f1(counts: np.ndarray) -> np.ndarray:
    """F1 of each class, `2 TP / (2 TP + FP + FN)`; NaN for a class that is neither there nor found.

    Parameters
    ----------
    counts : ndarray, dims (..., truth, found)
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return _share(2 * right, counts.sum(-1) + counts.sum(-2))


def report(counts: np.ndarray, names: Sequence[str], *, seed: int = 0) -> list[dict[str, Any]]:
    """Figures of each class with 95 % intervals from resampling the parents.

    Parameters
    ----------
    counts : ndarray, dims (parent, truth, found)
        A confusion matrix of each physical parent: a frame, micrograph or sample.
    names
        Of the classes.

    Returns
    -------
    list of dict
        `name precision recall f1 f1_low f1_high support`; the interval is NaN with fewer than 2 parents.

    References
    ----------
    B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3 (percentile intervals).
    """
    whole = counts.sum(axis=0)
    right = np.diagonal(whole)
    low, high = _intervals(counts, seed=seed)
    columns = {
        "precision": _share(right, whole.sum(0)),
        "recall": _share(right, whole.sum(1)),
        "f1": f1(whole),
        "f1_low": low,
        "f1_high": high,
    }
    return [
        {
            "name": name,
            **{column: float(values[n]) for column, values in columns.items()},
            "support": int(whole[n].sum()),
        }
        for n, name in enumerate(names)
    ]


def _intervals(counts: np.ndarray, *, seed: int) -> np.ndarray:
    """2.5 and 97.5 % quantiles of each class' F1 over resampled parents, `(2, class)`."""
    if len(counts) < 2:
        return np.full((2, counts.shape[-1]), np.nan)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=N_RESAMPLES)
    resampled = f1(np.tensordot(drawn, counts, axes=1))
    seen = np.isfinite(resampled).any(axis=0)
    found = np.full((2, counts.shape[-1]), np.nan)
    found[:, seen] = np.nanquantile(resampled[:, seen], [0.025, 0.975], axis=0)
    return found


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0))
