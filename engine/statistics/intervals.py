"""Fractions of classes in a collection of parents (micrographs, samples), with intervals over the parents.

Objects of one parent are alike, so it is parents that are left out one after the other (the jackknife), never
objects. A percentile bootstrap over parents would cover the truth too seldom where they are few.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError

Floats = NDArray[np.float64]


class Fractions(NamedTuple):
    """Fraction of each class, or its difference between two collections, and the ends of its interval."""

    fraction: Floats
    low: Floats
    high: Floats


def wilson(count: ArrayLike, total: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the low and high end of Wilson's interval of a fraction; NaN where the total is 0.

    Parameters
    ----------
    count, total
        Numbers of objects of a class and of all, of shapes that fit together; independent objects.
    level
        Probability with which the interval covers the truth.

    Raises
    ------
    InputError
        If a count is negative or above its total, or the level is not between 0 and 1.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; recommended by L. D. Brown, T. T. Cai, A. DasGupta,
    Statistical Science 16 (2001) 101.

    Examples
    --------
    >>> low, high = wilson(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")
    0.2553 0.3662
    """
    from scipy.special import ndtri

    part, whole = np.broadcast_arrays(np.asarray(count, np.float64), np.asarray(total, np.float64))
    if (part < 0).any() or (part > whole).any():
        raise InputError(
            "a count is negative or above its total; give numbers of objects of a class and of all"
        )
    size = np.where(whole > 0, whole, np.nan)
    return score_interval(part / size, size, quantile=np.asarray(ndtri(_upper(level))), floor=np.zeros(()))


def class_fractions(counts: ArrayLike, *, level: float = 0.95) -> Fractions:
    """Return the fraction of each class, with Wilson's interval at the effective number of objects.

    The effective number is the number of objects over the design effect: the jackknife's variance over
    parents relative to that of independent objects, at least 1 and at least that of all classes together, as
    a rare class seldom shows its own. Student's quantile for the number of parents replaces the normal one.

    Parameters
    ----------
    counts : int, dims (parent, class)
        Numbers of objects; parents without objects do not count.
    level
        Probability with which each class' interval covers the fraction in the population of parents.

    Returns
    -------
    Fractions
        Each along class. All NaN without objects; intervals from 0 to 1 with one parent, which says nothing
        about how parents differ.

    Raises
    ------
    InputError
        If the counts are not whole numbers from 0 with dims (parent, class), or the level is not between 0
        and 1.

    References
    ----------
    B. Efron, C. Stein, Ann. Stat. 9 (1981) 586 (the jackknife's variance); J. N. K. Rao, A. J. Scott, Ann.
    Stat. 12 (1984) 46 (design effects of classes and their mean); N. Dean, M. Pagano, J. Surv. Stat.
    Methodol. 3 (2015) 484 (Wilson's interval at an effective size).

    Examples
    --------
    >>> found = class_fractions([[8, 2], [5, 5], [9, 1], [7, 3]])
    >>> [f"{low:.2f} {share:.3f} {high:.2f}" for share, low, high in zip(*found)]
    ['0.42 0.725 0.90', '0.10 0.275 0.58']
    """
    table = check_parents(counts)
    share = shares(table.sum(axis=0))
    if len(table) < 2:
        return anything(share)
    variance = jackknife(shares(table.sum(axis=0) - table), share)
    independent = share * (1 - share) / table.sum()
    own = _ratio(variance, independent)
    effect = np.maximum(own, design_effect(variance, independent))
    low, high = score_interval(
        share, table.sum() / effect, quantile=student(level, len(table) - 1.0), floor=np.zeros(())
    )
    return Fractions(share, low, high)


def bootstrap_fractions(
    counts: ArrayLike, *, level: float = 0.95, seed: int = 0, n_draws: int = 2000
) -> Fractions:
    """Return the fraction of each class, with the percentiles of drawing parents with replacement.

    To be read beside `class_fractions`, whose intervals hold where this one is too narrow: with few parents,
    and for a class that is in few of them.

    Parameters
    ----------
    counts : int, dims (parent, class)
        Numbers of objects; parents without objects do not count.
    level
        Share of the draws within the interval of each class.
    seed
        Of the drawing.
    n_draws
        Number of collections drawn, each with as many parents.

    Returns
    -------
    Fractions
        Each along class. All NaN without objects, intervals from 0 to 1 with one parent.

    Raises
    ------
    InputError
        As `class_fractions` does, or if there are no draws.

    References
    ----------
    B. Efron, Ann. Stat. 7 (1979) 1 (the bootstrap); A. C. Davison, D. V. Hinkley, Bootstrap Methods and Their
    Application (1997), 3.8 (of whole parents).

    Examples
    --------
    >>> found = bootstrap_fractions([[8, 2], [5, 5], [9, 1], [7, 3]])
    >>> bool(found.low[0] < 0.725 < found.high[0])
    True
    """
    table, upper = check_parents(counts), _upper(level)
    if n_draws < 1:
        raise InputError(f"{n_draws} draws give no interval; give at least 1, some thousands as a rule")
    share = shares(table.sum(axis=0))
    if len(table) < 2:
        return anything(share)
    evenly = np.full(len(table), 1 / len(table))
    times = np.random.default_rng(seed).multinomial(len(table), evenly, size=n_draws)
    low, high = np.quantile(shares(times @ table), [1 - upper, upper], axis=0)
    return Fractions(share, low, high)


