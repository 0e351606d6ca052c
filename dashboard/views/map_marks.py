"""Marks over linked maps: a cross, the outline of the region, rings around objects, the scale bar."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import ColumnDataSource, CustomJS, Metric, MetricLength, ScaleBar

from dashboard import theme
from dashboard.kit import read_asset
from dashboard.views.shared_range import SharedRange


class MapMarks:
    """Marks on all maps that share one range."""

    def __init__(self) -> None:
        self.cross = ColumnDataSource({"x": [], "y": []})
        self.region = ColumnDataSource({"x": [], "y": []})
        self.rings = ColumnDataSource({"xs": [], "ys": [], "color": [], "width": []})

    def draw_cross(self, x: float | None, y: float | None) -> None:
        """Draw a cross; None removes it.

        Parameters
        ----------
        x, y
            Position in the units of the coordinates.
        """
        self.cross.data = {"x": [], "y": []} if x is None or y is None else {"x": [x], "y": [y]}

    def draw_region(self, polygon: Sequence[Sequence[float]]) -> None:
        """Draw a closed outline through the corners `[[x, y], ...]`; without corners, remove it."""
        closed = [*polygon, *polygon[:1]]
        self.region.data = {"x": [p[0] for p in closed], "y": [p[1] for p in closed]}

    def draw_rings(
        self, rings: Sequence[npt.NDArray[Any]], *, colors: Sequence[str], widths: Sequence[float]
    ) -> None:
        """Draw closed rings instead of the present ones.

        Parameters
        ----------
        rings : sequence of arrays (corner, 2)
            x and y of the corners in the units of the coordinates.
        colors
            A colour for each ring.
        widths
            The width of each ring's line in screen pixels.
        """
        closed = [np.vstack([ring, ring[:1]]) for ring in rings]
        self.rings.data = {
            "xs": [ring[:, 0] for ring in closed],
            "ys": [ring[:, 1] for ring in closed],
            "color": list(colors),
            "width": list(widths),
        }

    def attach(self, figure: Any, shared: SharedRange, units: str) -> None:
        """Add the marks and a scale bar to a figure.

        Parameters
        ----------
        figure
            Bokeh figure of a map.
        shared
            Its ranges.
        units
            Units of the coordinates.
        """
        figure.multi_line("xs", "ys", line_color="color", line_width="width", source=self.rings)
        figure.line("x", "y", source=self.region, **theme.OUTLINE)
        figure.scatter("x", "y", source=self.cross, **theme.CROSS)
        bar = ScaleBar(
            range=shared.x,
            unit=units,
            dimensional=scale_bar_lengths(units),
            location=(shared.bounds[0], shared.bounds[3]),
            **theme.SCALE_BAR,
        )
        figure.add_layout(bar)
        arguments = {"bar": bar, "x": shared.x, "y": shared.y, "bounds": list(shared.bounds)}
        callback = CustomJS(args=arguments, code=read_asset("scale_bar.js"))
        for axis in (shared.x, shared.y):
            axis.js_on_change("start", callback)


def scale_bar_lengths(units: str) -> Metric:
    """Return the lengths a scale bar may have: metres with prefixes, other units without."""
    if units in ("m", "mm", "µm", "nm"):
        return MetricLength()
    return Metric(
        base_unit=units, include=[units], ticks=[n * 10**power for power in range(6) for n in (1, 2, 5)]
    )
