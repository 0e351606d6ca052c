"""Histograms of objects, and an object close up."""

import numpy as np
import pytest

from dashboard import theme
from dashboard.plots.object_charts import log_bins, paint_object, plot_distribution

LIMITS, QUARTILES = (0.0, 90.0, 200.0, 1000.0), (0.0, 99.3255, 100.6745, 1000.0)
"""Background 100 with noise 1."""
theme.install()


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
