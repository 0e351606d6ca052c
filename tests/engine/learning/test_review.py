"""Retraining from what people reviewed, for any kind of result."""

import json

import numpy as np
import pytest
import xarray as xr

from engine.learning import review
from engine.learning.correction import ReviewedExamples


@pytest.fixture
def examples() -> ReviewedExamples:
    """A classifier that always prefers class 0; one feature tells the true class."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 40)
    features = np.column_stack([truth + rng.normal(0, 0.05, 80), rng.normal(size=80)])
    return ReviewedExamples(
        np.arange(80),
        features,
        np.tile([0.6, 0.4], (80, 1)),
        truth,
        np.ones(80, bool),
        np.arange(80) % 8,
        ("a", "b"),
    )


def test_the_report_shows_the_gain_on_parents_left_out(examples: ReviewedExamples) -> None:
    report = review.learn(examples)["report"]
    assert report["n_reviewed"] == 80
    assert report["before"] == [[40, 0], [40, 0]]
    assert np.trace(report["after"]) >= 78


def test_a_result_is_reclassified_by_the_corrected_probabilities(examples: ReviewedExamples) -> None:
    given = []

    def reclassify(result: xr.DataTree, images: xr.Dataset, probabilities: np.ndarray) -> xr.DataTree:
        given.append(probabilities)
        return result.copy()

    edited = review.retrain(
        xr.DataTree(), xr.Dataset(), None, collect=lambda _: examples, reclassify=reclassify
    )
    assert (given[0].argmax(axis=1) == examples.truth).mean() > 0.95
    assert json.loads(edited.attrs["retrained"])["n_reviewed"] == 80
