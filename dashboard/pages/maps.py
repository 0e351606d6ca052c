"""The Maps page: stacks of maps, segmented, with everything that belongs to a class beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import panel as pn

from dashboard.kit import Code, Keys, Stepper, button, choice, escape, markup, sentence, switch
from dashboard.pages.base import Page, Visit
from dashboard.state.editing import code_of
from dashboard.state.example import example_segmentation
from dashboard.state.library import Segmentation, Stack
from dashboard.state.session import COLORMAPS, STRETCHES
from dashboard.views.charts import ChoicePanel, HistogramPanel, SpectraPanel
from dashboard.views.class_list import ClassList
from dashboard.views.controls import Controls
from dashboard.views.export_card import ExportCard
from dashboard.views.map_grid import MapGrid
from dashboard.views.picker import Picker
from dashboard.views.selection_card import SelectionCard
from dashboard.views.status_line import StatusLine
from engine.errors import MapstackError
from engine.runtime import jobs

ANALYSIS: Final = "kmeans"
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


class MapsPage:
    """All parts of one visit and how they hang together."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.session, self.work = visit, visit.session, visit.work
        self.ready = False
        session, library, work = self.session, visit.library, visit.work
        self.picker = Picker(library, work, self.open)
        self.controls = Controls(ANALYSIS, session, library, work, self.load_result)
        self.choice = ChoicePanel(lambda k: work.post(lambda: self._choose(k)))
        self.status = StatusLine(session)
        self.grid = MapGrid(session, on_tap=self._tap, on_region=self._draw_region, on_move=self.status.move)
        self.spectra = SpectraPanel(session, work)
        self.histogram = HistogramPanel(session, work)
        self.classes = ClassList(session, library, work)
        self.selection = SelectionCard(session, work, self.spectra, self._use_region)
        self.export = ExportCard(session, library, work)
        self.code = Code()
        self.stepper = Stepper()
        self.keys = Keys(listener=lambda message: work.post(lambda: self._press(message["key"])))
        self._connect()
        visit.closing.extend([self.controls.close, self.export.close])

    def parts(self) -> Mapping[str, Any]:
        """Return what is set into the page's HTML."""
        return {
            "data": self.picker.card,
            "change": button("change…", "change-data", self.picker.open_dialog),
            "browser": self.picker.browser,
            "choice": self.choice.root,
            "settings": self.controls.main,
            "more": pn.Column(
                self.controls.more, self.controls.pixel_size, margin=0, sizing_mode="stretch_width"
            ),
            "masked": pn.Column(
                self.controls.note, self.controls.forget, margin=0, sizing_mode="stretch_width"
            ),
            "job": self.controls.bar,
            "export": self.export.bar,
            "code": self.code,
            "modes": self.modes,
            "look": pn.Row(self.stretch, self.colors, margin=0),
            "maps": self.grid.root,
            "stepper": self.stepper,
            "classes": self.classes.table,
            "spectra": self.spectra.root,
            "histogram": self.histogram.root,
            "histogram_of": self.of,
            "selection": self.selection.root,
            "status": self.status.text,
            "history": self.classes.history,
            "home": button("⌂ reset view", "reset-view", self.grid.reset, margin=(0, 4, 0, 6)),
            "keys": self.keys,
        }

    def start(self) -> None:
        """Show what the URL asks for, else the example."""
        query, library = self.visit.query, self.visit.library
        if "open" in query:
            self.picker.open_dialog()
        if "data" in query:
            self.open(query["data"], result=query.get("result", ""))
            return

        def show(found: tuple[Stack, Segmentation]) -> None:
            self._opened(found[0])
            self._segmented(found[1])

        self.picker.card.object = '<p class="empty">Opening the example …</p>'
        self.work.run(lambda: example_segmentation(library), show, key="open", failed=self._nothing)

    def open(self, address: str, *, result: str = "") -> None:
        """Open data, and a result of it."""
        library = self.visit.library

        def load() -> tuple[Stack, Segmentation | None]:
            segmentation = self._found(result) if result else None
            return library.stack(address, segmentation.recipe.prepare if segmentation else ()), segmentation

        def show(found: tuple[Stack, Segmentation | None]) -> None:
            if found[0] is not self.session.stack or found[1] is None:
                self._opened(found[0])
            if found[1] is not None:
                self._segmented(found[1])

        self.work.run(load, show, key="open", failed=self._nothing)

    def _found(self, result: str) -> Segmentation | None:
        """Read a result; the data are shown without one that is gone."""
        try:
            return self.visit.library.segmentation(result)
        except MapstackError as error:
            said = sentence(error)
            self.work.post(lambda: self.visit.tell(said, "error"))
            return None

    def load_result(self, result: str) -> None:
        """Show a stored result of the open data."""
        if self.session.stack is not None:
            self.open(self.session.stack.address, result=result)

    def _nothing(self) -> None:
        self.ready = True
        if self.session.stack is None:
            self.picker.show(None)

    def _opened(self, stack: Stack) -> None:
        self.session.open(stack)
        self.picker.show(stack)
        self._restore()
        self.choice.wait("Looking how many classes there are …")
        self.work.run(
            lambda: self.visit.library.choice_of_k(stack),
            self.choice.show,
            key="choose",
            failed=lambda: self.choice.wait("This could not be found out for these data."),
        )

    def _segmented(self, segmentation: Segmentation) -> None:
        self.session.show(segmentation)
        self.controls.adopt(segmentation.recipe)
        self._restore()
        self.ready = True
        self._write_url()

    def _restore(self) -> None:
        """Take wavelength and class from the URL, the first time."""
        query, stack = self.visit.query, self.session.stack
        if self.ready or stack is None:
            return
        if stack.spectral and _is_number(query.get(stack.spectral)):
            values = stack.images[stack.spectral].values.astype(float)
            self.session.channel = int(np.abs(values - float(query[stack.spectral])).argmin())
        labels = [int(part) for part in query.get("class", "").split(",") if part.isdigit()]
        self.session.select(labels)
        if "result" not in query and "data" in query:
            self.ready = True

    def _connect(self) -> None:
        session = self.session
        self.modes = switch(MODE_NAMES, "modes", value=session.mode)
        self.stretch = choice(
            STRETCHES,
            "stretch",
            label="share of the values that the grey scale spans",
            value=session.percent,
            width=84,
        )
        self.colors = choice(
            list(COLORMAPS), "colormap", label="colours of the values", value=session.colormap, width=92
        )
        self.of = choice([], "histogram-of", label="histogram of", width=84)
        self.modes.link(session, value="mode")
        self.stretch.link(session, value="percent")
        self.colors.link(session, value="colormap")
        self.of.param.watch(lambda event: self.histogram.choose(event.new or ""), "value")
        self.stepper.param.watch(lambda event: setattr(session, "channel", event.new), "value")
        self.controls.settings.param.watch(self._mark_k, "n_clusters")
        session.param.watch(self._stack_changed, "stack")
        session.param.watch(self._channel_changed, "channel")
        session.param.watch(self._code, "segmentation")
        session.param.watch(self._write_url, ["stack", "segmentation", "channel", "selected"])
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
        self.stepper.param.update(values=values, value=self.session.channel, label=stack.spectral or "")
        self.of.param.update(options=stack.variables, value=stack.variables[0])

    def _channel_changed(self, *_: Any) -> None:
        self.stepper.value = self.session.channel

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
            self.visit.tell("The next run takes that into account: press Run.")
        elif region is None or not region.shares:
            self.visit.tell("There are no classes in this region; run a segmentation first.", "error")
        elif what == "split":
            self.classes.edit("split", label=max(region.shares, key=lambda label: region.shares[label]))
        elif len(session.selected) != 1:
            self.visit.tell("Select the one class that the region should get, then press again.", "error")
        else:
            self.classes.edit("relabel", polygon=polygon, label=session.selected[0])

    def _press(self, key: str) -> None:
        session, n = self.session, len(self.stepper.values)
        if key in ("ArrowLeft", "ArrowRight") and n:
            session.channel = (session.channel + (1 if key == "ArrowRight" else -1)) % n
        elif key == "Escape":
            session.clear()
        elif key == "ctrl-z":
            self.classes.undo()
        elif key == "ctrl-y":
            self.classes.redo()
        elif key.isdigit():
            label = int(key)
            session.select([] if session.selected == [label] else [label])

    def _code(self, *_: Any) -> None:
        segmentation = self.session.segmentation
        if segmentation is None:
            self.code.param.update(python="", command="")
            return
        result: Path | None = None
        if segmentation.id:
            result = jobs.show(segmentation.id, self.visit.library.home).result
        python, command = code_of(segmentation.recipe, result)
        self.code.param.update(python=python, command=command)

    def _write_url(self, *_: Any) -> None:
        session, stack = self.session, self.session.stack
        if not self.ready or stack is None:
            return
        query = {"data": stack.address}
        if session.segmentation is not None and session.segmentation.id:
            query["result"] = session.segmentation.id
        if stack.spectral is not None:
            query[stack.spectral] = f"{float(stack.images[stack.spectral].values[session.channel]):g}"
        if session.selected:
            query["class"] = ",".join(map(str, session.selected))
        self.visit.go(query)


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and bool(np.isfinite(float(text)))
    except ValueError:
        return False


def build(visit: Visit) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = MapsPage(visit)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="maps", title="Maps", body=BODY, build=build)

__all__ = ["PAGE", "MapsPage", "escape", "markup"]
