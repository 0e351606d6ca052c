"""Calibration and abstention: hand-computed values, and the temperature that was put in comes out."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.learning.calibration import abstain_below, calibration_error, risk_coverage, temperature

SURE = [0.95, 0.9, 0.9, 0.8, 0.7, 0.6]


RIGHT = [True, True, False, True, True, False]


def examples(n=20_000, hot=2.5):
    """Logits of a classifier that is `hot` times too sure, and classes drawn from its true probabilities."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (n, 3))
    gumbel = rng.gumbel(size=honest.shape)
    return honest * hot, (honest + gumbel).argmax(axis=1)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("hot", [0.5, 1.0, 2.5])
def test_the_temperature_is_how_much_too_sure_the_classifier_is(hot):
    logits, truth = examples(hot=hot)
    assert temperature(logits, truth) == pytest.approx(hot, rel=0.03)


def test_logarithms_of_probabilities_have_the_temperature_of_their_logits():
    logits, truth = examples(500)
    assert temperature(np.log(softmax(logits)), truth) == pytest.approx(temperature(logits, truth), rel=1e-5)


def test_the_temperature_mends_the_calibration_and_no_answer_changes():
    logits, truth = examples()
    cooled = logits / temperature(logits, truth)
    assert calibration_error(softmax(logits), truth) > 0.1
    assert calibration_error(softmax(cooled), truth) < 0.015
    assert np.array_equal(cooled.argmax(axis=1), logits.argmax(axis=1))


def test_examples_of_unknown_class_do_not_count():
    logits = np.log([[0.9, 0.1]] * 6)
    assert temperature(logits, [0, 0, 0, 1, -1, -1]) == pytest.approx(2.0, abs=1e-5)


def test_the_calibration_error_by_hand():
    # Bins of 0.25: (0.5, 0.75] holds 0.6 right and 0.75 wrong, (0.75, 1] holds 0.8 and 1 right:
    # (2 · |0.5 - 0.675| + 2 · |1 - 0.9|) / 4 = 0.1375
    shares = [[0.6, 0.4], [0.25, 0.75], [0.8, 0.2], [0.0, 1.0]]
    assert calibration_error(shares, [0, 0, 0, 1], n_bins=4) == pytest.approx(0.1375)
    # One bin: |3 / 4 - 3.15 / 4|
    assert calibration_error(shares, [0, 0, 0, 1], n_bins=1) == pytest.approx(0.0375)


def test_the_risk_of_each_coverage_by_hand():
    curve = risk_coverage(SURE, RIGHT)
    assert curve.threshold.tolist() == [0.95, 0.9, 0.8, 0.7, 0.6]
    assert curve.coverage == pytest.approx([1 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert curve.risk == pytest.approx([0, 1 / 3, 1 / 4, 1 / 5, 2 / 6])
    # 1 · 0 + 2 · 1/3 + 1/4 + 1/5 + 1/3, over 6
    assert curve.area == pytest.approx((2 / 3 + 1 / 4 + 1 / 5 + 1 / 3) / 6)


def test_the_curve_does_not_depend_on_the_order_of_the_examples():
    order = np.random.default_rng(2).permutation(6)
    mixed = risk_coverage(np.array(SURE)[order], np.array(RIGHT)[order])
    assert np.array_equal(mixed.risk, risk_coverage(SURE, RIGHT).risk)


@pytest.mark.parametrize(("error", "expected"), [(0.0, 0.95), (0.2, 0.7), (0.3, 0.7), (0.34, 0.6), (1, 0.6)])
def test_the_threshold_is_the_lowest_that_keeps_the_error_rate(error, expected):
    assert abstain_below(SURE, RIGHT, error=error) == expected


def test_where_no_threshold_keeps_the_error_rate_no_answer_is_given():
    assert abstain_below([0.9, 0.5], [False, True], error=0.1) == np.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: temperature([[1, 2]], [0, 1]), r"shape \(1, 2\), the true classes \(2,\)"),
        (lambda: temperature([[1, 2]], [-1]), "no held-out example"),
        (lambda: temperature([[1, 2]], [2]), "a score for every class"),
        (lambda: temperature([[1, -np.inf]], [0]), "not finite"),
        (lambda: calibration_error([[3, -2]], [0]), r"from -2 to 3; give numbers from 0 to 1"),
        (lambda: calibration_error([[1, 0]], [0], n_bins=0), "at least 1"),
        (lambda: risk_coverage([], []), "at least one"),
        (lambda: risk_coverage([np.nan], [True]), "not finite"),
        (lambda: risk_coverage([0.5, 0.6], [True]), "one of each"),
        (lambda: abstain_below([0.5], [True], error=5), r"such as 0\.05"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
