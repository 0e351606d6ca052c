"""Intervals of fractions: hand-computed values, and how often they cover the truth of collections."""

import numpy as np
import pytest
from scipy.optimize import brentq

from engine.errors import InputError
from engine.statistics.intervals import (
    Fractions,
    class_fractions,
    corrected_fractions,
    difference,
    difference_of,
    wilson,
)

RATES = np.array([[0.85, 0.10, 0.05], [0.08, 0.86, 0.06], [0.07, 0.09, 0.84]])
"""A classifier that is right on about 85 % of the objects."""


def drawn(rng, n_parents, shares, *, correlation=0.1, n_objects=25):
    """Counts (parent, class) whose parents differ more than chance makes them: Dirichlet-multinomial."""
    of_parents = rng.dirichlet(np.array(shares) * (1 - correlation) / correlation, size=n_parents)
    sizes = np.maximum(1, rng.negative_binomial(2, 2 / (2 + n_objects), size=n_parents))
    return np.stack([rng.multinomial(size, p) for size, p in zip(sizes, of_parents, strict=True)])


def classified(rng, counts, *, concentration=100):
    """Confusion matrices (parent, truth, found); each parent's rates differ a little."""
    found = [
        rng.multinomial(counts[:, i], rng.dirichlet(r * concentration, size=len(counts)))
        for i, r in enumerate(RATES)
    ]
    return np.stack(found, axis=1)


def covered(estimate, truth):
    return (estimate.low <= truth) & (truth <= estimate.high)


def bootstrapped(rng, counts):
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=400) @ counts
    return np.quantile(weights / weights.sum(axis=1, keepdims=True), [0.025, 0.975], axis=0)


def test_wilson_gives_the_values_of_newcombe_1998():
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0000, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_wilson_of_a_quarter_of_four_by_hand():
    # z = 1.959964: (0.25 + z²/8 ± z (0.1875/4 + z²/64)^½) / (1 + z²/4)
    low, high = wilson(1, 4)
    assert (float(low), float(high)) == pytest.approx((0.04559, 0.69936), abs=1e-5)


def test_wilson_of_nothing_is_nan():
    low, high = wilson([0, 2], [0, 4])
    assert np.isnan([low[0], high[0]]).all()
    assert np.isfinite([low[1], high[1]]).all()


