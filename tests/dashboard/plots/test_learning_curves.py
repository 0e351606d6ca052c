"""Curves of a training."""

import numpy as np
import pandas as pd

from dashboard import theme
from dashboard.plots.learning_curves import plot_loss, plot_scores

theme.install()


def test_curves_of_a_training_are_one_a_class():
    rows = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.1], "f1_glow": [0.1, 0.9], "f1_hot": [0.2, 0.8]})
    drawn = plot_scores(rows, colors={"glow": "#123456"})
    assert [curve.label for curve in drawn] == ["glow", "hot"]
    np.testing.assert_array_equal(drawn.get(0)["f1"], [0.1, 0.9])
    np.testing.assert_array_equal(plot_loss(rows).get(0)["loss"], [1.0, 0.1])


def test_before_the_first_epoch_there_is_an_empty_chart():
    assert len(plot_loss(pd.DataFrame()).get(0)) == 0
    assert len(plot_scores(pd.DataFrame(), colors={})) == 1
