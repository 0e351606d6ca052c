"""Metrics of a classifier, by hand and beside scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from engine.learning import scores

TRUTH = np.array([0, 0, 1, 1, 2, -1])


FOUND = np.array([0, 1, 1, 1, 0, 2])


def test_confusion_counts_what_is_known_as_scikit_learn_does() -> None:
    counts = scores.confusion(TRUTH, FOUND, n_classes=3)
    np.testing.assert_array_equal(counts, confusion_matrix(TRUTH[:5], FOUND[:5]))


def test_f1_is_that_of_scikit_learn() -> None:
    counts = scores.confusion(TRUTH, FOUND, n_classes=3)
    np.testing.assert_allclose(scores.f1(counts), f1_score(TRUTH[:5], FOUND[:5], average=None))


def test_the_report_has_a_row_a_class_and_intervals_from_parents() -> None:
    parent = np.array([[8, 2], [1, 9]])
    rows = scores.report(np.stack([parent] * 4), ["a", "b"])
    assert rows[0]["precision"] == pytest.approx(8 / 9)
    assert rows[0]["recall"] == pytest.approx(0.8)
    assert rows[0]["support"] == 40
    assert rows[0]["f1_low"] == pytest.approx(rows[0]["f1"]) == rows[0]["f1_high"]
    assert np.isnan(scores.report(parent[None], ["a", "b"])[0]["f1_low"])