@pytest.mark.parametrize(("count", "total"), [(3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(count, total):
    with pytest.raises(InputError, match="negative or above its total"):
        wilson(count, total)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_no_probability_is_refused(level):
    with pytest.raises(InputError, match=r"level is .* such as 0\.95"):
        class_fractions([[1, 2], [2, 1]], level=level)


def test_the_interval_of_two_unlike_parents_is_that_of_a_hand_computed_effective_size():
    # Fractions without a parent: 0.2 and 0.6, so that the variance is 1/2 (0.2² + 0.2²) = 0.04; of 20
    # independent objects 0.24 / 20 = 0.012: design effect 10/3, effective size 6; t(1, 0.975) = 12.7062.
    found = class_fractions([[6, 4], [2, 8]])
    assert found.fraction == pytest.approx([0.4, 0.6])

    def gap(p):
        return (0.4 - p) ** 2 - 12.7062**2 * p * (1 - p) / 6

    assert found.low[0] == pytest.approx(brentq(gap, 0, 0.4), rel=1e-4)
    assert found.high[0] == pytest.approx(brentq(gap, 0.4, 1), rel=1e-4)
    assert (found.low[1], found.high[1]) == pytest.approx((1 - found.high[0], 1 - found.low[0]))


@pytest.mark.parametrize(
    ("n_parents", "shares", "correlation"),
    [
        (8, (0.6, 0.3, 0.1), 0.1),
        (8, (0.9, 0.07, 0.03), 0.05),
        (15, (0.6, 0.3, 0.1), 0.25),
        (20, (0.6, 0.3, 0.1), 0.2),
        (40, (0.5, 0.4, 0.1), 0.1),
    ],
)
def test_intervals_cover_the_truth_of_93_in_100_collections_and_a_bootstrap_less(
    n_parents, shares, correlation
):
    rng = np.random.default_rng(0)
    samples = [drawn(rng, n_parents, shares, correlation=correlation) for _ in range(600)]
    rates = np.mean([covered(class_fractions(counts), np.array(shares)) for counts in samples], axis=0)
    assert (rates >= 0.93).all(), rates
    assert (rates <= 0.995).all(), rates
    ends = np.array([bootstrapped(rng, counts) for counts in samples[:300]])
    simple = ((ends[:, 0] <= shares) & (shares <= ends[:, 1])).mean(axis=0)
    assert simple.min() < rates.min()


def test_a_class_that_is_nowhere_or_everywhere_has_an_interval_that_is_not_empty():
    found = class_fractions([[10, 0]] * 5)
    assert found.fraction.tolist() == [1, 0]
    # Student's t(4, 0.975) = 2.7764 in place of z: t² / (50 + t²)
    assert found.high[1] == pytest.approx(2.7764**2 / (50 + 2.7764**2), rel=1e-4)
    assert found.low == pytest.approx([1 - found.high[1], 0])
    assert found.high[0] == 1


def test_parents_without_objects_do_not_count():
    some = class_fractions([[6, 4], [2, 8], [5, 5]])
    more = class_fractions([[6, 4], [0, 0], [2, 8], [5, 5], [0, 0]])
    assert np.array_equal(some, more)


def test_one_parent_says_nothing_about_others_and_none_nothing_at_all():
    found = class_fractions([[6, 4]])
    assert (found.fraction.tolist(), found.low.tolist(), found.high.tolist()) == ([0.6, 0.4], [0, 0], [1, 1])
    assert np.isnan(class_fractions(np.zeros((3, 2), int))).all()
    assert np.isnan(class_fractions(np.zeros((0, 2), int))).all()
    assert np.isnan(corrected_fractions(np.zeros((0, 3), int), [np.eye(3, dtype=int)] * 2)).all()


@pytest.mark.parametrize("counts", [[1, 2], [[0.5, 1]], [[-1, 2]], [[np.nan, 2]]])
def test_tables_that_are_no_counts_are_refused(counts):
    with pytest.raises(InputError, match=r"dims \(parent, class\)"):
        class_fractions(counts)


def test_a_classifier_without_errors_corrects_nothing():
    counts = drawn(np.random.default_rng(1), 5, (0.7, 0.3))
    found = corrected_fractions(counts, [np.diag([50, 40])] * 4)
    for end, plain in zip(found, class_fractions(counts), strict=True):
        assert end == pytest.approx(plain, abs=1e-7)


def test_corrected_fractions_are_the_inverse_matrix_applied_to_those_found():
    # found = truth @ rates: 0.3 · (0.9, 0.1) + 0.7 · (0.2, 0.8) = (0.41, 0.59)
    held_out = [[[90, 10], [20, 80]]] * 3
    found = corrected_fractions([[41, 59]] * 6, held_out)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)
    assert ((found.low < found.fraction) & (found.fraction < found.high)).all()


def test_corrected_fractions_never_leave_0_to_1():
    found = corrected_fractions([[5, 95]] * 6, [[[90, 10], [20, 80]]] * 3)
    assert found.fraction == pytest.approx([0, 1], abs=1e-3)
    assert found.low[0] == 0
    assert 0.01 < found.high[0] < 0.3
    assert found.high[1] == 1


def test_the_variance_of_the_held_out_objects_widens_the_interval():
    counts = [[41, 59], [43, 57], [39, 61]] * 10
    few = corrected_fractions(counts, [[[9, 1], [2, 8]], [[8, 2], [1, 9]], [[10, 0], [3, 7]]])
    many = corrected_fractions(counts, [[[9, 1], [2, 8]], [[8, 2], [1, 9]], [[10, 0], [3, 7]]] * 30)
    assert few.fraction == pytest.approx(many.fraction, abs=1e-6)
    assert ((few.high - few.low) > 2 * (many.high - many.low)).all()


def test_an_undecided_class_takes_part_in_the_correction():
    # 0.3 · (0.8, 0.1, 0.1) + 0.7 · (0.1, 0.6, 0.3) = (0.31, 0.45, 0.24)
    found = corrected_fractions([[31, 45, 24]] * 8, [[[8, 1, 1], [1, 6, 3]]] * 20)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "confusion", "message"),
    [
        ([[1, 2, 3]], [[[9, 1], [2, 8]]] * 2, "counts have 3 found classes, the confusion matrices 2"),
        ([[1, 2]], [[[9, 1], [0, 0]], [[9, 1], [2, 8]]], "class 1 is in 1 parents of the held-out"),
        ([[1], [2]], [[[9], [8]]] * 2, "a column for each true class"),
        ([[1, 2], [2, 1]], [[[5, 5], [5, 5]]] * 2, "does not tell the classes apart"),
        ([[1, 2], [2, 1]], [[9, 1], [2, 8]], r"dims \(parent, truth, found\)"),
    ],
)
def test_tables_that_do_not_allow_a_correction_are_refused(counts, confusion, message):
    with pytest.raises(InputError, match=message):
        corrected_fractions(counts, confusion)


