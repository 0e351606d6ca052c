"""Maps that zoom, pan and select together, each showing one screenful from a pyramid.

All maps of one `LinkedMaps` share their ranges. While the user zooms or pans, the browser moves the images
it has at once, and the server sends sharper ones: it listens to the ranges themselves, at most every
`live.INTERVAL` ms, and waits neither for Bokeh's end of interaction (500 ms) nor for HoloViews' debounce
(100 ms). Rasters of up to `WHOLE_PIXELS` are sent whole, once a channel: zooming them never asks the server.

Pixels are square on any size of pane (HoloViews' `data_aspect` is not kept on responsive panes): the ranges
follow the frame's size in the browser. Row 0 of an image is at the top.

    maps = LinkedMaps(pyramid.bounds, units="µm", on_tap=pick, on_region=select)
    delta = maps.values(pyramid, streams={"channel": state.param.wavelength_index})
    zones = maps.labels(layers, streams={"selected": state.param.selected, "mode": state.param.mode,
                                         "channel": state.param.wavelength_index})
    pn.pane.HoloViews(delta, sizing_mode="stretch_both", linked_axes=False)

`on_tap(x, y)`, `on_move(x, y)` (at most every 80 ms) and `on_region([[x, y], ...])` get coordinates in the
data's units and run on the event loop: hand long work to a thread. `maps.mark(x, y)` and
`maps.outline(polygon)` draw on all maps; `maps.reset()` shows everything; `maps.ranges` is what is visible,
as (x0, x1, y0, y1). The plots' `hooks` option is taken: setting it on a returned plot has no effect.

Streams are parameters whose change redraws, by name. Of `values`: channel, percent (of the values within the
stretch), colormap. Of `labels`: layers, selected (labels; none = all alike), mode (`plots.labels.MODES`),
channel, variable (that the means and the raw map are of), percent, colormap.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt
from bokeh import events
from bokeh.models import (
    BoxSelectTool,
    BoxZoomTool,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    HoverTool,
    LassoSelectTool,
    Metric,
    MetricLength,
    PanTool,
    Range1d,
    ResetTool,
    ScaleBar,
    WheelZoomTool,
)

from dashboard import theme
from dashboard.plots.images import DECODE_JS, Raster, value_raster
from dashboard.plots.labels import CONFIDENCE_JS, NAME_JS
from dashboard.plots.spectra import shown_units
from dashboard.views.layers import Layers, Window, rasters
from dashboard.views.live import LiveMap, Streams, Throttle, put

__all__ = ["Layers", "LinkedMaps", "polygon_of"]
from engine.pyramid import Pyramid

LOD_TIMEOUT: Final = 80
WHOLE_PIXELS: Final = 2**19
DEFAULT_SIZE: Final = (700, 600)


_KEEP_SQUARE: Final = """
const w = figure.inner_width, h = figure.inner_height;
if (!(w > 1 && h > 1)) return;
const [x0, y0, x1, y1] = bounds;
const fit = Math.max((x1 - x0) / w, (y1 - y0) / h);
const shown = Math.abs(x.end - x.start), whole = size.data.fit[0];
const all = shown === x1 - x0 && Math.abs(y.end - y.start) === y1 - y0;
const unit = whole > 0 ? fit * (shown / size.data.w[0]) / whole
           : all ? fit : Math.max(shown / w, Math.abs(y.end - y.start) / h);
const cx = (x.start + x.end) / 2, cy = (y.start + y.end) / 2;
size.data = {w: [w], h: [h], fit: [fit]};
const mx = (x0 + x1) / 2, my = (y0 + y1) / 2;
x.setv({start: cx - unit * w / 2, end: cx + unit * w / 2,
        reset_start: mx - fit * w / 2, reset_end: mx + fit * w / 2});
y.setv({start: cy + unit * h / 2, end: cy - unit * h / 2,
        reset_start: my + fit * h / 2, reset_end: my - fit * h / 2});
"""
"""Keep pixels square when the frame's size changes: keep the centre and the magnification."""


