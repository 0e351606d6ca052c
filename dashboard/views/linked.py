"""Maps that zoom, pan and select together, each showing one screenful from a pyramid.

All maps of one `LinkedMaps` share their ranges. While the user zooms or pans, the browser moves the images
it has at once, and the server sends sharper ones: it listens to the ranges themselves, at most every
`INTERVAL` ms, instead of waiting for Bokeh's end of interaction (500 ms) and HoloViews' debounce (100 ms).
Rasters of up to `WHOLE_PIXELS` are sent whole, once a channel: zooming them never asks the server.

Pixels are square on any size of pane (HoloViews' `data_aspect` is not kept on responsive panes): the ranges
follow the frame's size in the browser. Row 0 of an image is at the top.

    maps = LinkedMaps(pyramid.bounds, units="µm", on_tap=pick, on_region=select)
    delta = maps.values(pyramid, streams={"channel": state.param.wavelength_index})
    zones = maps.labels(layers, streams={"selected": state.param.selected, "mode": state.param.mode,
                                         "channel": state.param.wavelength_index})
    pn.pane.HoloViews(delta, sizing_mode="stretch_both", linked_axes=False)

`on_tap(x, y)` and `on_region([[x, y], ...])` get coordinates in the data's units and run on the event loop:
hand long work to a thread. `maps.mark(x, y)`, `maps.outline(polygon)` draw on all maps; `maps.reset()` shows
everything; `maps.ranges` is what is visible, as (x0, x1, y0, y1).

Streams are parameters whose change redraws, by name. Of `values`: channel, percent (of the values within the
stretch), colormap. Of `labels`: layers, selected (labels; none = all alike), mode (`plots.labels.MODES`),
channel, variable (that the means and the raw map are of), percent, colormap.
"""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

import holoviews as hv
import param
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
    PanTool,
    Range1d,
    ResetTool,
    ScaleBar,
    WheelZoomTool,
)

from dashboard import theme
from dashboard.plots import images as value_plots
from dashboard.plots import labels as label_plots
from dashboard.plots.spectra import shown_units
from dashboard.views.layers import Layers, Window, overlay
from engine.pyramid import Pyramid

INTERVAL: Final = 60
"""Least time between two refinements while ranges change, ms: what a browser paints in software."""
SETTLE: Final = 12
"""Wait after the first change, ms: the four ends of the ranges come as four messages."""
LOD_TIMEOUT: Final = 80
WHOLE_PIXELS: Final = 2**19
DEFAULT_SIZE: Final = (700, 600)

Streams = Mapping[str, param.Parameter]

_Viewport = hv.streams.Stream.define("_Viewport", x_range=(0.0, 1.0), y_range=(0.0, 1.0), width=1, height=1)

_KEEP_SQUARE: Final = """
const w = figure.inner_width, h = figure.inner_height;
if (!(w > 1 && h > 1)) return;
const [x0, y0, x1, y1] = bounds;
const fit = Math.max((x1 - x0) / w, (y1 - y0) / h);
const shown = Math.abs(x.end - x.start), whole = size.data.fit[0];
const unit = whole > 0 ? fit * (shown / size.data.w[0]) / whole : fit;
const first = !(whole > 0);
const cx = first ? (x0 + x1) / 2 : (x.start + x.end) / 2;
const cy = first ? (y0 + y1) / 2 : (y.start + y.end) / 2;
size.data = {w: [w], h: [h], fit: [fit]};
const mx = (x0 + x1) / 2, my = (y0 + y1) / 2;
x.setv({start: cx - unit * w / 2, end: cx + unit * w / 2,
        reset_start: mx - fit * w / 2, reset_end: mx + fit * w / 2});
y.setv({start: cy + unit * h / 2, end: cy - unit * h / 2,
        reset_start: my + fit * h / 2, reset_end: my - fit * h / 2});
"""
"""Keep pixels square when the frame's size changes: first show all, later keep centre and magnification."""


