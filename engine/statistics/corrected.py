"""Fractions of the true classes, corrected for what a finder and a classifier did wrong on held-out parents.

Objects are found as another class than theirs, are missed, and some finds are no objects. How often is known
from held-out parents (micrographs, samples), whose variance is part of the intervals.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import InputError
from engine.statistics.intervals import (
    Floats,
    Fractions,
    anything,
    check_parents,
    design_effect,
    design_effect_of,
    jackknife,
    score_interval,
    shares,
    student,
    whole_numbers,
)

N_STEPS: Final = 5000
"""Most steps of expectation maximisation."""
SETTLED: Final = 1e-10
"""Change of the fractions in a step at which it stops."""
BLIND: Final = 1e6
"""Condition number of a confusion matrix from which on it does not tell the classes apart."""
FEWEST: Final = 2
"""Held-out parents that each true class must be found in."""


class HeldOut(NamedTuple):
    """Finds in parents whose objects are known, of each parent or in sum."""

    found: Floats
    """Finds, dims (..., truth, found)."""
    objects: Floats
    """Objects, found or not, dims (..., truth)."""
    false: Floats
    """Finds that are no objects and no class of their own in `found`, dims (..., found)."""


class Solution(NamedTuple):
    """True classes that follow from the found ones."""

    finds: Floats
    """Finds of each class for one object, dims (truth, found)."""
    numbers: Floats
    """Objects for one find, along truth; last the false ones, if they are a class of their own."""
    share: Floats
    """The fractions wanted, along the classes that are no false finds."""

    @property
    def mixture(self) -> Floats:
        """Return the fractions that should be found."""
        return np.asarray(self.numbers @ self.finds)

    def changed(self, numbers: Floats) -> Floats:
        """Change of the fractions, to first order, by one of the numbers `(..., truth)`."""
        real = numbers[..., : self.share.size]
        of_all = real.sum(axis=-1, keepdims=True)
        return np.asarray((real - of_all * self.share) / self.numbers[: self.share.size].sum())


def correct_fractions(
    counts: ArrayLike, confusion: ArrayLike, *, present: ArrayLike | None = None, level: float = 0.95
) -> Fractions:
    """Return the fractions of the true classes, corrected for the errors made on held-out objects.

    The fractions are the most likely ones: found classes are a mixture of the confusion matrix' rows (by
    expectation maximisation, which stays between 0 and 1), here each row over the number of objects that it
    was counted on, so that a class of which more is missed counts for more. The variance has two parts, from
    the parents of the collection and from the held-out ones, each by the jackknife; no part is less than its
    design effect allows. The interval is the score interval whose variance is the sum: Wilson's for a
    classifier without errors, symmetric where the errors dominate.

    False finds are a class of their own, about whose share nothing is assumed, if there are as many found
    classes as true ones with it and they are in two held-out parents at least: that takes a found class for
    things taken for no object. Otherwise their share cannot be told from the collection: an object comes with
    as many false finds of each found class as one of the held-out parents did.

    It holds where finder and classifier err on the collection as they did on the held-out objects of the same
    class, which must be of other parents, and, in the latter case, where false finds are as frequent beside
    the objects.

    Parameters
    ----------
    counts : int, dims (parent, found)
        Numbers of finds in the collection by found class; an undecided class may be the last.
    confusion : int, dims (parent, truth, found)
        Numbers of held-out finds; at least as many found classes as true ones. With `present` a last true
        class more than in it are the false finds.
    present : int, dims (parent, truth), optional
        Numbers of objects in the held-out parents, found or not. The fractions are then of all objects, else
        of those that are found.
    level
        Probability with which each class' interval covers the fraction in the population of parents.

    Returns
    -------
    Fractions
        Each along truth, without false finds. All NaN without finds, intervals from 0 to 1 with one parent.

    Raises
    ------
    InputError
        If the tables do not fit, a true class is found in fewer than 2 held-out parents, or the classifier
        does not tell the classes apart.

    References
    ----------
    M. Saerens, P. Latinne, C. Decaestecker, Neural Computation 14 (2002) 21 (fractions by EM; the confusion
    matrix); D. J. Hopkins, G. King, Am. J. Polit. Sci. 54 (2010) 229 (found classes as a mixture); W. J.
    Rogan, B. Gladen, Am. J. Epidemiol. 107 (1978) 71 (rates of errors known with a variance of their own);
    D. G. Horvitz, D. J. Thompson, J. Am. Stat. Assoc. 47 (1952) 663 (weights by the chance to be found);
    degrees of freedom of a sum: F. E. Satterthwaite, Biometrics Bull. 2 (1946) 110.

    Examples
    --------
    >>> held_out = np.array([[[9, 1], [2, 8]]] * 5)
    >>> correct_fractions([[23, 27], [22, 28]], held_out).fraction.round(3)
    array([0.357, 0.643])
    >>> present = [[10, 20]] * 5
    >>> correct_fractions([[23, 27], [22, 28]], held_out, present=present).fraction.round(3)
    array([0.217, 0.783])
    """
    table = check_parents(counts)
    held_out, n_real = _check_held_out(confusion, present)
    if held_out.found.shape[2] != table.shape[1]:
        raise InputError(
            f"the counts have {table.shape[1]} found classes, the confusion matrices"
            f" {held_out.found.shape[2]}; give both for the same classes"
        )
    found = shares(table.sum(axis=0))
    best = _solution(found, _finds(_sum_parents(held_out)), n_real)
    if len(table) < 2:
        return anything(best.share)
    parts = np.array([_sampling(table, best), _learning(held_out, found, best)])
    degrees = np.array([[len(table) - 1.0], [len(held_out.found) - 1.0]])
    return _interval(
        best.share, parts, degrees, n_effective=table.sum() / design_effect_of(table), level=level
    )


def _interval(
    share: Floats, parts: Floats, degrees: Floats, *, n_effective: float, level: float
) -> Fractions:
    """Return the interval of the shares from the parts of their variance `(part, class)`."""
    variance = parts.sum(axis=0)
    squares = np.sum(np.square(parts) / degrees, axis=0)
    freedom = np.where(squares > 0, variance**2 / np.where(squares > 0, squares, 1), degrees.min())
    floor = np.maximum(variance - share * (1 - share) / n_effective, 0)
    low, high = score_interval(share, n_effective, quantile=student(level, freedom), floor=floor)
    return Fractions(share, low, high)


def _sampling(table: Floats, best: Solution) -> Floats:
    """Return the variance of the corrected fractions from which parents are in the collection."""
    solver = _solver(best.finds, best.mixture)
    total = table.sum(axis=0)
    variance = jackknife(best.changed(shares(total - table) @ solver), best.changed(shares(total) @ solver))
    independent = _multinomial(best.mixture, best.changed(solver)) / table.sum()
    return np.asarray(np.maximum(variance, independent * design_effect_of(table)))


def _learning(held_out: HeldOut, found: Floats, best: Solution) -> Floats:
    """Return the variance of the corrected fractions from which parents the errors were counted on."""
    whole = _sum_parents(held_out)
    solver = _solver(best.finds, best.mixture)
    without = _solver(_finds(_leave_one_out(held_out, whole)), best.mixture)
    variance = jackknife(best.changed(found @ without), best.changed(found @ solver))
    one = best.changed(solver)
    rows = np.array([_multinomial(row, one) for row in whole.found / whole.objects[:, np.newaxis]])
    independent = best.numbers**2 / whole.objects @ rows
    independent += (best.numbers.sum() / whole.objects.sum()) ** 2 * (whole.false @ one**2)
    return np.asarray(np.maximum(variance, independent * design_effect(variance, independent)))


def _sum_parents(held_out: HeldOut) -> HeldOut:
    return HeldOut(*(numbers.sum(axis=0) for numbers in held_out))


def _leave_one_out(held_out: HeldOut, whole: HeldOut) -> HeldOut:
    """Return the sums without each parent, dims (parent, ...)."""
    return HeldOut(*(total - part for total, part in zip(whole, held_out, strict=True)))


def _finds(held_out: HeldOut) -> Floats:
    """Return the finds of each class for one object, dims (..., truth, found), false ones included."""
    beside = held_out.false / held_out.objects.sum(axis=-1, keepdims=True)
    own = held_out.found / held_out.objects[..., np.newaxis]
    return np.asarray(own + beside[..., np.newaxis, :])


def _solution(found: Floats, finds: Floats, n_real: int) -> Solution:
    per_object = finds.sum(axis=1)
    numbers = _most_likely(found, finds / per_object[:, np.newaxis]) / per_object
    return Solution(finds, numbers, shares(numbers[:n_real]))


def _solver(finds: Floats, mixture: Floats) -> Floats:
    """Return the matrix `(found, truth)` that turns found fractions into numbers of objects.

    The inverse of the finds for one object if there are as many found classes as true ones, else weighted
    least squares (a step of Fisher's scoring).
    """
    if finds.shape[-2] == finds.shape[-1]:
        _check_sighted(finds)
        return np.asarray(np.linalg.inv(finds), np.float64)
    weights = np.divide(1, mixture, out=np.zeros_like(mixture), where=mixture > 1e-9)
    weighted = weights[..., None] * np.swapaxes(finds, -1, -2)
    normal = finds @ weighted
    _check_sighted(normal)
    return np.asarray(weighted @ np.linalg.inv(normal))


def _check_sighted(matrix: Floats) -> None:
    if not (np.linalg.cond(matrix) < BLIND).all():
        raise InputError(
            "the classifier does not tell the classes apart on the held-out objects, so that their fractions"
            " cannot be corrected; merge the classes that it confuses"
        )


def _most_likely(found: Floats, rates: Floats) -> Floats:
    """Return the fractions of the rows of which the found fractions are the most likely mixture."""
    share = np.full(len(rates), 1 / len(rates))
    for _ in range(N_STEPS):
        mixture = np.maximum(share @ rates, np.finfo(float).tiny)
        updated = share * (rates @ (found / mixture))
        updated = updated / updated.sum()
        if not np.abs(updated - share).max() > SETTLED:
            break
        share = updated
    return np.asarray(updated)


def _multinomial(probabilities: Floats, values: Floats) -> Floats:
    """Return the variance of each column of values `(found, ...)` for one object, 0 where it is missed."""
    return np.asarray(np.maximum(probabilities @ values**2 - (probabilities @ values) ** 2, 0))


def _check_held_out(confusion: ArrayLike, present: ArrayLike | None) -> tuple[HeldOut, int]:
    """Return the tables of the parents with objects, false finds apart, and the number of true classes."""
    matrices = whole_numbers(confusion, "(parent, truth, found)", 3)
    objects = matrices.sum(axis=2) if present is None else _present(present, matrices)
    n_real = objects.shape[1]
    _check_known(matrices[:, :n_real])
    false = matrices[:, n_real:]
    n_parents = (false.sum(axis=(1, 2)) > 0).sum()
    if false.size and matrices.shape[1] <= matrices.shape[2] and n_parents >= FEWEST:
        objects = np.concatenate([objects, false.sum(axis=2)], axis=1)
    n_rows = objects.shape[1]
    kept = (matrices.sum(axis=(1, 2)) > 0) | (objects.sum(axis=1) > 0)
    parts = HeldOut(matrices[:, :n_rows], objects, matrices[:, n_rows:].sum(axis=1))
    return HeldOut(*(part[kept] for part in parts)), n_real


def _present(present: ArrayLike, matrices: Floats) -> Floats:
    objects = whole_numbers(present, "(parent, truth)", 2)
    if len(objects) != len(matrices) or matrices.shape[1] - objects.shape[1] not in (0, 1):
        raise InputError(
            f"the objects present have the shape {objects.shape}, the confusion matrices {matrices.shape};"
            " give both of the same held-out parents, for the same true classes and, in the confusion"
            " matrices alone, one more for false finds"
        )
    return objects


def _check_known(matrices: Floats) -> None:
    if matrices.shape[1] > matrices.shape[2]:
        raise InputError(
            f"the confusion matrices have {matrices.shape[1]} true classes (rows) and {matrices.shape[2]}"
            " found ones (columns); give a column for each true class"
        )
    n_parents = (matrices.sum(axis=2) > 0).sum(axis=0)
    if n_parents.min() < FEWEST:
        raise InputError(
            f"class {int(n_parents.argmin())} is in {n_parents.min()} parents of the held-out objects; give"
            " confusion matrices of at least 2 parents with each class"
        )
