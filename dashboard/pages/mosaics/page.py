"""The Mosaics page: CCD frames segmented by a network, with every object in a table beside them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.components import Tabs
from dashboard.kit import button
from dashboard.pages.base import Page, PageContext
from dashboard.pages.workbench import Workbench
from dashboard.pages.mosaics.state import find_first_frame
from dashboard.workspace.workspace import Result, Stack
from dashboard.workspace.object_table import ObjectSelection
from dashboard.pages.mosaics.frame_choice import FrameChoice
from dashboard.views.display_controls import frame_controls, mode_switch
from dashboard.pages.mosaics.view import FrameView
from dashboard.pages.mosaics.cards import ObjectCard, ObjectCharts, SectionsCard
from dashboard.pages.mosaics.object_list import ObjectList
from dashboard.views.train_panel import FRAMES, TrainPanel

TABS: Final = {"frame": "Frame", "train": "Train"}
REACH: Final = 5
"""Screen pixels within which a click still finds an object."""

BODY: Final = """
<div class="maps" id="mosaics">
  <section class="rail" aria-label="what goes in">
    <div class="card"><h2>Data<small>{{ embed(roots.change) }}</small></h2>{{ embed(roots.data) }}
      {{ embed(roots.frame) }}</div>
    <div class="card tabbed" id="run-card">{{ embed(roots.tabs) }}
      <div class="of-frame">{{ embed(roots.settings) }}
        <details id="more"><summary>more</summary>{{ embed(roots.more) }}</details>
        {{ embed(roots.job) }}{{ embed(roots.model) }}</div>
      <div class="of-train" id="train">{{ embed(roots.train_folder) }}
        <details id="simulate"><summary>simulate labelled frames</summary>
          {{ embed(roots.train_simulate) }}</details>
        {{ embed(roots.train_main) }}
        <details><summary>more</summary>{{ embed(roots.train_more) }}</details>
        {{ embed(roots.train_job) }}</div></div>
    <div class="card of-frame"><h2>Sections</h2>{{ embed(roots.sections) }}</div>
    <div class="card of-frame"><h2>Export<small>{{ embed(roots.code) }}</small></h2>
      {{ embed(roots.export) }}</div>
  </section>
  <section class="centre lone" aria-label="frame">
    <div class="card bar of-frame">{{ embed(roots.modes) }}<span class="gap"></span>
      {{ embed(roots.look) }}</div>
    <div class="card pictures of-frame">{{ embed(roots.maps) }}</div>
    <div class="card board of-train" id="board">
      <h2>How it learns<small>{{ embed(roots.train_of) }}</small></h2>
      {{ embed(roots.train_curves) }}
      <h2>Networks<small>F1: pixels found and right, 1 is faultless</small></h2>
      {{ embed(roots.train_models) }}</div>
  </section>
  <section class="right" aria-label="what came out">
    <div class="card"><h2>Classes<small>{{ embed(roots.relabel) }}</small></h2>
      {{ embed(roots.classes) }}</div>
    <div class="card" id="objects"><h2>Objects<small>{{ embed(roots.steps) }}</small></h2>
      {{ embed(roots.filter) }}{{ embed(roots.objects) }}</div>
    <div class="card charts" id="histogram"><h2>Sizes and energies</h2>{{ embed(roots.charts) }}</div>
    <div class="card" id="chosen"><h2>Chosen object</h2>{{ embed(roots.inset) }}</div>
  </section>
  <footer class="status">{{ embed(roots.status) }}{{ embed(roots.history) }}{{ embed(roots.home) }}</footer>
</div>
<div class="hidden-root">{{ embed(roots.keys) }}{{ embed(roots.browser) }}</div>
"""


class MosaicsPage(Workbench):
    """All parts of one visit and how they hang together."""

    analysis = "unet"

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        session, work = self.session, self.work
        session.param.update(mode="over", stretch="asinh")
        self.classes.table.eyes = True
        self.frame = FrameView(
            session,
            on_tap=self._tap,
            on_region=lambda polygon: session.param.update(region=polygon),
            on_move=self.status.move,
        )
        things = ObjectSelection()
        self.objects = ObjectList(session, things, work, go=self.frame.show)
        self.sections = SectionsCard(session, things, work, go=self.frame.show)
        self.charts = ObjectCharts(session, things)
        self.card = ObjectCard(session, things, work, draw=self.frame.outline)
        self.choice = FrameChoice(session, context.workspace, work, on_choose=self.open)
        self.export.bar.format = "fits"
        self.train = TrainPanel(FRAMES, session, context.workspace, work)
        session.param.watch(self.write_url, ["stack", "result", "selected", "object_id"])
        context.closing.append(self.train.runner.close)

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        own = {
            "tabs": Tabs(names=TABS, value="frame", of="mosaics"),
            "frame": self.choice.select,
            "settings": self.controls.main,
            "more": self.controls.more,
            "modes": mode_switch(self.session),
            "look": frame_controls(self.session),
            "maps": self.frame.root,
            "sections": self.sections.grid,
            "objects": self.objects.table,
            "filter": self.objects.form,
            "steps": self.objects.tools,
            "charts": self.charts.root,
            "inset": self.card.root,
            "relabel": button("R relabel lasso", "relabel", self._relabel, margin=0),
            "home": button("⌂ whole frame", "reset-view", self.frame.reset, margin=(0, 4, 0, 6)),
        }
        return super().parts() | own | self.train.parts()

    def single(self, address: str) -> str:
        """The first frame of a folder of frames."""
        return find_first_frame(self.context.workspace, address)

    def segmented(self, result: Result) -> None:
        """Show a result; the background is not drawn over the frame."""
        self.session.hidden = [result.background] if result.background else []
        super().segmented(result)

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the chosen object from the URL."""
        super().restore(query, stack)
        if query.get("object", "").isdigit() and self.session.result is not None:
            self.session.object_id = int(query["object"])
            self.objects.reveal()

    def query(self, stack: Stack) -> dict[str, str]:
        """The chosen object."""
        del stack
        return {"object": str(self.session.object_id)} if self.session.object_id else {}

    def press(self, key: str) -> None:
        """N and P go from object to object, R relabels what is lassoed; the rest as on every page."""
        if key in ("n", "p"):
            self.objects.step(1 if key == "n" else -1)
        elif key == "r":
            self._relabel()
        else:
            super().press(key)

    def _tap(self, x: float, y: float) -> None:
        self.session.pixel = (x, y)
        self.objects.at(x, y, REACH * self.frame.unit)

    def _relabel(self) -> None:
        """Give what is lassoed the selected class."""
        session = self.session
        if not session.region:
            self.context.tell("Draw round what should get another class first, with the lasso.", "error")
        elif len(session.selected) != 1:
            self.context.tell("Select the one class that the lassoed pixels should get, then press R.", "error")
        else:
            self.classes.edit("relabel", polygon=session.region, label=session.selected[0])


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = MosaicsPage(context)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="mosaics", title="Mosaics", body=BODY, build=build)
