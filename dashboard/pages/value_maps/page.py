"""The Profile page: the values that an analysis gives each pixel, as a map and a histogram."""

from collections.abc import Mapping
from typing import Any, Final

import holoviews as hv
import panel as pn

from dashboard.kit import choice, markup
from dashboard.pages.base import Page, PageContext
from dashboard.pages.value_maps.plots import histogram_plot, map_plot
from dashboard.pages.value_maps.tables import zones_html
from dashboard.pages.workbench import Workbench
from dashboard.workspace.datasets import Stack, ValueResult

ANALYSIS: Final = "profile"
EMPTY: Final = "<p class='empty'>No values yet: press Run on the left.</p>"


class ValueMapPage:
    """The parts of one tab and how they act on each other."""

    def __init__(self, context: PageContext) -> None:
        self.bench = Workbench(
            context, ANALYSIS, read=self._read_query, write=self._write_query, press=lambda _: False
        )
        self.session, self.work = context.session, context.work
        self.wanted = ""
        wide = {"margin": 0, "sizing_mode": "stretch_width"}
        self.of = choice([], "value-of", label="value shown", width=140)
        self.map = pn.pane.HoloViews(None, margin=0)
        self.histogram = pn.pane.HoloViews(None, **wide)
        self.zones = markup(EMPTY)
        self.of.param.watch(self._draw, "value")
        self.session.param.watch(self._show_result, "result")
        self.bench.url.watch()

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        parts = self.bench.parts()
        return parts | {
            "more": self.bench.controls.more,
            "value_of": self.of,
            "map": self.map,
            "histogram": self.histogram,
            "zones": self.zones,
        }

    def _read_query(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the shown value from the URL."""
        del stack
        self.wanted = query.get("value", "")

    def _write_query(self, stack: Stack) -> dict[str, str]:
        """Return the shown value."""
        del stack
        return {"value": self.of.value} if self.of.value else {}

    def _show_result(self, *_: Any) -> None:
        result = self.session.result
        names = list(result.layers) if isinstance(result, ValueResult) else []
        shown = next(
            (name for name in (self.wanted, self.of.value) if name in names), names[0] if names else None
        )
        self.of.param.update(options=names, value=shown)
        self._draw()

    def _draw(self, *_: Any) -> None:
        """Draw the chosen value in a thread and show it."""
        result, name = self.session.result, self.of.value
        if not isinstance(result, ValueResult) or name not in result.layers:
            self.map.object, self.histogram.object, self.zones.object = None, None, EMPTY
            return
        layer = result.layers[name]

        def draw() -> tuple[hv.Image, hv.Histogram, str]:
            return map_plot(layer), histogram_plot(layer), zones_html(result.tree, name)

        def show(plots: tuple[hv.Image, hv.Histogram, str]) -> None:
            self.map.object, self.histogram.object, self.zones.object = plots
            self.bench.url.write()

        self.work.run(draw, show, key="values")


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    page = ValueMapPage(context)
    pn.state.onload(page.bench.data.start)
    return page.parts()


PAGE: Final = Page(slug="profile", title="Profile", layout="values.html", build=build, analysis=ANALYSIS)
