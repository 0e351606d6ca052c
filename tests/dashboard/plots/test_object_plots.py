"""Histograms of objects, an object close up, the stretches, and the curves of a training."""

import numpy as np
import pandas as pd
import pytest

from dashboard import theme
from dashboard.plots.images import stretched
from dashboard.plots.labels import lookup
from dashboard.plots.learning_curves import plot_loss, plot_scores
from dashboard.plots.object_charts import log_bins, paint_object, plot_distribution

theme.install()
LIMITS, QUARTILES = (0.0, 90.0, 200.0, 1000.0), (0.0, 99.3255, 100.6745, 1000.0)
"""Background 100 with noise 1."""


def test_every_positive_value_is_in_a_bin_and_the_chosen_one_is_marked():
    values = np.array([1.0, 10.0, 10.0, 100.0, np.nan, 0.0])
    shape, mark = plot_distribution(values, label="energy", units="keV", color="#0072B2", mark=10.0)
    steps = np.asarray(shape.data[0]["count"])
    assert steps[1:-1:2].sum() == 4
    assert shape.kdims[0].pprint_label == "energy (keV)"
    assert mark.data == 10.0


@pytest.mark.parametrize("values", [[], [np.nan], [5.0, 5.0], [-1.0, 0.0]])
def test_bins_rise_whatever_the_values(values):
    assert (np.diff(log_bins(np.array(values, float))) > 0).all()


def test_an_unmarked_distribution_has_as_many_parts_as_a_marked_one():
    empty = plot_distribution(np.zeros(0), label="size", units="px", color="#0072B2")
    assert len(empty) == 2


def test_a_portrait_tints_the_pixels_of_the_object_only():
    values = np.full((4, 4), 100.0)
    values[1, 1] = 500.0
    own = values > 200
    rgb = paint_object(values, own, limits=LIMITS, quartiles=QUARTILES, color="#ff0000")
    assert rgb.dtype == np.uint8
    assert (rgb[~own] == rgb[~own][:, :1]).all(), "grey"
    assert rgb[1, 1, 0] > rgb[1, 1, 1] == rgb[1, 1, 2]


def test_stretches_keep_the_order_and_asinh_is_linear_in_the_noise():
    values = np.array([99.0, 100.0, 101.0, 200.0, 1000.0])
    for stretch in ("percentile", "linear", "log", "asinh"):
        drawn, (_, low, high, _) = stretched(values, limits=LIMITS, quartiles=QUARTILES, stretch=stretch)
        assert (np.diff(drawn) >= 0).all()
        assert low < high
    drawn, _ = stretched(values, limits=LIMITS, quartiles=QUARTILES, stretch="asinh")
    np.testing.assert_allclose(drawn[:3], np.arcsinh([-1, 0, 1]), atol=2e-3)
    assert stretched(values, limits=LIMITS, quartiles=QUARTILES, stretch="linear")[1][1:3] == (0.0, 1000.0)


def test_a_hidden_class_is_transparent_and_the_opacity_is_that_over_the_frame():
    codes = lookup([1, 2], selected=[], mode="over", hidden=[1])
    palette = theme.label_palette(["#112233", "#445566"], opacity=0.25)
    assert palette[codes[1]] == "#11223300"
    assert palette[codes[2]] == "#44556640"


def test_curves_of_a_training_are_one_a_class():
    rows = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.1], "f1_glow": [0.1, 0.9], "f1_hot": [0.2, 0.8]})
    drawn = plot_scores(rows, colors={"glow": "#123456"})
    assert [curve.label for curve in drawn] == ["glow", "hot"]
    np.testing.assert_array_equal(drawn.get(0)["f1"], [0.1, 0.9])
    np.testing.assert_array_equal(plot_loss(rows).get(0)["loss"], [1.0, 0.1])


def test_before_the_first_epoch_there_is_an_empty_chart():
    assert len(plot_loss(pd.DataFrame()).get(0)) == 0
    assert len(plot_scores(pd.DataFrame(), colors={})) == 1