_PLACE_BAR: Final = """
bar.setv({location: [Math.max(x.start, bounds[0]), Math.min(y.start, bounds[3])]}, {sync: false});
"""
"""Keep the scale bar in the lower left corner of what is visible of the image."""


_TELL_CURSOR: Final = """
const {x, y} = cb_obj, wait = 80 - (Date.now() - (cursor.told ?? 0));
clearTimeout(cursor.later);
cursor.later = setTimeout(() => {
  cursor.told = Date.now();
  cursor.data = {x: [x], y: [y]};
}, Math.max(0, wait));
"""


def _lengths(units: str) -> Metric:
    """What a scale bar may say: metres with their prefixes; anything else, such as px, without."""
    if units in ("m", "mm", "µm", "nm"):
        return MetricLength()
    return Metric(
        base_unit=units, include=[units], ticks=[n * 10**power for power in range(6) for n in (1, 2, 5)]
    )


class LinkedMaps:
    """Maps of one raster that share ranges, marks and gestures; one per session and raster."""

    def __init__(
        self,
        bounds: tuple[float, float, float, float],
        *,
        units: str = "px",
        on_tap: Callable[[float, float], None] | None = None,
        on_region: Callable[[list[list[float]]], None] | None = None,
        on_move: Callable[[float, float], None] | None = None,
    ) -> None:
        x0, y0, x1, y1 = bounds
        self.bounds = bounds
        self.units = units
        self.on_tap = on_tap
        self.on_region = on_region
        self.on_move = on_move
        self._x = Range1d(start=x0, end=x1, reset_start=x0, reset_end=x1)
        self._y = Range1d(start=y1, end=y0, reset_start=y1, reset_end=y0)
        self._size = ColumnDataSource({"w": [0], "h": [0], "fit": [0]})
        self._outline = ColumnDataSource({"x": [], "y": []})
        self._mark = ColumnDataSource({"x": [], "y": []})
        self._rings = ColumnDataSource({"xs": [], "ys": [], "color": [], "width": []})
        self._cursor = ColumnDataSource({"x": [], "y": []})
        self._cursor.on_change("data", self._pointed)
        self._refining = Throttle(self._refine)
        self._maps: list[LiveMap] = []
        for axis in (self._x, self._y):
            axis.on_change("start", self._moved)
            axis.on_change("end", self._moved)
        self._size.on_change("data", self._moved)

    # ------------------------------------------------------------ maps
    def values(self, pyramid: Pyramid, *, streams: Streams, symbol: str = "value") -> hv.DynamicMap:
        """Map of one variable's values at a channel."""
        scale = ColumnDataSource({"limits": [0, 0, 1, 1], "units": [shown_units(pyramid.units)] * 4})

        def draw(
            window: Window, channel: int = 0, percent: float = 99.0, colormap: str = "viridis"
        ) -> list[Raster]:
            limits = pyramid.limits(channel, percent=percent)
            put(scale, limits=list(limits))
            values, bounds = pyramid.view(*window, channel=channel)
            return [value_raster(values, bounds, limits=limits, colormap=colormap)]

        decode = CustomJSHover(args={"scale": scale}, code=DECODE_JS)
        options = self._options(self._hover({symbol: ("@image", decode)}))
        live = self._add(draw, streams, lambda **_: pyramid)
        return hv.DynamicMap(lambda: live.rasters()[0].image()).opts(
            hv.opts.Image("Values", **options, hooks=[partial(self._attach, live)])
        )

    def labels(self, layers: Layers, *, streams: Streams) -> hv.DynamicMap:
        """Map of classes: labels, raw values, class means, labels over raw, or confidence, by `mode`."""
        names = ColumnDataSource({"name": list(layers.classes.names)})

        def draw(window: Window, layers: Layers = layers, **shown: Any) -> list[Raster]:
            put(names, name=list(layers.classes.names))
            return rasters(layers, window, **shown)

        hover = self._hover(
            {
                "class": ("@image", CustomJSHover(args={"names": names}, code=NAME_JS)),
                "confidence": ("@confidence", CustomJSHover(code=CONFIDENCE_JS)),
            }
        )
        options = self._options(hover)
        live = self._add(draw, streams, lambda layers=layers, **_: layers.pyramid)
        return hv.DynamicMap(
            lambda: hv.Overlay([raster.image() for raster in live.rasters()], group="Zones")
        ).opts(
            hv.opts.Image("Classes", **options),
            hv.opts.Image("Values", **{**options, "tools": []}),
            hv.opts.Overlay("Zones", **{**options, "tools": []}, hooks=[partial(self._attach, live)]),
        )

    # ------------------------------------------------------------ what is seen
    @property
    def ranges(self) -> tuple[float, float, float, float]:
        """What is visible: x0, x1, y0, y1."""
        return self._x.start, self._x.end, min(self._y.start, self._y.end), max(self._y.start, self._y.end)

    @property
    def unit(self) -> float:
        """Width of a screen pixel in the units of the coordinates."""
        return float((self._x.end - self._x.start) / (self._size.data["w"][0] or DEFAULT_SIZE[0]))

    def show(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Make these ranges visible on all maps."""
        self._x.update(start=x0, end=x1)
        self._y.update(start=y1, end=y0)

    def reset(self) -> None:
        """Show everything."""
        self._x.update(start=self._x.reset_start, end=self._x.reset_end)
        self._y.update(start=self._y.reset_start, end=self._y.reset_end)

    def mark(self, x: float | None, y: float | None) -> None:
        """Draw a cross on all maps; None removes it."""
        self._mark.data = {"x": [], "y": []} if x is None or y is None else {"x": [x], "y": [y]}

    def outline(self, polygon: Sequence[Sequence[float]]) -> None:
        """Draw a closed outline on all maps; an empty one removes it."""
        closed = [*polygon, *polygon[:1]]
        self._outline.data = {"x": [p[0] for p in closed], "y": [p[1] for p in closed]}

    def rings(
        self, rings: Sequence[npt.NDArray[Any]], *, colors: Sequence[str], widths: Sequence[float]
    ) -> None:
        """Draw closed rings `(corner, 2)` of x and y on all maps, each in its colour and width in pixels."""
        closed = [np.vstack([ring, ring[:1]]) for ring in rings]
        self._rings.data = {
            "xs": [ring[:, 0] for ring in closed],
            "ys": [ring[:, 1] for ring in closed],
            "color": list(colors),
            "width": list(widths),
        }

    # ------------------------------------------------------------ inside
    def _add(
        self, draw: Callable[..., list[Raster]], streams: Streams, pyramid: Callable[..., Pyramid]
    ) -> LiveMap:
        live = LiveMap(draw, streams, lambda values: self._fitting(pyramid(**values), self._window()))
        live.watch()
        self._maps.append(live)
        return live

    def _window(self) -> Window:
        """Return what is visible now, at the size of the frames."""
        x0, x1, y0, y1 = self.ranges
        width, height = (round(self._size.data[side][0]) for side in ("w", "h"))
        return (x0, x1), (y0, y1), width or DEFAULT_SIZE[0], height or DEFAULT_SIZE[1]

    def _fitting(self, pyramid: Pyramid, window: Window) -> Window:
        """Return the window, for small rasters everything at full resolution."""
        if not _is_small(pyramid):
            return window
        x0, y0, x1, y1 = pyramid.bounds
        return (x0, x1), (y0, y1), pyramid.shape[1], pyramid.shape[0]

    def _hover(self, rows: Mapping[str, tuple[str, CustomJSHover]]) -> HoverTool:
        tooltips = [("x, y", f"$x{{0.0}}, $y{{0.0}} {self.units}")]
        tooltips += [(name, f"{what}{{custom}}") for name, (what, _) in rows.items()]
        return HoverTool(tooltips=tooltips, formatters=dict(rows.values()), muted_policy="ignore")

    def _options(self, hover: HoverTool) -> dict[str, Any]:
        return {
            "tools": [hover],
            "invert_yaxis": True,
            "xaxis": None,
            "yaxis": None,
            "responsive": True,
            "xlim": (self.bounds[0], self.bounds[2]),
            "ylim": (self.bounds[1], self.bounds[3]),
        }

    def _attach(self, live: LiveMap, plot: Any, _element: Any) -> None:
        """Hook of every map: the first time, give its figure the shared ranges, tools and marks."""
        figure = plot.state
        if not live.attach(plot):
            return
        figure.update(x_range=self._x, y_range=self._y, lod_timeout=LOD_TIMEOUT, lod_interval=LOD_TIMEOUT)
        figure.update(min_border=2, background_fill_color=None, border_fill_color=None)
        plot.handles.update(x_range=self._x, y_range=self._y)
        self._keep_square(figure)
        self._draw_marks(figure)
        self._listen(figure)

    def _keep_square(self, figure: Any) -> None:
        arguments = {
            "figure": figure,
            "x": self._x,
            "y": self._y,
            "size": self._size,
            "bounds": list(self.bounds),
        }
        callback = CustomJS(args=arguments, code=_KEEP_SQUARE)
        figure.js_on_change("inner_width", callback)
        figure.js_on_change("inner_height", callback)

    def _draw_marks(self, figure: Any) -> None:
        figure.multi_line("xs", "ys", line_color="color", line_width="width", source=self._rings)
        figure.line("x", "y", source=self._outline, **theme.OUTLINE)
        figure.scatter("x", "y", source=self._mark, **theme.CROSS)
        bar = ScaleBar(
            range=self._x,
            unit=self.units,
            dimensional=_lengths(self.units),
            location=(self.bounds[0], self.bounds[3]),
            **theme.SCALE_BAR,
        )
        figure.add_layout(bar)
        arguments = {"bar": bar, "x": self._x, "y": self._y, "bounds": list(self.bounds)}
        callback = CustomJS(args=arguments, code=_PLACE_BAR)
        for axis in (self._x, self._y):
            axis.js_on_change("start", callback)

    def _listen(self, figure: Any) -> None:
        wheel, pan = WheelZoomTool(zoom_on_axis=False), PanTool()
        tools = [pan, wheel, BoxZoomTool(match_aspect=True), ResetTool()]
        if self.on_region is not None:
            tools += [LassoSelectTool(continuous=False), BoxSelectTool(continuous=False)]
        figure.add_tools(*tools)
        figure.toolbar.update(active_scroll=wheel, active_drag=pan, logo=None)
        if self.on_tap is not None:
            # of two taps within 0.3 s, however far apart, Bokeh calls the second one a double tap
            for tap in (events.Tap, events.DoubleTap):
                figure.on_event(tap, self._tapped)
        figure.on_event(events.SelectionGeometry, self._selected)
        if self.on_move is not None:
            figure.js_on_event(events.MouseMove, CustomJS(args={"cursor": self._cursor}, code=_TELL_CURSOR))

    def _tapped(self, event: Any) -> None:
        if self.on_tap is not None:
            self.on_tap(float(event.x), float(event.y))

    def _pointed(self, _attribute: str, _old: Any, new: Mapping[str, Any]) -> None:
        if self.on_move is not None and len(new["x"]):
            self.on_move(float(new["x"][0]), float(new["y"][0]))

    def _selected(self, event: Any) -> None:
        polygon = polygon_of(event.geometry)
        if polygon and event.final and self.on_region is not None:
            self.outline(polygon)
            self.on_region(polygon)

    def _moved(self, _attribute: str, _old: Any, _new: Any) -> None:
        document = self._x.document
        if document is not None:
            self._refining.call(document)

    def _refine(self) -> None:
        """Redraw all maps to which something else is visible than at the last time."""
        for live in self._maps:
            live.redraw()


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


def _is_small(pyramid: Pyramid) -> bool:
    return pyramid.shape[0] * pyramid.shape[1] <= WHOLE_PIXELS