class LinkedMaps:
    """Maps of one raster that share ranges, marks and gestures; one per session and raster."""

    def __init__(
        self,
        bounds: tuple[float, float, float, float],
        *,
        units: str = "px",
        on_tap: Callable[[float, float], None] | None = None,
        on_region: Callable[[list[list[float]]], None] | None = None,
    ) -> None:
        x0, y0, x1, y1 = bounds
        self.bounds = bounds
        self.units = units
        self.on_tap = on_tap
        self.on_region = on_region
        self._x = Range1d(start=x0, end=x1, reset_start=x0, reset_end=x1)
        self._y = Range1d(start=y1, end=y0, reset_start=y1, reset_end=y0)
        self._size = ColumnDataSource({"w": [0], "h": [0], "fit": [0]})
        self._outline = ColumnDataSource({"x": [], "y": []})
        self._mark = ColumnDataSource({"x": [], "y": []})
        self._viewport = _Viewport(
            x_range=(x0, x1), y_range=(y0, y1), width=DEFAULT_SIZE[0], height=DEFAULT_SIZE[1]
        )
        self._refining = _Throttle(self._refine)
        self._figures: list[Any] = []
        for axis in (self._x, self._y):
            axis.on_change("start", self._moved)
            axis.on_change("end", self._moved)
        self._size.on_change("data", self._moved)

    # ------------------------------------------------------------ maps
    def values(self, pyramid: Pyramid, *, streams: Streams, symbol: str = "value") -> hv.DynamicMap:
        """Map of one variable's values at a channel."""
        scale = ColumnDataSource({"limits": [0, 0, 1, 1], "units": [shown_units(pyramid.units)] * 4})
        whole = _is_small(pyramid)

        def draw(
            x_range: tuple[float, float],
            y_range: tuple[float, float],
            width: int,
            height: int,
            channel: int = 0,
            percent: float = 99.0,
            colormap: str = "viridis",
        ) -> hv.Image:
            window = self._whole(pyramid) if whole else (x_range, y_range, width, height)
            limits = pyramid.limits(channel, percent=percent)
            _put(scale, limits=list(limits))
            values, bounds = pyramid.view(*window, channel=channel)
            return value_plots.value_map(values, bounds, limits=limits).opts(
                **value_plots.value_options(colormap)
            )

        hover = self._hover(
            {symbol: ("@image", CustomJSHover(args={"scale": scale}, code=value_plots.DECODE_JS))}
        )
        return self._dynamic(draw, streams).opts(hv.opts.Image(**self._options(hover)))

    def labels(self, layers: Layers, *, streams: Streams) -> hv.DynamicMap:
        """Map of classes: labels, raw values, class means, labels over raw, or confidence, by `mode`."""
        names = ColumnDataSource({"name": list(layers.classes.names)})

        def draw(
            x_range: tuple[float, float],
            y_range: tuple[float, float],
            width: int,
            height: int,
            layers: Layers = layers,
            **shown: Any,
        ) -> hv.Overlay:
            whole = _is_small(layers.pyramid)
            window = self._whole(layers.pyramid) if whole else (x_range, y_range, width, height)
            _put(names, name=list(layers.classes.names))
            return overlay(layers, window, **shown)

        hover = self._hover(
            {
                "class": ("@image", CustomJSHover(args={"names": names}, code=label_plots.NAME_JS)),
                "confidence": ("@confidence", CustomJSHover(code=label_plots.CONFIDENCE_JS)),
            }
        )
        options = self._options(hover)
        hooks = {"hooks": options.pop("hooks")}
        return self._dynamic(draw, streams).opts(
            hv.opts.Image("Classes", **options),
            hv.opts.Image("Values", **{**options, "tools": []}),
            hv.opts.Overlay(**hooks, **{k: v for k, v in options.items() if k not in ("tools", "colorbar")}),
        )

    # ------------------------------------------------------------ what is seen
    @property
    def ranges(self) -> tuple[float, float, float, float]:
        """What is visible: x0, x1, y0, y1."""
        return self._x.start, self._x.end, min(self._y.start, self._y.end), max(self._y.start, self._y.end)

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

    # ------------------------------------------------------------ inside
    def _whole(self, pyramid: Pyramid) -> Window:
        x0, y0, x1, y1 = pyramid.bounds
        return (x0, x1), (y0, y1), pyramid.shape[1], pyramid.shape[0]

    def _dynamic(self, draw: Callable[..., Any], streams: Streams) -> hv.DynamicMap:
        parameters = hv.streams.Params.from_params(dict(streams)) if streams else []
        return hv.DynamicMap(draw, streams=[self._viewport, *parameters])

    def _hover(self, rows: Mapping[str, tuple[str, CustomJSHover]]) -> HoverTool:
        tooltips = [("x, y", f"$x{{0.0}}, $y{{0.0}} {self.units}")]
        tooltips += [(name, f"{what}{{custom}}") for name, (what, _) in rows.items()]
        return HoverTool(tooltips=tooltips, formatters=dict(rows.values()), muted_policy="ignore")

    def _options(self, hover: HoverTool) -> dict[str, Any]:
        return {
            "tools": [hover],
            "hooks": [self._attach],
            "invert_yaxis": True,
            "xaxis": None,
            "yaxis": None,
            "responsive": True,
            "colorbar": False,
            "xlim": (self.bounds[0], self.bounds[2]),
            "ylim": (self.bounds[1], self.bounds[3]),
        }

    def _attach(self, plot: Any, _element: Any) -> None:
        """Hook of every map: the first time, give its figure the shared ranges, tools and marks."""
        figure = plot.state
        if figure in self._figures:
            return
        self._figures.append(figure)
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
        figure.line("x", "y", source=self._outline, **theme.OUTLINE)
        figure.scatter("x", "y", source=self._mark, **theme.CROSS)
        unit = Metric(base_unit="m" if self.units in ("µm", "nm") else self.units)
        figure.add_layout(ScaleBar(range=self._x, unit=self.units, dimensional=unit, **theme.SCALE_BAR))

    def _listen(self, figure: Any) -> None:
        wheel, pan = WheelZoomTool(zoom_on_axis=False), PanTool()
        tools = [pan, wheel, BoxZoomTool(match_aspect=True), ResetTool()]
        if self.on_region is not None:
            tools += [LassoSelectTool(continuous=False), BoxSelectTool(continuous=False)]
        figure.add_tools(*tools)
        figure.toolbar.update(active_scroll=wheel, active_drag=pan, logo=None)
        if self.on_tap is not None:
            figure.on_event(events.Tap, self._tapped)
        figure.on_event(events.SelectionGeometry, self._selected)

    def _tapped(self, event: Any) -> None:
        if self.on_tap is not None:
            self.on_tap(float(event.x), float(event.y))

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
        """Ask all maps for what is visible now, at the size of the frames."""
        x0, x1, y0, y1 = self.ranges
        width, height = (round(self._size.data[side][0]) for side in ("w", "h"))
        window = {
            "x_range": (x0, x1),
            "y_range": (y0, y1),
            "width": width or DEFAULT_SIZE[0],
            "height": height or DEFAULT_SIZE[1],
        }
        if window != self._viewport.contents:
            self._viewport.event(**window)


class _Throttle:
    """Calls a function soon after a first request, then at most every `INTERVAL` ms; the last one counts."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function
        self._pending = False
        self._last = 0.0

    def call(self, document: Any) -> None:
        if not self._pending:
            self._pending = True
            wait = max(SETTLE, INTERVAL - 1000 * (monotonic() - self._last))
            document.add_timeout_callback(self._run, int(wait))

    def _run(self) -> None:
        self._pending = False
        self.function()
        self._last = monotonic()


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


def _put(source: ColumnDataSource, **columns: list[Any]) -> None:
    """Change columns of a source of a hover, only if they differ (each change is a message)."""
    if any(list(source.data[name]) != values for name, values in columns.items()):
        source.data = {**source.data, **columns}
