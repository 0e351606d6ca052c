"""Gestures of the mouse on a map: click, move, draw a region, zoom and pan."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bokeh import events
from bokeh.models import (
    BoxSelectTool,
    BoxZoomTool,
    ColumnDataSource,
    CustomJS,
    LassoSelectTool,
    PanTool,
    ResetTool,
    WheelZoomTool,
)

from dashboard.kit import read_asset

Position = Callable[[float, float], None]
Region = Callable[[list[list[float]]], None]
Guard = Callable[[Callable[[], None]], None]


def call(action: Callable[[], None]) -> None:
    """Do an action without a guard."""
    action()


class Gestures:
    """Handlers of the mouse on linked maps; `guard` (such as `Work.guard`) reports their errors."""

    def __init__(
        self,
        *,
        on_tap: Position | None = None,
        on_region: Region | None = None,
        on_move: Position | None = None,
        guard: Guard = call,
    ) -> None:
        self.on_tap, self.on_region, self.on_move, self.guard = on_tap, on_region, on_move, guard
        self.cursor = ColumnDataSource({"x": [], "y": []})
        self.cursor.on_change("data", self.move)

    def attach(self, figure: Any) -> None:
        """Give a figure its tools and listen to them."""
        wheel, pan = WheelZoomTool(zoom_on_axis=False), PanTool()
        tools = [pan, wheel, BoxZoomTool(match_aspect=True), ResetTool()]
        if self.on_region is not None:
            tools += [LassoSelectTool(continuous=False), BoxSelectTool(continuous=False)]
        figure.add_tools(*tools)
        figure.toolbar.update(active_scroll=wheel, active_drag=pan, logo=None)
        if self.on_tap is not None:
            # of two taps within 0.3 s, however far apart, Bokeh calls the second one a double tap
            for tap in (events.Tap, events.DoubleTap):
                figure.on_event(tap, self.tap)
        figure.on_event(events.SelectionGeometry, self.select_region)
        if self.on_move is not None:
            callback = CustomJS(args={"cursor": self.cursor}, code=read_asset("cursor.js"))
            figure.js_on_event(events.MouseMove, callback)

    def tap(self, event: Any) -> None:
        """Pass on the position of a click."""
        if self.on_tap is not None:
            self.guard(partial(self.on_tap, float(event.x), float(event.y)))

    def move(self, _attribute: str, _old: Any, new: Mapping[str, Any]) -> None:
        """Pass on the position of the mouse."""
        if self.on_move is not None and len(new["x"]):
            self.guard(partial(self.on_move, float(new["x"][0]), float(new["y"][0])))

    def select_region(self, event: Any) -> None:
        """Pass on the corners of a finished lasso or box."""
        polygon = polygon_of(event.geometry)
        if polygon and event.final and self.on_region is not None:
            self.guard(partial(self.on_region, polygon))


def polygon_of(geometry: Mapping[str, Any]) -> list[list[float]]:
    """Corners `[[x, y], ...]` of a lasso or box that Bokeh reports; empty for anything else.

    Examples
    --------
    >>> polygon_of({"type": "rect", "x0": 0, "y0": 1, "x1": 2, "y1": 3})
    [[0.0, 1.0], [2.0, 1.0], [2.0, 3.0], [0.0, 3.0]]
    """
    if geometry.get("type") == "rect":
        x0, y0, x1, y1 = (float(geometry[name]) for name in ("x0", "y0", "x1", "y1"))
        return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    if geometry.get("type") != "poly" or len(geometry["x"]) < 3:
        return []
    return [[float(x), float(y)] for x, y in zip(geometry["x"], geometry["y"], strict=True)]
