"""Corrected fractions: hand-computed values, and how often their intervals cover the truth of collections."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.statistics.corrected import correct_fractions
from engine.statistics.intervals import class_fractions

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


def test_a_classifier_without_errors_corrects_nothing():
    counts = drawn(np.random.default_rng(1), 5, (0.7, 0.3))
    found = correct_fractions(counts, [np.diag([50, 40])] * 4)
    for end, plain in zip(found, class_fractions(counts), strict=True):
        assert end == pytest.approx(plain, abs=1e-7)


def test_the_variance_of_the_held_out_objects_widens_the_interval():
    counts = [[41, 59], [43, 57], [39, 61]] * 10
    few = correct_fractions(counts, [[[9, 1], [2, 8]], [[8, 2], [1, 9]], [[10, 0], [3, 7]]])
    many = correct_fractions(counts, [[[9, 1], [2, 8]], [[8, 2], [1, 9]], [[10, 0], [3, 7]]] * 30)
    assert few.fraction == pytest.approx(many.fraction, abs=1e-6)
    assert ((few.high - few.low) > 2 * (many.high - many.low)).all()


def test_an_undecided_class_takes_part_in_the_correction():
    # 0.3 · (0.8, 0.1, 0.1) + 0.7 · (0.1, 0.6, 0.3) = (0.31, 0.45, 0.24)
    found = correct_fractions([[31, 45, 24]] * 8, [[[8, 1, 1], [1, 6, 3]]] * 20)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)


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
    hits = np.sum([covered(correct_fractions(found[r], held_out), truth) for r in rows], axis=0)
    assert (hits >= 90).all(), hits


def test_a_class_that_is_missed_more_often_counts_for_more():
    # 0.3 of 0.9 and 0.7 of 0.6 are found: 0.27 · (0.9, 0.1) + 0.42 · (0.2, 0.8) = (0.327, 0.363)
    held_out, present = [[[81, 9], [12, 48]]] * 3, [[100, 100]] * 3
    found = correct_fractions([[327, 363]] * 6, held_out, present=present)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)
    of_found = correct_fractions([[327, 363]] * 6, held_out)
    assert of_found.fraction == pytest.approx([0.27 / 0.69, 0.42 / 0.69], abs=1e-6)


def test_a_finder_without_misses_changes_nothing():
    rng = np.random.default_rng(2)
    objects = drawn(rng, 40, (0.4, 0.3, 0.3))
    held_out, counts = classified(rng, objects), classified(rng, drawn(rng, 10, (0.5, 0.3, 0.2))).sum(axis=1)
    all_found = correct_fractions(counts, held_out, present=objects)
    assert np.array_equal(all_found, correct_fractions(counts, held_out))


def test_false_finds_are_taken_off_as_many_as_come_with_an_object_of_the_held_out_parents():
    # of 1000 objects (327, 363) are found as above, and 60 and 20 that are none
    held_out = [[[81, 9], [12, 48], [12, 4]]] * 3
    found = correct_fractions([[387, 383]] * 6, held_out, present=[[100, 100]] * 3)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)


@pytest.mark.parametrize("n_none", [0, 80, 800])
def test_false_finds_may_be_of_any_number_where_a_found_class_tells_them(n_none):
    # (327, 363, 0) objects and n_none · (0.1, 0.2, 0.7) that are none
    held_out, none = [[[81, 9, 0], [12, 48, 0], [1, 2, 7]]] * 3, n_none * np.array([1, 2, 7]) // 10
    found = correct_fractions([np.array([327, 363, 0]) + none] * 6, held_out, present=[[100, 100]] * 3)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-5)


def test_an_undecided_class_takes_part_in_the_correction_for_misses():
    # 0.3 · (0.72, 0.09, 0.09) + 0.7 · (0.06, 0.36, 0.18) = (0.258, 0.279, 0.153)
    held_out, present = [[[72, 9, 9], [6, 36, 18]]] * 20, [[100, 100]] * 20
    found = correct_fractions([[258, 279, 153]] * 8, held_out, present=present)
    assert found.fraction == pytest.approx([0.3, 0.7], abs=1e-6)


def test_misses_that_differ_among_parents_widen_the_interval():
    counts = [[327, 363], [330, 360], [324, 366]] * 10
    alike = [[[81, 9], [12, 48]], [[81, 9], [12, 48]]] * 10
    apart = [[[81, 9], [18, 72]], [[81, 9], [6, 24]]] * 10
    first, second = (correct_fractions(counts, m, present=[[100, 100]] * 20) for m in (alike, apart))
    assert first.fraction == pytest.approx(second.fraction, abs=1e-6)
    assert ((second.high - second.low) > 1.5 * (first.high - first.low)).all()


@pytest.mark.parametrize(
    ("present", "message"),
    [
        ([[10, 10]] * 3, "objects present have the shape"),
        ([[10]] * 2, "objects present have the shape"),
        ([[10, 10, 1, 1]] * 2, "objects present have the shape"),
        ([10, 10], r"dims \(parent, truth\)"),
        ([[10, -1]] * 2, r"dims \(parent, truth\)"),
    ],
)
def test_numbers_of_objects_that_do_not_fit_are_refused(present, message):
    held_out = [[[8, 1], [1, 7], [1, 1]]] * 2
    with pytest.raises(InputError, match=message):
        correct_fractions([[5, 5]] * 4, held_out, present=present)


def test_a_class_that_is_never_found_is_refused():
    with pytest.raises(InputError, match="class 1 is in 0 parents of the held-out"):
        correct_fractions([[5, 5]] * 4, [[[8, 1], [0, 0]]] * 3, present=[[9, 9]] * 3)


def test_false_finds_without_the_numbers_of_objects_are_one_true_class_too_many():
    with pytest.raises(InputError, match="a column for each true class"):
        correct_fractions([[5, 5]] * 4, [[[8, 1], [1, 7], [1, 1]]] * 3)
