"""The maps in the middle: raw values on the left, classes on the right, one row a variable."""

from collections.abc import Callable
from typing import Any, Final

import panel as pn
import param

from dashboard.format import format_symbol, format_units, format_value
from dashboard.kit import escape, markup
from dashboard.map_modes import MAP_MODES
from dashboard.plots.labels import Classes
from dashboard.views.gestures import Guard, call
from dashboard.views.linked import Layers, LinkedMaps
from dashboard.workspace.datasets import MapResult, Stack
from dashboard.workspace.session import Session, pixel_units
from engine.schema import LABEL
from engine.schema import columns as c

SECOND_MODE: Final = {"segments": "confidence", "confidence": "segments"}
"""What the second map of classes shows beside the first; otherwise the same, of the second variable."""
MAX_ROWS: Final = 2
TITLE_HEIGHT: Final = 20
OVERLAP: Final = (-24, 0, 0, 0)
"""Margin of a map: its tools stand beside the title, not below."""
Pick = Callable[[float, float], None]


class MapGrid(param.Parameterized):
    """Linked maps of the open data; made anew for each data set, otherwise only redrawn."""

    layers = param.ClassSelector(class_=Layers, default=None, allow_None=True)
    second_mode = param.String("confidence")
    first_variable = param.String("")
    second_variable = param.String("")

    def __init__(
        self,
        session: Session,
        *,
        on_tap: Pick,
        on_region: Callable[[list[list[float]]], None],
        on_move: Pick,
        guard: Guard = call,
    ) -> None:
        super().__init__()
        self.session = session
        self.gestures: dict[str, Any] = {"on_tap": on_tap, "on_region": on_region}
        self.gestures |= {"on_move": on_move, "guard": guard}
        self.linked: LinkedMaps | None = None
        self._shown: list[Any] = []
        self.root = pn.Column(sizing_mode="stretch_both", margin=0, css_classes=["map-grid"])
        self.titles: dict[str, Any] = {}
        session.param.watch(self._rebuild, "stack")
        session.param.watch(self._resegment, "result")
        session.param.watch(self._mode, "mode")
        session.param.watch(self._retitle, ["plane", "percent", "colormap", "mode", "result"])
        session.param.watch(self._mark, ["pixel", "region"])
        self._rebuild()

    def reset(self) -> None:
        """Show everything."""
        if self.linked is not None:
            self.linked.reset()

    def _rebuild(self, *_: Any) -> None:
        stack = self.session.stack
        pyramids = [] if stack is None else list(stack.pyramids.values())
        if pyramids and pyramids == self._shown:
            return
        self._shown = pyramids
        self.titles, self.layers = {}, None
        if stack is None:
            self.root.objects = [
                markup('<p class="empty">Open a measurement with “change…” on the left.</p>')
            ]
            return
        first = stack.pyramids[stack.variables[0]]
        self.linked = LinkedMaps(first.bounds, units=pixel_units(stack), **self.gestures)
        self.layers = empty_layers(stack)
        self.first_variable, self.second_variable = (
            stack.variables[0],
            stack.variables[1 % len(stack.variables)],
        )
        self.root.objects = [self._row(stack, row) for row in range(min(MAX_ROWS, len(stack.variables)))]
        self._retitle()

    def _row(self, stack: Stack, row: int) -> Any:
        name = stack.variables[row]
        session, linked = self.session, self.linked
        assert linked is not None  # noqa: S101  (made just before)
        look = {
            "channel": session.param.plane,
            "percent": session.param.percent,
            "colormap": session.param.colormap,
        }
        values = linked.values(stack.pyramids[name], streams=look, symbol=format_symbol(name))
        shown = {
            **look,
            "layers": self.param.layers,
            "selected": session.param.selected,
            "mode": session.param.mode if row == 0 else self.param.second_mode,
            "variable": self.param.first_variable if row == 0 else self.param.second_variable,
        }
        classes = linked.labels(self.layers, streams=shown)
        cells = [
            self._cell(f"raw-{row}", values),
            self._cell(f"classes-{row}", classes),
        ]
        return pn.Row(*cells, sizing_mode="stretch_both", margin=0)

    def _cell(self, name: str, plot: Any) -> Any:
        title = self.titles[name] = markup("", height=TITLE_HEIGHT)
        return map_cell(name, title, plot)

    def _resegment(self, *_: Any) -> None:
        stack, result = self.session.stack, self.session.result
        if stack is not None:
            self.layers = empty_layers(stack) if result is None else layers_of(stack, result)

    def _mode(self, *_: Any) -> None:
        mode = self.session.mode
        self.second_mode = SECOND_MODE.get(mode, mode)

    def _mark(self, *_: Any) -> None:
        if self.linked is not None:
            self.linked.mark(*(self.session.pixel or (None, None)))
            self.linked.outline(self.session.region)

    def _retitle(self, *_: Any) -> None:
        stack = self.session.stack
        if stack is None:
            return
        hint = "" if self.session.result is not None else "<span>appear after Run</span>"
        for row, name in enumerate(stack.variables[:MAX_ROWS]):
            mode = self.session.mode if row == 0 else SECOND_MODE.get(self.session.mode, self.session.mode)
            of = (
                f" · {format_symbol(name)}"
                if mode in ("raw", "means", "over") and len(stack.variables) > 1
                else ""
            )
            self.titles[f"raw-{row}"].object = value_title(stack, name, self.session)
            self.titles[
                f"classes-{row}"
            ].object = f'<div class="map-title"><b>{MAP_MODES[mode].title}{escape(of)}</b>{hint}</div>'


