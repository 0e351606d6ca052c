"""Splits by parent: all objects of a micrograph or sample on one side, so that held-out ones are new."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError

Numbers = NDArray[np.int64]

SHARES: Final = (0.7, 0.2, 0.1)
"""Of the objects: for learning, for validation, for the test."""


def by_parent(
    parents: ArrayLike, *, seed: int, shares: Sequence[float] = SHARES, classes: ArrayLike | None = None
) -> Numbers:
    """Part that each object belongs to; all objects of a parent belong to the same one.

    Parents are laid out from the largest to the smallest, equal ones in an order drawn with the seed, each
    into the part that misses most of its share of every class (greedy). Each part gets at least one.

    Parameters
    ----------
    parents : array, dims (object)
        What each object comes from, a number or a name.
    seed
        Of the order of the parents.
    shares
        Of the objects in each part; they sum to 1.
    classes : array, dims (object), optional
        Class of each object; every class is spread over the parts like all objects.

    Returns
    -------
    ndarray of int, dims (object)
        Numbers of parts, from 0 in the order of the shares.

    Raises
    ------
    InputError
        If there are fewer parents than parts, the shares are not positive with the sum 1, or there is not one
        class for each object.

    References
    ----------
    K. Sechidis, G. Tsoumakas, I. Vlahavas, ECML PKDD (2011) 145 (greedy stratification), here of parents.

    Examples
    --------
    >>> by_parent(["a", "a", "b", "b", "c", "c"], shares=(2 / 3, 1 / 3), seed=1)
    array([0, 0, 1, 1, 0, 0])
    """
    wanted = np.asarray(shares, np.float64)
    if wanted.ndim != 1 or not wanted.size or (wanted <= 0).any() or not np.isclose(wanted.sum(), 1):
        raise InputError(f"the shares are {tuple(shares)}; give positive numbers with the sum 1")
    of_parent, rows = _content(parents, classes)
    if len(rows) < wanted.size:
        raise InputError(
            f"{len(rows)} parents cannot be split into {wanted.size} parts; give objects of at least"
            f" {wanted.size} micrographs or samples, or fewer parts"
        )
    return _spread_parents(rows, wanted, np.random.default_rng(seed))[of_parent]


def folds(parents: ArrayLike, n_folds: int, *, seed: int, classes: ArrayLike | None = None) -> Numbers:
    """Fold that each object is held out in; the folds are parts of equal share (see `by_parent`).

    Parameters
    ----------
    parents : array, dims (object)
        What each object comes from, a number or a name.
    n_folds
        Number of folds, at least 2.
    seed
        Of the order of the parents.
    classes : array, dims (object), optional
        Class of each object; every class is spread over the folds.

    Returns
    -------
    ndarray of int, dims (object)
        Numbers of folds, from 0.

    Raises
    ------
    InputError
        If there are fewer parents than folds, or fewer than 2 folds.

    Examples
    --------
    >>> sorted(set(folds([7, 7, 8, 9, 9], 3, seed=0).tolist()))
    [0, 1, 2]
    """
    if n_folds < 2:
        raise InputError(f"{n_folds} folds hold nothing out; give at least 2")
    return by_parent(parents, shares=np.full(n_folds, 1 / n_folds).tolist(), seed=seed, classes=classes)


def _content(parents: ArrayLike, classes: ArrayLike | None) -> tuple[Numbers, Numbers]:
    """Return the row of each object's parent, and a table (parent, class) of numbers of objects."""
    _, of_parent = np.unique(np.asarray(parents), return_inverse=True)
    kinds = np.zeros(of_parent.shape, int) if classes is None else np.asarray(classes)
    if of_parent.ndim != 1 or kinds.shape != of_parent.shape:
        raise InputError(
            f"the parents have the shape {of_parent.shape}, the classes {kinds.shape}; give one of each an"
            " object"
        )
    names, of_class = np.unique(kinds, return_inverse=True)
    table = np.zeros((int(of_parent.max(initial=-1)) + 1, max(1, names.size)), np.int64)
    np.add.at(table, (of_parent, of_class), 1)
    return of_parent.astype(np.int64), table


def _spread_parents(rows: Numbers, wanted: NDArray[np.float64], rng: np.random.Generator) -> Numbers:
    """Part of each parent."""
    order = rng.permutation(len(rows))
    order = order[np.argsort(-rows[order].sum(axis=1), kind="stable")]
    content = rows / rows.sum(axis=0)
    filled = np.zeros((wanted.size, rows.shape[1]))
    parts = np.full(len(rows), -1, np.int64)
    for left, parent in zip(range(len(order), 0, -1), order, strict=True):
        empty = np.setdiff1d(np.arange(wanted.size), parts)
        allowed = empty if empty.size >= left else np.arange(wanted.size)
        # How much less each part misses of its share (squared, relative to the share) with the parent in it.
        missing = wanted[allowed, None] - filled[allowed]
        gain = ((missing**2 - (missing - content[parent]) ** 2) / wanted[allowed, None]).sum(axis=1)
        chosen = allowed[rng.choice(np.flatnonzero(gain >= gain.max() - 1e-12))]
        parts[parent] = chosen
        filled[chosen] += content[parent]
    return parts
