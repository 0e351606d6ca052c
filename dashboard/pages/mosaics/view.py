"""The one large picture of the Mosaics page: the frame, with classes, confidence or entropy over it."""

from collections.abc import Callable
from typing import Any

import panel as pn
import param

from dashboard.format import format_units, format_value
from dashboard.kit import escape, markup
from dashboard.map_modes import MAP_MODES
from dashboard.views.gestures import Guard, call
from dashboard.views.layers import DisplaySettings, Layers
from dashboard.views.linked import LinkedMaps
from dashboard.views.map_grid import TITLE_HEIGHT, empty_layers, layers_of, map_cell
from dashboard.workspace.datasets import Stack
from dashboard.workspace.object_table import Box
from dashboard.workspace.session import Session, pixel_units


class FrameView(param.Parameterized):
    """The frame of the open data; made anew for each data set, otherwise only redrawn."""

    layers = param.ClassSelector(class_=Layers, default=None, allow_None=True)
    look = param.ClassSelector(class_=DisplaySettings, default=DisplaySettings())

    def __init__(
        self,
        session: Session,
        *,
        on_tap: Callable[[float, float], None],
        on_region: Callable[[list[list[float]]], None],
        on_move: Callable[[float, float], None],
        guard: Guard = call,
    ) -> None:
        super().__init__()
        self.session = session
        self.gestures: dict[str, Any] = {"on_tap": on_tap, "on_region": on_region}
        self.gestures |= {"on_move": on_move, "guard": guard}
        self.linked: LinkedMaps | None = None
        self.title = markup("", height=TITLE_HEIGHT)
        self.root = pn.Column(sizing_mode="stretch_both", margin=0, css_classes=["map-grid"])
        session.param.watch(self._rebuild, "stack")
        session.param.watch(self._show_result, "result")
        session.param.watch(self._restyle, ["stretch", "hidden", "opacity"])
        session.param.watch(self._retitle, ["percent", "colormap", "mode", "result", "stretch"])
        session.param.watch(self._mark, "pixel")
        session.param.watch(lambda event: self.outline(event.new), "region")
        self._rebuild()

    def reset(self) -> None:
        """Show the whole frame."""
        if self.linked is not None:
            self.linked.reset()

    def show(self, box: Box) -> None:
        """Show a part of the frame, and what is beside it where the picture is wider or higher."""
        if self.linked is None:
            return
        x0, x1, y0, y1 = box
        left, right, top, bottom = self.linked.ranges
        unit = max((x1 - x0) / (right - left), (y1 - y0) / (bottom - top))
        wide, high = unit * (right - left) / 2, unit * (bottom - top) / 2
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        self.linked.show(x - wide, x + wide, y - high, y + high)

    @property
    def unit(self) -> float:
        """Width of a screen pixel in the units of the coordinates."""
        return 0.0 if self.linked is None else self.linked.shared.pixel_width

    def outline(self, polygon: list[list[float]]) -> None:
        """Draw an outline; an empty one removes it."""
        if self.linked is not None:
            self.linked.outline(polygon)

    def _rebuild(self, *_: Any) -> None:
        stack = self.session.stack
        self.layers = None
        if stack is None:
            self.root.objects = [markup('<p class="empty">Open a frame with “change…” on the left.</p>')]
            return
        name = stack.variables[0]
        self.linked = LinkedMaps(stack.pyramids[name].bounds, units=pixel_units(stack), **self.gestures)
        self.layers = empty_layers(stack)
        session = self.session
        streams = {
            "layers": self.param.layers,
            "look": self.param.look,
            "channel": session.param.plane,
            **{name: session.param[name] for name in ("percent", "colormap", "selected", "mode")},
        }
        plot = self.linked.labels(self.layers, streams=streams)
        self.root.objects = [map_cell("frame", self.title, plot)]
        self._restyle()
        self._retitle()

    def _show_result(self, *_: Any) -> None:
        stack, result = self.session.stack, self.session.result
        if stack is not None:
            self.layers = empty_layers(stack) if result is None else layers_of(stack, result)

    def _restyle(self, *_: Any) -> None:
        session = self.session
        self.look = DisplaySettings(session.stretch, tuple(session.hidden), session.opacity)

    def _mark(self, *_: Any) -> None:
        if self.linked is not None:
            self.linked.mark(*(self.session.pixel or (None, None)))

    def _retitle(self, *_: Any) -> None:
        stack, session = self.session.stack, self.session
        if stack is None:
            return
        scale = scale_html(stack, session) if session.mode in ("over", "raw") else ""
        hint = "" if session.result is not None else "<span>classes appear after Run</span>"
        self.title.object = (
            f'<div class="map-title"><b>{MAP_MODES[session.mode].frame_title}</b>{scale}{hint}</div>'
        )


def scale_html(stack: Stack, session: Session) -> str:
    """Return the ends of the grey scale as HTML.

    Parameters
    ----------
    stack
        The opened data.
    session
        State of the tab.

    Returns
    -------
    str
        HTML of the scale.
    """
    pyramid = stack.pyramids[stack.variables[0]]
    limits = pyramid.limits(session.plane, percent=session.percent)
    ends = (limits[0], limits[3]) if session.stretch == "linear" else limits[1:3]
    unit = format_units(pyramid.units, after_number=True)
    ramp = f'<i class="ramp {escape(session.colormap)}"></i>'
    low, high = (format_value(end) for end in ends)
    return f"<span>{low} {ramp} {high}{escape(unit)}, {escape(session.stretch)}</span>"