def map_cell(name: str, title: Any, plot: Any) -> Any:
    """Return a map below its title, filling its place; `name` is in its CSS class.

    Parameters
    ----------
    name
        Name of the map, part of its CSS class.
    title
        Its title.
    plot
        Its plot.
    """
    pane = pn.pane.HoloViews(plot, sizing_mode="stretch_both", linked_axes=False, margin=OVERLAP)
    return pn.Column(
        title, pane, sizing_mode="stretch_both", margin=(0, 3), css_classes=["map-cell", f"map-{name}"]
    )


def value_title(stack: Stack, name: str, session: Session) -> str:
    """Name of a variable and the ends of its stretch."""
    pyramid = stack.pyramids[name]
    _, low, high, _ = pyramid.limits(session.plane, percent=session.percent)
    unit = format_units(pyramid.units, after_number=True)
    full = str(stack.images[name].attrs.get("long_name", name))
    return (
        f'<div class="map-title"><b>{escape(full)}</b><span>{format_value(low)} '
        f'<i class="ramp {escape(session.colormap)}"></i> {format_value(high)}{escape(unit)}</span></div>'
    )


def empty_layers(stack: Stack) -> Layers:
    """Return what the map of classes is drawn from before there are any: nothing labelled."""
    blank = _blank(stack)
    return Layers(classes=Classes((), (), ()), pyramid=blank, confidence=blank, raw=stack.pyramids)


def _blank(stack: Stack) -> Any:
    import numpy as np

    from engine.pyramid import label_pyramid

    plane = stack.images[stack.variables[0]]
    plane = plane.isel({stack.spectral: 0}, drop=True) if stack.spectral else plane
    return label_pyramid(plane.copy(data=np.zeros(plane.shape, "uint8")).rename("labels")).build()


def layers_of(stack: Stack, result: MapResult) -> Layers:
    """Return what the map of classes is drawn from.

    Parameters
    ----------
    stack
        The open data.
    result
        The result that is shown.
    """
    import numpy as np

    labels = result.classes[LABEL].values.astype(int)
    means = {}
    for name in stack.variables:
        column = result.spectra.get(f"{name}_mean")
        if column is None:
            continue
        values = np.atleast_2d(column.transpose(..., LABEL).values)
        table = np.full((values.shape[0], labels.max(initial=0) + 1), np.nan)
        table[:, labels] = values
        means[name] = table
    return Layers(
        classes=classes_of(result),
        pyramid=result.labels,
        confidence=result.confidence,
        raw=stack.pyramids,
        means=means,
        entropy=result.entropy,
        object_overview=result.object_overview,
        background=result.background,
    )


def classes_of(result: MapResult) -> Classes:
    """Names and colours of a result's classes."""
    table = result.classes
    return Classes(
        labels=tuple(int(label) for label in table[LABEL].values),
        names=tuple(str(name) for name in table[c.NAME].values),
        colors=tuple(str(color) for color in table[c.COLOR].values),
    )
