"""Losses of logits against class numbers, by hand."""

import numpy as np
import pytest

from engine.unet import losses


def test_cross_entropy_is_minus_the_logarithm_of_the_probability() -> None:
    logits = np.log(np.array([[[[0.7, 0.2, 0.1]]]], np.float32))
    loss = losses.cross_entropy()(np.array([[[1]]]), logits)
    assert float(loss) == pytest.approx(-np.log(0.2), rel=1e-5)


def test_weights_count_classes_by_their_rarity() -> None:
    weights = losses.inverse_frequency(np.array([90, 10]))
    assert weights[1] == pytest.approx(9 * weights[0])
    assert 0.9 * weights[0] + 0.1 * weights[1] == pytest.approx(1)


def test_a_right_answer_costs_less_than_a_wrong_one_in_every_loss() -> None:
    right = np.array([[[[9.0, 0.0], [0.0, 9.0]]]], np.float32)
    classes = np.array([[[0, 1]]])
    for name, make in losses.LOSSES.items():
        loss = make([1.0, 1.0])
        assert float(loss(classes, right)) < float(loss(classes, right[..., ::-1])), name
