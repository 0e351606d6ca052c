"""The Maps page: stacks of maps, segmented, with everything that belongs to a class beside them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import panel as pn

from dashboard.components import Stepper
from dashboard.kit import button, choice, switch
from dashboard.map_modes import MAP_BUTTONS
from dashboard.pages.base import Page, PageContext
from dashboard.pages.workbench import Workbench
from dashboard.views.charts import ChoicePanel, HistogramPanel, SpectraPanel
from dashboard.views.display_controls import scale_controls
from dashboard.views.map_grid import MapGrid
from dashboard.views.selection_card import SelectionCard
from dashboard.workspace.datasets import Stack

ANALYSIS: Final = "kmeans"


class MapsPage:
    """The parts of one tab and how they act on each other."""

    def __init__(self, context: PageContext) -> None:
        self.bench = Workbench(
            context, ANALYSIS, read=self._read_query, write=self._write_query, press=self._press
        )
        self.session, self.controls = context.session, self.bench.controls
        session, work = context.session, context.work
        settings = self.controls.settings
        self.choice = ChoicePanel(lambda k: work.post(lambda: settings.param.update(n_clusters=k)))
        self.grid = MapGrid(
            session,
            on_tap=self._tap,
            on_region=lambda polygon: session.param.update(region=polygon),
            on_move=self.bench.status.move,
            guard=work.guard,
        )
        self.spectra = SpectraPanel(session, work)
        self.histogram = HistogramPanel(session, work)
        self.selection = SelectionCard(session, work, self.spectra, self._use_region)
        self.stepper = Stepper()
        self._connect()

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        controls = self.controls
        wide = {"margin": 0, "sizing_mode": "stretch_width"}
        return self.bench.parts() | {
            "choice": self.choice.root,
            "more": pn.Column(controls.more, controls.pixel_size, **wide),
            "masked": pn.Column(controls.note, controls.forget, **wide),
            "modes": self.modes,
            "display": pn.Row(self.stretch, self.colors, margin=0),
            "maps": self.grid.root,
            "stepper": self.stepper,
            "classes": self.bench.classes.table,
            "spectra": self.spectra.root,
            "histogram": self.histogram.root,
            "histogram_of": self.of,
            "selection": self.selection.root,
            "home": button("⌂ reset view", "reset-view", self.grid.reset, margin=(0, 4, 0, 6)),
        }

    def _recommend_k(self, stack: Stack) -> None:
        """Find out how many classes there are in data that were opened."""
        context = self.bench.context
        self.choice.wait("Looking how many classes there are …")
        context.work.run(
            lambda: context.workspace.cache.recommend_k(stack),
            self.choice.show,
            key="choose",
            failed=lambda: self.choice.wait("This could not be found out for these data."),
        )

    def _read_query(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the position along the spectral axis from the URL."""
        if stack.spectral and _is_number(query.get(stack.spectral)):
            values = stack.images[stack.spectral].values.astype(float)
            self.session.plane = int(np.abs(values - float(query[stack.spectral])).argmin())

    def _write_query(self, stack: Stack) -> dict[str, str]:
        """Return the position along the spectral axis."""
        if stack.spectral is None:
            return {}
        return {stack.spectral: f"{float(stack.images[stack.spectral].values[self.session.plane]):g}"}

    def _press(self, key: str) -> bool:
        """Step along the spectral axis by the arrows."""
        session, n = self.session, len(self.stepper.values)
        if key not in ("ArrowLeft", "ArrowRight") or not n:
            return False
        session.plane = (session.plane + (1 if key == "ArrowRight" else -1)) % n
        return True

    def _connect(self) -> None:
        session = self.session
        self.modes = switch(MAP_BUTTONS, "modes", value=session.mode)
        self.stretch, self.colors = scale_controls(session)
        self.of = choice([], "histogram-of", label="histogram of", width=84)
        self.modes.link(session, value="mode")
        self.of.param.watch(lambda event: self.histogram.choose(event.new or ""), "value")
        self.stepper.param.watch(lambda event: setattr(session, "plane", event.new), "value")
        self.controls.settings.param.watch(self._mark_k, "n_clusters")
        session.param.watch(self._show_stack, "stack")
        session.param.watch(self._show_plane, "plane")
        self.bench.url.watch("plane")
        self.bench.data.on_stack.append(self._recommend_k)
        self._mark_k()

    def _mark_k(self, *_: Any) -> None:
        self.choice.chosen = self.controls.settings.n_clusters

    def _show_stack(self, *_: Any) -> None:
        stack = self.session.stack
        if stack is None:
            return
        values: list[str] = []
        if stack.spectral is not None:
            coordinate = stack.images[stack.spectral]
            units = str(coordinate.attrs.get("units", "1"))
            suffix = "" if units == "1" else f" {units}"
            values = [f"{float(value):.6g}{suffix}" for value in coordinate.values]
        self.stepper.param.update(values=values, value=self.session.plane, label=stack.spectral or "")
        self.of.param.update(options=stack.variables, value=stack.variables[0])

    def _show_plane(self, *_: Any) -> None:
        self.stepper.value = self.session.plane

    def _tap(self, x: float, y: float) -> None:
        """Select the class under the cursor and pick the pixel."""
        session = self.session
        session.pixel = (x, y)
        label = session.class_at(x, y)
        session.select([label] if label else [])

    def _use_region(self, what: str) -> None:
        session, polygon = self.session, self.session.region
        region = self.selection.region
        if what in ("exclude", "keep"):
            self.controls.exclude(polygon, keep_inside=what == "keep")
            self.bench.context.tell("The next run takes that into account: press Run.")
        elif region is None or not region.shares:
            self.bench.context.tell("There are no classes in this region; run a segmentation first.", "error")
        elif what == "split":
            self.bench.classes.edit("split", label=max(region.shares, key=lambda label: region.shares[label]))
        elif len(session.selected) != 1:
            self.bench.context.tell(
                "Select the one class that the region should get, then press again.", "error"
            )
        else:
            self.bench.classes.edit("relabel", polygon=polygon, label=session.selected[0])


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and bool(np.isfinite(float(text)))
    except ValueError:
        return False


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    page = MapsPage(context)
    pn.state.onload(page.bench.data.start)
    return page.parts()


PAGE: Final = Page(slug="maps", title="Maps", layout="maps.html", build=build, analysis=ANALYSIS)
