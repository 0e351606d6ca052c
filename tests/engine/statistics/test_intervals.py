"""Intervals of fractions: hand-computed values, and how often they cover the truth of collections."""

import numpy as np
import pytest
from scipy.optimize import brentq

from engine.errors import InputError
from engine.statistics.corrected import correct_fractions
from engine.statistics.intervals import (
    bootstrap_fractions,
    class_fractions,
    difference,
    wilson,
)


def drawn(rng, n_parents, shares, *, correlation=0.1, n_objects=25):
    """Counts (parent, class) whose parents differ more than chance makes them: Dirichlet-multinomial."""
    of_parents = rng.dirichlet(np.array(shares) * (1 - correlation) / correlation, size=n_parents)
    sizes = np.maximum(1, rng.negative_binomial(2, 2 / (2 + n_objects), size=n_parents))
    return np.stack([rng.multinomial(size, p) for size, p in zip(sizes, of_parents, strict=True)])


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


def test_intervals_of_the_difference_cover_the_truth_of_93_in_100_pairs():
    rng = np.random.default_rng(7)
    first, second = np.array([0.6, 0.3, 0.1]), np.array([0.4, 0.3, 0.3])
    found = [difference(drawn(rng, 10, first), drawn(rng, 15, second)) for _ in range(500)]
    rates = np.mean([covered(one, first - second) for one in found], axis=0)
    assert (rates >= 0.93).all(), rates
    assert (rates <= 0.995).all(), rates


def test_drawing_two_parents_again_gives_the_quantiles_of_their_four_orders():
    # (6, 4) twice, (2, 8) twice, or one of each in two of four orders: 0.6, 0.2, 0.4
    found = bootstrap_fractions([[6, 4], [2, 8]], level=0.4, n_draws=4000)
    assert (found.low[0], found.fraction[0], found.high[0]) == pytest.approx((0.4, 0.4, 0.4))
    wide = bootstrap_fractions([[6, 4], [2, 8], [0, 0]], level=0.9, n_draws=4000)
    assert (wide.low[0], wide.high[0]) == pytest.approx((0.2, 0.6))


def test_drawing_again_depends_on_the_seed_alone():
    counts = drawn(np.random.default_rng(9), 12, (0.6, 0.3, 0.1))
    first, second, other = (bootstrap_fractions(counts, seed=seed, n_draws=200) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_drawing_one_parent_again_says_nothing_and_no_draws_are_refused():
    alone = bootstrap_fractions([[6, 4]])
    assert (alone.fraction.tolist(), alone.low.tolist(), alone.high.tolist()) == ([0.6, 0.4], [0, 0], [1, 1])
    assert np.isnan(bootstrap_fractions(np.zeros((2, 3), int))).all()
    with pytest.raises(InputError, match="0 draws give no interval"):
        bootstrap_fractions([[6, 4]] * 3, n_draws=0)
    with pytest.raises(InputError, match="level is 2"):
        bootstrap_fractions([[6, 4]] * 3, level=2)


RATES = np.array([[0.85, 0.10, 0.05], [0.08, 0.86, 0.06], [0.07, 0.09, 0.84]])
"""A classifier that is right on about 85 % of the objects."""


FOUND = np.array([0.9, 0.75, 0.55])
"""Share of the objects of each class that a finder finds."""


FALSE = np.array([0.5, 0.3, 0.2])
"""Classes that false finds are taken for."""


def classified(rng, counts, *, concentration=100):
    """Confusion matrices (parent, truth, found); each parent's rates differ a little."""
    found = [
        rng.multinomial(counts[:, i], rng.dirichlet(r * concentration, size=len(counts)))
        for i, r in enumerate(RATES)
    ]
    return np.stack(found, axis=1)


def seen(rng, present, *, n_false=2.5, aside=False):
    """Finds (parent, truth, found) of objects (parent, truth), false ones last; parents differ in all rates.

    With a found class aside for no object, into which go most false finds and a few objects.
    """
    rates = np.column_stack([0.95 * RATES, np.full(3, 0.05)]) if aside else RATES
    false = np.append(0.3 * FALSE, 0.7) if aside else FALSE
    detection = rng.beta(50 * FOUND, 50 * (1 - FOUND), size=present.shape)
    hits = rng.binomial(present, detection)
    rows = [
        rng.multinomial(hits[:, k], rng.dirichlet(100 * rates[k], size=len(hits))) for k in range(len(rates))
    ]
    n_none = rng.poisson(n_false * rng.gamma(3, 1 / 3, len(present)))
    return np.stack([*rows, rng.multinomial(n_none, false)], axis=1)


def test_corrected_intervals_cover_93_in_100_where_uncorrected_ones_miss_a_rare_class():
    rng = np.random.default_rng(6)
    shares = np.array([0.88, 0.08, 0.04])
    right, plain = [], []
    for _ in range(300):
        counts = classified(rng, drawn(rng, 20, shares)).sum(axis=1)
        held_out = classified(rng, drawn(rng, 30, (0.5, 0.3, 0.2)))
        right.append(covered(correct_fractions(counts, held_out), shares))
        plain.append(covered(class_fractions(counts), shares))
    assert (np.mean(right, axis=0) >= 0.93).all(), np.mean(right, axis=0)
    assert np.mean(plain, axis=0).max() < 0.5


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize(
    ("n_parents", "n_held_out", "shares", "correlation"),
    [
        (10, 60, (0.5, 0.3, 0.2), 0.1),
        (20, 60, (0.88, 0.08, 0.04), 0.05),
        (40, 200, (0.3, 0.5, 0.2), 0.1),
    ],
)
def test_intervals_of_all_objects_cover_92_in_100_where_some_are_missed_and_some_finds_are_none(
    n_parents, n_held_out, shares, correlation, aside
):
    rng = np.random.default_rng(0)
    right, plain = [], []
    for _ in range(300):
        # where a found class tells the false finds there may be more of them than in the held-out parents
        objects = drawn(rng, n_parents, shares, correlation=correlation)
        counts = seen(rng, objects, n_false=6.0 if aside else 2.5, aside=aside).sum(axis=1)
        present = drawn(rng, n_held_out, (0.4, 0.3, 0.3))
        held_out = seen(rng, present, aside=aside)
        right.append(covered(correct_fractions(counts, held_out, present=present), np.array(shares)))
        plain.append(covered(class_fractions(counts[:, :3]), np.array(shares)))
    rates = np.mean(right, axis=0)
    assert (rates >= 0.92).all(), rates
    if n_parents == 40:
        assert np.mean(plain, axis=0).min() < 0.9, plain
