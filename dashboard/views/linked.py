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
stretch), colormap. Of `labels`: layers, selected (labels; none = all alike), mode (`map_modes.MODES`),
channel, variable (that the means and the raw map are of), percent, colormap.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import holoviews as hv
import numpy.typing as npt
from bokeh.models import ColumnDataSource, CustomJSHover, HoverTool

from dashboard.format import format_units
from dashboard.plots.images import DECODE_JS, Raster, value_raster
from dashboard.plots.labels import CONFIDENCE_JS, NAME_JS
from dashboard.views.gestures import Gestures, Guard, Position, Region, call, polygon_of
from dashboard.views.layers import Layers, Window, rasters
from dashboard.views.live import LiveMap, Streams, Throttle, put
from dashboard.views.map_marks import MapMarks
from dashboard.views.shared_range import SharedRange
from engine.pyramid import Pyramid

__all__ = ["Layers", "LinkedMaps", "polygon_of"]

LOD_TIMEOUT: Final = 80
WHOLE_PIXELS: Final = 2**19


class LinkedMaps:
    """Maps of one raster that share ranges, marks and gestures; one per session and raster."""

    def __init__(
        self,
        bounds: tuple[float, float, float, float],
        *,
        units: str = "px",
        on_tap: Position | None = None,
        on_region: Region | None = None,
        on_move: Position | None = None,
        guard: Guard = call,
    ) -> None:
        self.bounds = bounds
        self.units = units
        self.shared = SharedRange(bounds)
        self.marks = MapMarks()

        def outline_region(polygon: list[list[float]]) -> None:
            self.marks.draw_region(polygon)
            if on_region is not None:
                on_region(polygon)

        self.gestures = Gestures(
            on_tap=on_tap, on_region=outline_region if on_region else None, on_move=on_move, guard=guard
        )
        self._maps: list[LiveMap] = []
        self.shared.on_change(Throttle(partial(redraw_maps, self._maps)).call)

    def values(self, pyramid: Pyramid, *, streams: Streams, symbol: str = "value") -> hv.DynamicMap:
        """Map of one variable's values at a channel."""
        scale = ColumnDataSource({"limits": [0, 0, 1, 1], "units": [format_units(pyramid.units)] * 4})

        def draw(
            window: Window, channel: int = 0, percent: float = 99.0, colormap: str = "viridis"
        ) -> list[Raster]:
            limits = pyramid.limits(channel, percent=percent)
            put(scale, limits=list(limits))
            values, bounds = pyramid.view(*window, channel=channel)
            return [value_raster(values, bounds, limits=limits, colormap=colormap)]

        decode = CustomJSHover(args={"scale": scale}, code=DECODE_JS)
        options = self._options({symbol: ("@image", decode)})
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

        options = self._options(
            {
                "class": ("@image", CustomJSHover(args={"names": names}, code=NAME_JS)),
                "confidence": ("@confidence", CustomJSHover(code=CONFIDENCE_JS)),
            }
        )
        live = self._add(draw, streams, lambda layers=layers, **_: layers.pyramid)
        return hv.DynamicMap(
            lambda: hv.Overlay([raster.image() for raster in live.rasters()], group="Zones")
        ).opts(
            hv.opts.Image("Classes", **options),
            hv.opts.Image("Values", **{**options, "tools": []}),
            hv.opts.Overlay("Zones", **{**options, "tools": []}, hooks=[partial(self._attach, live)]),
        )

    @property
    def ranges(self) -> tuple[float, float, float, float]:
        """Visible part: x0, x1, y0, y1."""
        return self.shared.ranges

    def show(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Make these ranges visible on all maps.

        Parameters
        ----------
        x0, x1, y0, y1
            Ends of both ranges in the units of the coordinates.
        """
        self.shared.show(x0, x1, y0, y1)

    def reset(self) -> None:
        """Show the whole image on all maps."""
        self.shared.reset()

    def mark(self, x: float | None, y: float | None) -> None:
        """Draw a cross on all maps; None removes it.

        Parameters
        ----------
        x, y
            Position in the units of the coordinates.
        """
        self.marks.draw_cross(x, y)

    def outline(self, polygon: Sequence[Sequence[float]]) -> None:
        """Draw a closed outline on all maps; an empty one removes it."""
        self.marks.draw_region(polygon)

    def rings(
        self, rings: Sequence[npt.NDArray[Any]], *, colors: Sequence[str], widths: Sequence[float]
    ) -> None:
        """Draw closed rings on all maps.

        Parameters
        ----------
        rings : sequence of arrays (corner, 2)
            x and y of the corners in the units of the coordinates.
        colors
            A colour for each ring.
        widths
            The width of each ring's line in screen pixels.
        """
        self.marks.draw_rings(rings, colors=colors, widths=widths)

    def _add(
        self, draw: Callable[..., list[Raster]], streams: Streams, pyramid: Callable[..., Pyramid]
    ) -> LiveMap:
        live = LiveMap(draw, streams, lambda values: fit_window(pyramid(**values), self.shared.window))
        live.watch()
        self._maps.append(live)
        return live

    def _options(self, rows: Mapping[str, tuple[str, CustomJSHover]]) -> dict[str, Any]:
        """Return the options of a map whose hover shows these rows: name to field and its formatter."""
        tooltips = [("x, y", f"$x{{0.0}}, $y{{0.0}} {self.units}")]
        tooltips += [(name, f"{field}{{custom}}") for name, (field, _) in rows.items()]
        hover = HoverTool(tooltips=tooltips, formatters=dict(rows.values()), muted_policy="ignore")
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
        """Give a map's figure, the first time, the shared ranges, marks and gestures (hook of HoloViews)."""
        figure = plot.state
        if not live.attach(plot):
            return
        figure.update(lod_timeout=LOD_TIMEOUT, lod_interval=LOD_TIMEOUT)
        figure.update(min_border=2, background_fill_color=None, border_fill_color=None)
        self.shared.attach(plot)
        self.marks.attach(figure, self.shared, self.units)
        self.gestures.attach(figure)


def redraw_maps(maps: Sequence[LiveMap]) -> None:
    """Redraw all maps whose visible part has changed."""
    for live in maps:
        live.redraw()


def fit_window(pyramid: Pyramid, window: Window) -> Window:
    """Return the window to draw: the given one, or a small raster as a whole at full resolution.

    Parameters
    ----------
    pyramid
        What is drawn.
    window
        Visible x range, y range, width and height of the frame in screen pixels.

    Returns
    -------
    a window, as `window`
    """
    if pyramid.shape[0] * pyramid.shape[1] > WHOLE_PIXELS:
        return window
    x0, y0, x1, y1 = pyramid.bounds
    return (x0, x1), (y0, y1), pyramid.shape[1], pyramid.shape[0]