@pytest.mark.parametrize(("n_parents", "n_held_out"), [(10, 20), (30, 60)])
def test_corrected_intervals_cover_90_of_100_collections_of_micrographs_that_were_classified_once(
    n_parents, n_held_out
):
    rng = np.random.default_rng(5)
    pool = drawn(rng, 300, (0.5, 0.3, 0.2))
    found = classified(rng, pool).sum(axis=1)
    held_out = classified(rng, drawn(rng, n_held_out, (0.4, 0.3, 0.3)))
    truth = pool.sum(axis=0) / pool.sum()
    rows = [rng.choice(300, n_parents, replace=False) for _ in range(100)]
    hits = np.sum([covered(corrected_fractions(found[r], held_out), truth) for r in rows], axis=0)
    assert (hits >= 90).all(), hits


def test_corrected_intervals_cover_93_in_100_where_uncorrected_ones_miss_a_rare_class():
    rng = np.random.default_rng(6)
    shares = np.array([0.88, 0.08, 0.04])
    right, plain = [], []
    for _ in range(300):
        counts = classified(rng, drawn(rng, 20, shares)).sum(axis=1)
        held_out = classified(rng, drawn(rng, 30, (0.5, 0.3, 0.2)))
        right.append(covered(corrected_fractions(counts, held_out), shares))
        plain.append(covered(class_fractions(counts), shares))
    assert (np.mean(right, axis=0) >= 0.93).all(), np.mean(right, axis=0)
    assert np.mean(plain, axis=0).max() < 0.5


def test_the_difference_of_single_fractions_is_that_of_newcombe_1998():
    # Table II, method 10 without continuity correction: 56/70 and 48/80: 0.0524 to 0.3339
    first, second = [
        np.array([np.full(1, n) for n in (k / m, *wilson(k, m))]) for k, m in ((56, 70), (48, 80))
    ]
    found = difference_of(Fractions(*first), Fractions(*second))
    assert found.fraction == pytest.approx([0.2])
    assert (found.low[0], found.high[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_intervals_of_the_difference_cover_the_truth_of_93_in_100_pairs():
    rng = np.random.default_rng(7)
    first, second = np.array([0.6, 0.3, 0.1]), np.array([0.4, 0.3, 0.3])
    found = [difference(drawn(rng, 10, first), drawn(rng, 15, second)) for _ in range(500)]
    rates = np.mean([covered(one, first - second) for one in found], axis=0)
    assert (rates >= 0.93).all(), rates
    assert (rates <= 0.995).all(), rates


def test_the_difference_of_other_classes_is_refused():
    with pytest.raises(InputError, match="2 and 3 classes"):
        difference([[1, 2]] * 3, [[1, 2, 3]] * 3)
