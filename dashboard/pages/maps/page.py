"""The Maps page: stacks of maps, segmented, with everything that belongs to a class beside them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import panel as pn

from dashboard.components import Stepper
from dashboard.kit import button, choice, switch
from dashboard.pages.base import Page, PageContext
from dashboard.pages.workbench import Workbench
from dashboard.workspace.workspace import Stack
from dashboard.views.charts import ChoicePanel, HistogramPanel, SpectraPanel
from dashboard.views.display_controls import scale_controls
from dashboard.views.map_grid import MapGrid
from dashboard.views.selection_card import SelectionCard

MODE_NAMES: Final = {
    "classes": "segments",
    "raw": "raw",
    "means": "means",
    "over raw": "over",
    "confidence": "confidence",
}

BODY: Final = """
<div class="maps" id="maps">
  <section class="rail" aria-label="what goes in">
    <div class="card"><h2>Data<small>{{ embed(roots.change) }}</small></h2>{{ embed(roots.data) }}</div>
    <div class="card"><h2>How many classes?</h2>{{ embed(roots.choice) }}</div>
    <div class="card"><h2>Settings</h2>{{ embed(roots.settings) }}
      <details id="more"><summary>more</summary>{{ embed(roots.more) }}</details>{{ embed(roots.masked) }}
      {{ embed(roots.job) }}</div>
    <div class="card"><h2>Export<small>{{ embed(roots.code) }}</small></h2>{{ embed(roots.export) }}</div>
  </section>
  <section class="centre" aria-label="maps">
    <div class="card bar">{{ embed(roots.modes) }}<span class="gap"></span>{{ embed(roots.look) }}</div>
    <div class="card pictures">{{ embed(roots.maps) }}</div>
    <div class="card">{{ embed(roots.stepper) }}</div>
  </section>
  <section class="right" aria-label="what came out">
    <div class="card"><h2>Classes</h2>{{ embed(roots.classes) }}</div>
    <div class="card charts" id="spectra"><h2>Spectra <small>mean ± sd</small></h2>
      {{ embed(roots.spectra) }}</div>
    <div class="card charts" id="histogram">
      <h2>Histogram<small>pixels by {{ embed(roots.histogram_of) }}</small></h2>
      {{ embed(roots.histogram) }}</div>
    <div class="card"><h2>Selection</h2>{{ embed(roots.selection) }}</div>
  </section>
  <footer class="status">{{ embed(roots.status) }}{{ embed(roots.history) }}{{ embed(roots.home) }}</footer>
</div>
<div class="hidden-root">{{ embed(roots.keys) }}{{ embed(roots.browser) }}</div>
"""


class MapsPage(Workbench):
    """All parts of one visit and how they hang together."""

    analysis = "kmeans"

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        session, work = self.session, self.work
        self.choice = ChoicePanel(lambda k: work.post(lambda: self._choose(k)))
        self.grid = MapGrid(session, on_tap=self._tap, on_region=self._draw_region, on_move=self.status.move)
        self.spectra = SpectraPanel(session, work)
        self.histogram = HistogramPanel(session, work)
        self.selection = SelectionCard(session, work, self.spectra, self._use_region)
        self.stepper = Stepper()
        self._connect()

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        controls = self.controls
        wide = {"margin": 0, "sizing_mode": "stretch_width"}
        return super().parts() | {
            "choice": self.choice.root,
            "settings": controls.main,
            "more": pn.Column(controls.more, controls.pixel_size, **wide),
            "masked": pn.Column(controls.note, controls.forget, **wide),
            "modes": self.modes,
            "look": pn.Row(self.stretch, self.colors, margin=0),
            "maps": self.grid.root,
            "stepper": self.stepper,
            "spectra": self.spectra.root,
            "histogram": self.histogram.root,
            "histogram_of": self.of,
            "selection": self.selection.root,
            "home": button("⌂ reset view", "reset-view", self.grid.reset, margin=(0, 4, 0, 6)),
        }

    def opened(self, stack: Stack) -> None:
        """Show data that were opened, and find out how many classes there are."""
        super().opened(stack)
        self.choice.wait("Looking how many classes there are …")
        self.work.run(
            lambda: self.context.workspace.choice_of_k(stack),
            self.choice.show,
            key="choose",
            failed=lambda: self.choice.wait("This could not be found out for these data."),
        )

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take wavelength and class from the URL."""
        if stack.spectral and _is_number(query.get(stack.spectral)):
            values = stack.images[stack.spectral].values.astype(float)
            self.session.plane = int(np.abs(values - float(query[stack.spectral])).argmin())
        super().restore(query, stack)

    def query(self, stack: Stack) -> dict[str, str]:
        """Where along the spectral axis the maps are."""
        if stack.spectral is None:
            return {}
        return {stack.spectral: f"{float(stack.images[stack.spectral].values[self.session.plane]):g}"}

    def press(self, key: str) -> None:
        """Step along the spectral axis by the arrows, and what keys do on every page."""
        session, n = self.session, len(self.stepper.values)
        if key in ("ArrowLeft", "ArrowRight") and n:
            session.plane = (session.plane + (1 if key == "ArrowRight" else -1)) % n
        else:
            super().press(key)

    def _connect(self) -> None:
        session = self.session
        self.modes = switch(MODE_NAMES, "modes", value=session.mode)
        self.stretch, self.colors = scale_controls(session)
        self.of = choice([], "histogram-of", label="histogram of", width=84)
        self.modes.link(session, value="mode")
        self.of.param.watch(lambda event: self.histogram.choose(event.new or ""), "value")
        self.stepper.param.watch(lambda event: setattr(session, "plane", event.new), "value")
        self.controls.settings.param.watch(self._mark_k, "n_clusters")
        session.param.watch(self._stack_changed, "stack")
        session.param.watch(self._show_plane, "plane")
        session.param.watch(self.write_url, ["stack", "result", "plane", "selected"])
        self._mark_k()

    def _mark_k(self, *_: Any) -> None:
        self.choice.chosen = self.controls.settings.n_clusters

    def _choose(self, k: int) -> None:
        self.controls.settings.n_clusters = k

    def _stack_changed(self, *_: Any) -> None:
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

    def _draw_region(self, polygon: list[list[float]]) -> None:
        self.session.region = polygon

    def _use_region(self, what: str) -> None:
        session, polygon = self.session, self.session.region
        region = self.selection.region
        if what in ("exclude", "keep"):
            self.controls.exclude(polygon, keep_inside=what == "keep")
            self.context.tell("The next run takes that into account: press Run.")
        elif region is None or not region.shares:
            self.context.tell("There are no classes in this region; run a segmentation first.", "error")
        elif what == "split":
            self.classes.edit("split", label=max(region.shares, key=lambda label: region.shares[label]))
        elif len(session.selected) != 1:
            self.context.tell("Select the one class that the region should get, then press again.", "error")
        else:
            self.classes.edit("relabel", polygon=polygon, label=session.selected[0])


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and bool(np.isfinite(float(text)))
    except ValueError:
        return False


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = MapsPage(context)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="maps", title="Maps", body=BODY, build=build)
