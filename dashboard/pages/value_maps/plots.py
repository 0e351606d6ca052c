"""Plots of a value map: the map with a colour bar, and the histogram of its pixels."""

from typing import Final

import holoviews as hv
import numpy as np

from dashboard import theme
from dashboard.workspace.datasets import ValueLayer

N_BINS: Final = 80
COLORS: Final = "viridis"
CENTRAL: Final = 98.0
"""Percent of the values over which the colours and the histogram reach."""
WIDTH: Final = 900
MAP_WIDTH: Final = 640
MAP_HEIGHT: Final = 560
"""Largest size of the map on the screen in pixels; its pixels are square."""


def map_plot(layer: ValueLayer) -> hv.Image:
    """Return one value as an image with a colour bar; pixels without a value are blank.

    Parameters
    ----------
    layer
        The value; of a large map its overview.
    """
    pyramid = layer.pyramid
    x0, y0, x1, y1 = pyramid.bounds
    values, bounds = pyramid.view((x0, x1), (y0, y1), WIDTH, MAP_HEIGHT)
    _, low, high, _ = pyramid.limits(percent=CENTRAL)
    share = min(MAP_WIDTH / (x1 - x0), MAP_HEIGHT / (y1 - y0))
    dimension = hv.Dimension("value", label=layer.title, unit=layer.units)
    image = hv.Image(np.asarray(values, np.float32)[::-1], bounds=bounds, vdims=[dimension])
    return image.opts(
        cmap=COLORS,
        clim=(low, high if high > low else low + 1),
        colorbar=True,
        colorbar_position="bottom",
        frame_width=round(share * (x1 - x0)),
        frame_height=round(share * (y1 - y0)),
        xlabel=f"x ({layer.pixel_units})",
        ylabel=f"y ({layer.pixel_units})",
        invert_yaxis=True,
        default_tools=["pan", "wheel_zoom", "box_zoom", "reset"],
        active_tools=["wheel_zoom"],
        tools=["hover"],
        toolbar="above",
    )


def histogram_plot(layer: ValueLayer) -> hv.Histogram:
    """Return the histogram of the pixels of one value, the outermost percent left out.

    Parameters
    ----------
    layer
        The value; of a large map its overview.
    """
    values = layer.pixels
    ends = (100 - CENTRAL) / 2
    low, high = np.percentile(values, [ends, 100 - ends]) if values.size else (0.0, 1.0)
    counts, edges = np.histogram(values, bins=N_BINS, range=(low, high if high > low else low + 1))
    dimension = hv.Dimension("value", label=layer.title, unit=layer.units)
    plot = hv.Histogram((edges, counts), kdims=[dimension], vdims=[hv.Dimension("count", label="pixels")])
    return plot.opts(responsive=True, height=240, xticks=4, color=theme.ACCENT, line_color=None, toolbar=None)
