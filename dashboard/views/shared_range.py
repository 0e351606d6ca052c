"""The visible part of an image, shared by several maps, with square pixels on any size of frame."""

from collections.abc import Callable
from typing import Any, Final

from bokeh.models import ColumnDataSource, CustomJS, Range1d

from dashboard.kit import read_asset
from dashboard.views.layers import Window

DEFAULT_SIZE: Final = (700, 600)
"""Size of a frame in screen pixels until the browser has reported its own."""


class SharedRange:
    """The x and y range of linked maps, and the size of their frames in the browser."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        x0, y0, x1, y1 = bounds
        self.bounds = bounds
        self.x = Range1d(start=x0, end=x1, reset_start=x0, reset_end=x1)
        self.y = Range1d(start=y1, end=y0, reset_start=y1, reset_end=y0)
        self.size = ColumnDataSource({"w": [0], "h": [0], "fit": [0]})

    @property
    def ranges(self) -> tuple[float, float, float, float]:
        """Visible part: x0, x1, y0, y1."""
        return self.x.start, self.x.end, min(self.y.start, self.y.end), max(self.y.start, self.y.end)

    @property
    def pixel_width(self) -> float:
        """Width of a screen pixel in the units of the coordinates."""
        return float((self.x.end - self.x.start) / (self.size.data["w"][0] or DEFAULT_SIZE[0]))

    @property
    def window(self) -> Window:
        """Visible part, and the size of the frames in screen pixels."""
        x0, x1, y0, y1 = self.ranges
        width, height = (round(self.size.data[side][0]) for side in ("w", "h"))
        return (x0, x1), (y0, y1), width or DEFAULT_SIZE[0], height or DEFAULT_SIZE[1]

    def show(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Make a part of the image visible.

        Parameters
        ----------
        x0, x1, y0, y1
            Ends of both ranges in the units of the coordinates.
        """
        self.x.update(start=x0, end=x1)
        self.y.update(start=y1, end=y0)

    def reset(self) -> None:
        """Show the whole image."""
        self.x.update(start=self.x.reset_start, end=self.x.reset_end)
        self.y.update(start=self.y.reset_start, end=self.y.reset_end)

    def on_change(self, action: Callable[[Any], None]) -> None:
        """Call `action(document)` whenever another part becomes visible or the frames change their size."""

        def report_change(_attribute: str, _old: Any, _new: Any) -> None:
            if self.x.document is not None:
                action(self.x.document)

        for axis in (self.x, self.y):
            axis.on_change("start", report_change)
            axis.on_change("end", report_change)
        self.size.on_change("data", report_change)

    def attach(self, plot: Any) -> None:
        """Give a HoloViews plot these ranges, and keep its pixels square."""
        figure = plot.state
        figure.update(x_range=self.x, y_range=self.y)
        plot.handles.update(x_range=self.x, y_range=self.y)
        arguments = {"figure": figure, "x": self.x, "y": self.y}
        arguments |= {"size": self.size, "bounds": list(self.bounds)}
        callback = CustomJS(args=arguments, code=read_asset("keep_square.js"))
        figure.js_on_change("inner_width", callback)
        figure.js_on_change("inner_height", callback)
