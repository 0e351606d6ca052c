"""Fractions of classes among all objects there are: some are missed, and some that are found are none."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import InputError
from engine.statistics.intervals import (
    Floats,
    Fractions,
    anything,
    counted_parents,
    design_effect_of,
    jackknifed,
    score_interval,
    shares,
    student,
    whole_numbers,
)

N_DRAWS: Final = 2000
BLIND: Final = 1e4
"""Condition of the matrix of rates above which classes are not told apart."""


def detected_fractions(
    counts: ArrayLike, confusion: ArrayLike, present: ArrayLike, *, level: float = 0.95
) -> Fractions:
    """Fractions of the true classes among all objects, corrected for errors, misses and false finds.

    Of the objects of true class `t` a share `r[t, f]` is found as class `f`, and a true object comes with
    `b[f]` finds that are none. So of N objects with the fractions `p`, ``N (p R + b)`` are found, which is
    solved for `p`; a negative fraction becomes 0. The rates are those of held-out parents. The variance has
    two parts, from the parents of the collection and from the held-out ones, each by the jackknife.

    It holds where finder and classifier do on the collection as on the held-out parents.

    Parameters
    ----------
    counts : int, dims (parent, found)
        Objects of the collection by found class.
    confusion : int, dims (parent, truth, found)
        Found objects of the held-out parents; one more true class than there are columns in `present`, the
        last, are finds that are no object.
    present : int, dims (parent, truth)
        Objects that the held-out parents hold, found or not.
    level
        Probability with which each class' interval covers the fraction in the population of parents.

    Returns
    -------
    Fractions
        Each along the true classes. All NaN without objects, intervals from 0 to 1 with one parent.

    Raises
    ------
    InputError
        If the tables do not fit, or the classes are not told apart on the held-out parents.

    References
    ----------
    W. J. Rogan, B. Gladen, Am. J. Epidemiol. 107 (1978) 71 (the estimate for two classes); B. Efron,
    C. Stein, Ann. Stat. 9 (1981) 586 (the jackknife's variance); degrees of freedom of a sum:
    F. E. Satterthwaite, Biometrics Bull. 2 (1946) 110.

    Examples
    --------
    >>> held_out = np.array([[[6, 2], [1, 8], [2, 0]]] * 5)
    >>> there = np.array([[10, 10]] * 5)
    >>> detected_fractions([[45, 50], [45, 50]], held_out, there).fraction.round(2)
    array([0.5, 0.5])
    """
    table = counted_parents(counts)
    held_out, there = _held_out(confusion, present, n_found=table.shape[1])
    rates = _rates(held_out.sum(axis=0), there.sum(axis=0))
    _check_told_apart(rates)
    share = _solved(table.sum(axis=0), rates)
    if len(table) < 2:
        return anything(np.clip(share, 0, 1))
    without = _rates(held_out.sum(axis=0) - held_out, there.sum(axis=0) - there)
    own = jackknifed(_solved(table.sum(axis=0) - table, rates), share)
    learned = jackknifed(_solved(table.sum(axis=0), without), share)
    variance = own + learned
    degrees = variance**2 / np.maximum(own**2 / (len(table) - 1) + learned**2 / (len(there) - 1), 1e-300)
    share = shares(np.maximum(share, 0))
    n_effective = table.sum() / design_effect_of(table)
    floor = np.maximum(variance - share * (1 - share) / n_effective, 0)
    low, high = score_interval(share, n_effective, quantile=student(level, degrees), floor=floor)
    return Fractions(share, low, high)


def bootstrap_fractions(
    counts: ArrayLike, *, level: float = 0.95, seed: int = 0, n_draws: int = N_DRAWS
) -> Fractions:
    """Fractions of the found classes with percentile intervals from drawing parents again.

    Parameters
    ----------
    counts : int, dims (parent, class)
    level
        Share of the draws within the interval.

    References
    ----------
    B. Efron, Ann. Stat. 7 (1979) 1. With few parents the intervals are too narrow: `class_fractions` is not.
    """
    table = counted_parents(counts)
    share = shares(table.sum(axis=0))
    if len(table) < 2:
        return anything(share)
    times = np.random.default_rng(seed).multinomial(len(table), np.full(len(table), 1 / len(table)), n_draws)
    low, high = np.quantile(shares(times @ table), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Fractions(share, low, high)


def _held_out(confusion: ArrayLike, present: ArrayLike, *, n_found: int) -> tuple[Floats, Floats]:
    matrices = whole_numbers(confusion, "(parent, truth, found)", 3)
    there = whole_numbers(present, "(parent, truth)", 2)
    n_real = there.shape[1]
    if matrices.shape[2] != n_found or n_real != n_found or matrices.shape[1] not in (n_real, n_real + 1):
        raise InputError(
            f"the counts have {n_found} found classes, the confusion matrices {matrices.shape[1]} true and"
            f" {matrices.shape[2]} found ones, and {n_real} are present; give all for the same classes"
        )
    if len(matrices) != len(there) or len(there) < 2 or not (there.sum(axis=0) > 0).all():
        raise InputError(
            f"there are {len(matrices)} confusion matrices and {len(there)} held-out parents; give both of"
            " the same parents, two at least, with objects of each class"
        )
    return matrices, there


def _rates(found: Floats, there: Floats) -> Floats:
    """Finds `(..., truth, found)` for each true object: its own, and false ones that come with it."""
    n_real = there.shape[-1]
    own = found[..., :n_real, :] / np.maximum(there, 1)[..., np.newaxis]
    false = found[..., n_real:, :].sum(axis=-2) / np.maximum(there.sum(axis=-1), 1)[..., np.newaxis]
    return np.asarray(own + false[..., np.newaxis, :])


def _check_told_apart(rates: Floats) -> None:
    if not np.linalg.cond(rates) < BLIND:
        raise InputError(
            "the classifier does not tell the classes apart on the held-out parents, so that their fractions"
            " cannot be corrected; merge the classes that it confuses"
        )


def _solved(found: Floats, rates: Floats) -> Floats:
    """Fractions `(..., truth)` of which the rates make the found numbers `(..., found)`."""
    number = (found[..., np.newaxis, :] @ np.linalg.inv(rates))[..., 0, :]
    total = number.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(number, total, out=np.full(number.shape, np.nan), where=total != 0))
