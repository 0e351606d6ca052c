"""Fractions of all objects, of which some are missed and some that are found are none."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.statistics.detected import bootstrap_fractions, detected_fractions
from engine.statistics.intervals import class_fractions

RATES = np.array([[0.70, 0.14, 0.02], [0.08, 0.76, 0.03], [0.02, 0.03, 0.65]])
"""Found as each class, of the objects of each true one; the rest is missed."""
FALSE = np.array([0.03, 0.02, 0.01])
"""False finds of each class for a true object."""
TRUTH = np.array([0.35, 0.45, 0.2])


def drawn(rng: np.random.Generator, n_parents: int) -> tuple[np.ndarray, np.ndarray]:
    """Confusion `(parent, truth, found)` and true numbers `(parent, class)` of parents that differ."""
    sizes = rng.poisson(rng.gamma(4, 3, n_parents)) + 1
    there = np.stack([rng.multinomial(n, rng.dirichlet(8 * TRUTH)) for n in sizes])
    found = np.zeros((n_parents, 4, 3), int)
    for parent in range(n_parents):
        for k in range(3):
            chances = [*RATES[k], 1 - RATES[k].sum()]
            found[parent, k] = rng.multinomial(there[parent, k], chances)[:3]
        found[parent, 3] = rng.poisson(FALSE * sizes[parent])
    return found, there


def test_rates_that_are_known_are_undone_exactly():
    there = np.full((10, 3), 1000)
    held_out = np.zeros((10, 4, 3), int)
    held_out[:, :3] = np.round(1000 * RATES)
    held_out[:, 3] = np.round(3000 * FALSE)
    found = np.round(1e6 * (TRUTH @ RATES + FALSE)).astype(int)
    fraction = detected_fractions([found, found], held_out, there).fraction
    np.testing.assert_allclose(fraction, TRUTH, atol=1e-5)


@pytest.mark.parametrize("n_parents", [12, 40])
def test_intervals_hold_the_truth_where_those_of_found_objects_do_not(n_parents: int):
    rng = np.random.default_rng(1)
    held, plain = np.zeros(3), np.zeros(3)
    for _ in range(300):
        collection, learned = drawn(rng, n_parents)[0].sum(axis=1), drawn(rng, 120)
        found = detected_fractions(collection, *learned)
        held += (found.low <= TRUTH) & (found.high >= TRUTH)
        raw = class_fractions(collection)
        plain += (raw.low <= TRUTH) & (raw.high >= TRUTH)
    assert (held >= 0.9 * 300).all()
    if n_parents == 40:
        assert plain.min() < 0.9 * 300


def test_drawing_parents_again_gives_intervals_like_wilsons_where_there_are_many():
    counts = drawn(np.random.default_rng(2), 150)[1]
    again, wilson = bootstrap_fractions(counts), class_fractions(counts)
    np.testing.assert_array_equal(again.fraction, wilson.fraction)
    np.testing.assert_allclose(again.high - again.low, wilson.high - wilson.low, rtol=0.2)


def test_tables_that_do_not_fit_are_refused():
    found, there = drawn(np.random.default_rng(3), 5)
    with pytest.raises(InputError, match="give all for the same classes"):
        detected_fractions([[1, 2]], found, there)
    with pytest.raises(InputError, match="two at least"):
        detected_fractions([[1, 2, 3]], found[:1], there[:1])
    blind = np.ones((5, 3, 3), int)
    with pytest.raises(InputError, match="does not tell the classes apart"):
        detected_fractions([[1, 2, 3]], blind, np.full((5, 3), 9))
