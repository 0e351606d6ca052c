"""What is drawn over linked maps."""

import numpy as np
import pytest
from bokeh.models import ScaleBar
from bokeh.plotting import figure

from dashboard.views.map_marks import MapMarks, scale_bar_lengths
from dashboard.views.shared_range import SharedRange


def test_a_ring_is_closed_and_keeps_its_colour_and_width():
    marks = MapMarks()
    marks.draw_rings([np.array([[0, 0], [2, 0], [2, 1]])], colors=["#123456"], widths=[3])
    assert marks.rings.data["xs"][0].tolist() == [0, 2, 2, 0]
    assert marks.rings.data["ys"][0].tolist() == [0, 0, 1, 0]
    assert (marks.rings.data["color"], marks.rings.data["width"]) == (["#123456"], [3])


def test_the_cross_goes_where_one_coordinate_is_missing():
    marks = MapMarks()
    marks.draw_cross(1.5, 2.5)
    assert marks.cross.data == {"x": [1.5], "y": [2.5]}
    marks.draw_cross(1.5, None)
    assert marks.cross.data == {"x": [], "y": []}


def test_a_figure_gets_the_marks_and_a_scale_bar_in_the_lower_left_corner():
    plot, shared = figure(), SharedRange((0.0, 0.0, 8.0, 6.0))
    MapMarks().attach(plot, shared, "µm")
    assert len(plot.renderers) == 3
    (bar,) = (part for part in plot.center if isinstance(part, ScaleBar))
    assert bar.location == (0.0, 6.0)
    assert bar.range is shared.x


@pytest.mark.parametrize(("units", "prefixes"), [("nm", True), ("µm", True), ("px", False)])
def test_only_metres_have_prefixes_on_the_scale_bar(units, prefixes):
    assert (len(scale_bar_lengths(units).include or []) != 1) is prefixes