def difference(counts_a: ArrayLike, counts_b: ArrayLike, *, level: float = 0.95) -> Fractions:
    """Return by how much each class' fraction is larger in the first collection than in the second.

    Parameters
    ----------
    counts_a, counts_b : int, dims (parent, class)
        Numbers of objects of the same classes; the collections share no parent.
    level
        Probability with which each class' interval covers the difference.

    Returns
    -------
    Fractions
        Differences, from -1 to 1, along class.

    Raises
    ------
    InputError
        As `class_fractions` does, or if the numbers of classes differ.

    Examples
    --------
    >>> less = difference([[2, 8], [3, 7]] * 5, [[6, 4], [7, 3]] * 5)
    >>> less.fraction.round(2), bool(less.high[0] < 0)
    (array([-0.4,  0.4]), True)
    """
    return difference_of(class_fractions(counts_a, level=level), class_fractions(counts_b, level=level))


def difference_of(first: Fractions, second: Fractions) -> Fractions:
    """Return the difference of two estimates of independent collections, from their intervals.

    Parameters
    ----------
    first, second
        Along the same classes, their intervals of one level, which is that of the result.

    Raises
    ------
    InputError
        If the numbers of classes differ.

    References
    ----------
    R. G. Newcombe, Stat. Med. 17 (1998) 873, method 10; for any two intervals: G. Y. Zou, A. Donner,
    Stat. Med. 27 (2008) 1693.
    """
    if first.fraction.shape != second.fraction.shape:
        raise InputError(
            f"the collections have {first.fraction.size} and {second.fraction.size} classes;"
            " give both for the same classes"
        )
    between = first.fraction - second.fraction
    down = np.hypot(first.fraction - first.low, second.high - second.fraction)
    up = np.hypot(first.high - first.fraction, second.fraction - second.low)
    return Fractions(between, between - down, between + up)


def score_interval(share: Floats, size: Any, *, quantile: Floats, floor: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the interval of all p with `(share - p)^2 <= quantile^2 (floor + p (1 - p) / size)`.

    Wilson's interval where the floor is 0, `share ± quantile floor^(1/2)` where the size is infinite.

    Parameters
    ----------
    share : ndarray (class,)
        Fraction of each class.
    size : float or ndarray (class,)
        Number of independent objects, may be infinite.
    quantile : ndarray (class,)
        Of the normal or Student's distribution.
    floor : ndarray (class,)
        Variance that does not fall with the size.
    """
    spread = quantile**2 / size
    middle = (share + spread / 2) / (1 + spread)
    rest = (share**2 - quantile**2 * floor) / (1 + spread)
    half = np.sqrt(np.maximum(middle**2 - rest, 0))
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def design_effect_of(table: Floats) -> float:
    """Return the variance between parents `(parent, class)` over that of independent objects, at least 1."""
    share = shares(table.sum(axis=0))
    variance = jackknife(shares(table.sum(axis=0) - table), share)
    return design_effect(variance, share * (1 - share) / table.sum())


def design_effect(variance: Floats, independent: Floats) -> float:
    """Return the mean variance of all classes over that of independent objects, at least 1.

    Parameters
    ----------
    variance : ndarray (class,)
        Of the fractions.
    independent : ndarray (class,)
        Variance that the fractions of independent objects would have.
    """
    return max(1.0, float(_ratio(variance.sum(), independent.sum())))


def _ratio(variance: ArrayLike, independent: ArrayLike) -> Floats:
    part, whole = np.asarray(variance, np.float64), np.asarray(independent, np.float64)
    return np.asarray(np.divide(part, whole, out=np.ones(whole.shape), where=whole > 0))


def jackknife(without: Floats, whole: Floats) -> Floats:
    """Return the variance of an estimate by the jackknife (Efron & Stein, Ann. Stat. 9 (1981) 586).

    Parameters
    ----------
    without : ndarray (parent, ...)
        The estimate without each parent.
    whole : ndarray (...)
        The estimate from all parents.
    """
    n_parents = len(without)
    return np.asarray((n_parents - 1) / n_parents * np.square(without - whole).sum(axis=0))


def shares(counts: Floats) -> Floats:
    """Return counts over their sum along the last dim, NaN where that is 0."""
    whole = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(counts, whole, out=np.full(counts.shape, np.nan), where=whole > 0))


def anything(share: Floats) -> Fractions:
    """Return fractions with intervals from 0 to 1, for which nothing is known."""
    unknown = share * 0
    return Fractions(share, unknown, unknown + 1)


def student(level: float, degrees: ArrayLike) -> Floats:
    """Return the quantile of Student's distribution that a two-sided interval of a level reaches to.

    Parameters
    ----------
    level
        Probability of the interval, 0 to 1.
    degrees : float or ndarray
        Degrees of freedom.
    """
    from scipy.special import stdtrit

    return np.asarray(stdtrit(degrees, _upper(level)))


def _upper(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(f"the level is {level}; give a probability between 0 and 1, such as 0.95")
    return 1 - (1 - level) / 2


def check_parents(counts: ArrayLike) -> Floats:
    """Return the counts of the parents that have objects."""
    table = whole_numbers(counts, "(parent, class)", 2)
    return np.asarray(table[table.sum(axis=1) > 0])


def whole_numbers(counts: ArrayLike, dims: str, n_dims: int) -> Floats:
    """Return the counts as an array, if they are whole numbers with these dims.

    Parameters
    ----------
    counts : array_like
        Numbers of objects.
    dims
        Names of the dims, for the message.
    n_dims
        Number of dims.

    Raises
    ------
    InputError
        If they are not.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim != n_dims or not table.shape[-1]:
        raise InputError(f"the counts have the shape {table.shape}; give an array with dims {dims}")
    if not (np.isfinite(table).all() and (table >= 0).all() and (table == np.floor(table)).all()):
        raise InputError(
            f"the counts are not all whole numbers from 0; give numbers of objects with dims {dims}"
        )
    return table
