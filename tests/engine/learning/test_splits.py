"""Splits keep parents whole, and give each part its share of every class."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.learning.splits import by_parent, folds


def collection(n_parents=60, seed=0):
    """Parent and class of objects; half of the parents hold nothing but class 0."""
    rng = np.random.default_rng(seed)
    parents = np.repeat(np.arange(n_parents), rng.integers(5, 40, n_parents))
    mixed = rng.choice(3, parents.size, p=[0.5, 0.35, 0.15])
    return parents, np.where(parents % 2, mixed, 0)


def test_all_objects_of_a_parent_are_in_one_part():
    parents, classes = collection()
    rng = np.random.default_rng(1)
    order = rng.permutation(parents.size)
    parts = by_parent(parents[order], seed=3, classes=classes[order])
    for parent in np.unique(parents):
        assert np.unique(parts[parents[order] == parent]).size == 1
    assert set(parts) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_each_part_has_its_share_of_every_class(seed):
    parents, classes = collection(seed=seed)
    parts = by_parent(parents, seed=seed, classes=classes)
    for kind in range(3):
        found = np.bincount(parts[classes == kind], minlength=3) / (classes == kind).sum()
        assert found == pytest.approx([0.7, 0.2, 0.1], abs=0.05)


def test_classes_are_spread_more_evenly_than_without_them():
    parents, classes = collection(20)
    rare = classes == 2

    def error(parts):
        return np.abs(np.bincount(parts[rare], minlength=3) / rare.sum() - [0.7, 0.2, 0.1]).sum()

    told = [error(by_parent(parents, seed=s, classes=classes)) for s in range(20)]
    untold = [error(by_parent(parents, seed=s)) for s in range(20)]
    assert np.mean(told) < 0.5 * np.mean(untold)


def test_equal_parents_are_split_exactly():
    parts = by_parent(np.repeat(np.arange(10), 3), seed=0)
    assert np.bincount(parts).tolist() == [21, 6, 3]


def test_the_seed_chooses_which_parents_are_held_out():
    parents = np.arange(30)
    assert np.array_equal(by_parent(parents, seed=1), by_parent(parents, seed=1))
    assert not np.array_equal(by_parent(parents, seed=1), by_parent(parents, seed=2))


def test_every_part_gets_a_parent_even_of_as_many_parents_as_parts():
    parents = ["large"] * 50 + ["small"] * 49 + ["tiny"]
    assert set(by_parent(parents, shares=(0.98, 0.01, 0.01), seed=0)) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_large_parent_is_laid_before_the_small_ones_that_level_it(seed):
    parents = [*range(30), *[99] * 60]
    assert np.bincount(by_parent(parents, shares=(0.7, 0.3), seed=seed)).tolist() == [63, 27]


def test_folds_are_of_one_size_and_whole_parents():
    parents, classes = collection()
    found = folds(parents, 5, seed=0, classes=classes)
    assert np.bincount(found) / parents.size == pytest.approx([0.2] * 5, abs=0.02)
    assert all(np.unique(found[parents == parent]).size == 1 for parent in range(60))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parents": [1, 1, 2]}, "2 parents cannot be split into 3 parts"),
        ({"parents": []}, "0 parents cannot be split"),
        (
            {"parents": [1, 2, 3], "shares": (0.7, 0.7)},
            r"\(0\.7, 0\.7\); give positive numbers with the sum 1",
        ),
        ({"parents": [1, 2, 3], "shares": (1.2, -0.2)}, "give positive numbers"),
        ({"parents": [1, 2, 3], "classes": [0, 1]}, "one of each an object"),
    ],
)
def test_what_cannot_be_split_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        by_parent(**arguments, seed=0)


def test_folds_that_hold_nothing_out_are_refused():
    with pytest.raises(InputError, match="at least 2"):
        folds([1, 2, 3], 1, seed=0)
    with pytest.raises(InputError, match="3 parents cannot be split into 4"):
        folds([1, 2, 3], 4, seed=0)
