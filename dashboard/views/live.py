"""Figures that are redrawn by changing their data sources, and when.

HoloViews makes the figures; a refresh of its DynamicMap takes ten times the time of the view itself (55 ms a
map on two busy cores), so that later changes go to the data sources and colour mappers directly.
"""

import weakref
from collections.abc import Callable, Mapping
from copy import copy
from time import monotonic
from typing import Any, Final

import numpy as np
import param
from bokeh.models import ColumnDataSource

from dashboard.plots.images import Raster
from dashboard.views.layers import Window

INTERVAL: Final = 60
"""Least time between two refinements while ranges change, ms: what a browser paints in software."""
SETTLE: Final = 12
"""Wait after the first change, ms: the four ends of the ranges come as four messages."""

Streams = Mapping[str, param.Parameter]


class LiveMap:
    """One map: how it is drawn, what it is drawn from and the figures that show it.

    Parameters
    ----------
    draw
        `(window, **values)` to rasters, one per image of the figure.
    streams
        Parameters that give the values, by name.
    window
        `(values)` to the part of the raster to draw.
    """

    def __init__(
        self,
        draw: Callable[..., list[Raster]],
        streams: Streams,
        window: Callable[[Mapping[str, Any]], Window],
    ) -> None:
        self.draw = draw
        self.streams = dict(streams)
        self.window = window
        self._waiting = False
        self._shown: list[tuple[Any, list[Any]]] = []
        self._drawn: tuple[Window, dict[str, Any]] | None = None

    def watch(self) -> None:
        """Redraw soon after a parameter changes, on the event loop, whichever thread changed it.

        The watcher does not keep the map, and the data behind it, alive.
        """
        self_ref = weakref.ref(self)

        def changed(*_events: Any) -> None:
            live = self_ref()
            page = None if live is None else live.document
            if live is not None and page is not None and not live._waiting:
                live._waiting = True
                page.add_next_tick_callback(live.redraw)

        for owner in {id(p.owner): p.owner for p in self.streams.values()}.values():
            owner.param.watch(changed, [p.name for p in self.streams.values() if p.owner is owner])

    @property
    def document(self) -> Any:
        """Bokeh document of the page that shows the map; None before it is shown."""
        return next((f.document for f, _ in self._shown if f.document is not None), None)

    def attach(self, plot: Any) -> bool:
        """Remember a HoloViews plot's data sources and colour mappers; False if it is known already."""
        if any(figure is plot.state for figure, _ in self._shown):
            return False
        parts = list(plot.subplots.values()) if getattr(plot, "subplots", None) else [plot]
        self._shown.append((plot.state, [part.handles for part in parts]))
        self._drawn = None
        return True

    def rasters(self) -> list[Raster]:
        """Draw what is visible now with the parameters' present values."""
        window, values = self._request()
        return self.draw(window, **values)

    def redraw(self) -> None:
        """Send the present view to all figures of a page; nothing that did not change."""
        self._waiting = False
        request = self._request()
        if self.document is None or request == self._drawn:
            return
        drawn = self.draw(request[0], **request[1])
        for _, parts in self._shown:
            for handles, raster in zip(parts, drawn, strict=True):
                _fill(handles["source"], handles["color_mapper"], raster)
        self._drawn = request

    def _request(self) -> tuple[Window, dict[str, Any]]:
        values = {name: copy(getattr(p.owner, p.name)) for name, p in self.streams.items()}
        return self.window(values), values


def _fill(source: ColumnDataSource, mapper: Any, raster: Raster) -> None:
    """Change a data source and its colours to those of a raster, each only if it differs."""
    palette, (low, high), columns = list(raster.palette), raster.clim, raster.columns()
    if mapper.palette != palette:
        mapper.update(palette=palette, low=low, high=high)
    if source.data.keys() != columns.keys() or any(
        not np.array_equal(source.data[name][0], columns[name][0]) for name in columns
    ):
        source.data = columns


def put(source: ColumnDataSource, **columns: list[Any]) -> None:
    """Change columns of a hover's data source, only if they differ (each change is a message)."""
    if any(list(source.data[name]) != values for name, values in columns.items()):
        source.data = {**source.data, **columns}


class Throttle:
    """Calls a function soon after a first request, then at most every `INTERVAL` ms; the last one counts."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function
        self._pending = False
        self._last = 0.0

    def call(self, document: Any) -> None:
        """Request a call on the event loop of a Bokeh document."""
        if not self._pending:
            self._pending = True
            wait = max(SETTLE, INTERVAL - 1000 * (monotonic() - self._last))
            document.add_timeout_callback(self._run, int(wait))

    def _run(self) -> None:
        self._pending = False
        self.function()
        self._last = monotonic()
