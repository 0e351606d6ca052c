"""The Mosaics page: CCD frames segmented by a network, with every object in a table beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import panel as pn

from dashboard.kit import button, choice, slider, switch
from dashboard.pages.base import Page, Visit
from dashboard.pages.bench import Bench
from dashboard.state.library import Segmentation, Stack
from dashboard.state.session import COLORMAPS
from dashboard.views.frame_view import FrameView
from dashboard.views.object_list import ObjectList
from dashboard.views.train import TrainPanel

MODE_NAMES: Final = {
    "over frame": "over",
    "frame": "raw",
    "classes": "segments",
    "confidence": "confidence",
    "entropy": "entropy",
}
STRETCHES: Final = ["asinh", "log", "linear", "percentile"]
TABS: Final = {"Frame": "frame", "Train": "train"}
BACKGROUND: Final = "background"

BODY: Final = """
<div class="maps" id="mosaics">
  <section class="rail" aria-label="what goes in">
    <div class="card"><h2>Data<small>{{ embed(roots.change) }}</small></h2>{{ embed(roots.data) }}</div>
    <div class="card">{{ embed(roots.tabs) }}{{ embed(roots.settings) }}
      <details id="more"><summary>more</summary>{{ embed(roots.more) }}</details>{{ embed(roots.job) }}</div>
    <div class="card" id="sections"><h2>Sections</h2>{{ embed(roots.sections) }}</div>
    <div class="card"><h2>Export<small>{{ embed(roots.code) }}</small></h2>{{ embed(roots.export) }}</div>
  </section>
  <section class="centre lone" aria-label="frame">
    <div class="card bar">{{ embed(roots.modes) }}<span class="gap"></span>{{ embed(roots.look) }}</div>
    <div class="card pictures">{{ embed(roots.maps) }}</div>
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


class MosaicsPage(Bench):
    """All parts of one visit and how they hang together."""

    analysis = "unet"

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit)
        session = self.session
        session.param.update(mode="over", stretch="asinh")
        self.classes.table.eyes = True
        self.frame = FrameView(
            session, on_tap=self._tap, on_region=self._draw_region, on_move=self.status.move
        )
        self.objects = ObjectList(session, self.work, go=self.frame.show, outline=self.frame.outline)
        self.train = TrainPanel(self.analysis, "mosaic", visit.library, self.work, self._use)
        self.modes = switch(MODE_NAMES, "modes", value=session.mode)
        self.tabs = switch(TABS, "tabs", value="frame")
        self._connect()
        visit.closing.append(self.train.runner.close)

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        objects, wide = self.objects, {"margin": 0, "sizing_mode": "stretch_width"}
        return super().parts() | {
            "tabs": self.tabs,
            "settings": pn.Column(self.controls.main, self.train.main, **wide),
            "more": pn.Column(self.controls.more, self.train.more, **wide),
            "job": pn.Column(self.controls.bar, self.train.runner.bar, **wide),
            "modes": self.modes,
            "look": pn.Row(self.opacity, self.stretch, self.colors, margin=0),
            "maps": pn.Column(self.frame.root, self.train.board, sizing_mode="stretch_both", margin=0),
            "sections": objects.sections,
            "objects": objects.table,
            "filter": objects.form,
            "charts": objects.charts,
            "inset": objects.inset,
            "steps": pn.Row(
                button("‹ P", "object-before", lambda: objects.step(-1), margin=0),
                button("N ›", "object-after", lambda: objects.step(1), margin=0),
                margin=0,
            ),
            "relabel": button("R relabel lasso", "relabel", self._relabel, margin=0),
            "home": button("⌂ whole frame", "reset-view", self.frame.reset, margin=(0, 4, 0, 6)),
        }

    def opened(self, stack: Stack) -> None:
        """Show a frame that was opened."""
        super().opened(stack)
        self.train.suggest(str(Path(stack.address.partition("::")[0]).parent))

    def segmented(self, segmentation: Segmentation) -> None:
        """Show a result; the background is not drawn over the frame."""
        names = segmentation.classes["name"].values.tolist()
        labels = segmentation.classes["label"].values.tolist()
        self.session.hidden = [label for label, name in zip(labels, names, strict=True) if name == BACKGROUND]
        super().segmented(segmentation)

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the chosen object from the URL."""
        super().restore(query, stack)
        if query.get("object", "").isdigit() and self.session.segmentation is not None:
            self.session.thing = int(query["object"])
            self.objects.visit()

    def query(self, stack: Stack) -> dict[str, str]:
        """The chosen object."""
        del stack
        return {"object": str(self.session.thing)} if self.session.thing else {}

    def press(self, key: str) -> None:
        """N and P go from object to object, R relabels what is lassoed; the rest as on every page."""
        if key in ("n", "p"):
            self.objects.step(1 if key == "n" else -1)
        elif key == "r":
            self._relabel()
        else:
            super().press(key)

    def _connect(self) -> None:
        session = self.session
        self.stretch = choice(STRETCHES, "stretch", label="stretch", value=session.stretch, width=92)
        self.colors = choice(
            list(COLORMAPS), "colormap", label="colours of the values", value=session.colormap, width=92
        )
        self.opacity = slider("opacity of the classes", "opacity", value=session.opacity)
        self.modes.link(session, value="mode")
        self.stretch.link(session, value="stretch")
        self.colors.link(session, value="colormap")
        self.opacity.link(session, value="opacity")
        self.tabs.param.watch(self._turn, "value")
        session.param.watch(self.write_url, ["stack", "segmentation", "selected", "thing"])
        self._turn()

    def _turn(self, *_: Any) -> None:
        """Show the frame or the training."""
        training = self.tabs.value == "train"
        for part in (self.controls.main, self.controls.more, self.controls.bar, self.frame.root):
            part.visible = not training
        for part in (self.train.main, self.train.more, self.train.runner.bar, self.train.board):
            part.visible = training

    def _use(self, folder: Path) -> None:
        """Apply another model from the next run on."""
        self.controls.model = folder
        self.visit.tell("The next run applies this model: go to Frame and press Run.")

    def _tap(self, x: float, y: float) -> None:
        self.session.pixel = (x, y)
        self.objects.at(x, y)

    def _draw_region(self, polygon: list[list[float]]) -> None:
        self.session.region = polygon

    def _relabel(self) -> None:
        """Give what is lassoed the selected class."""
        session = self.session
        if not session.region:
            self.visit.tell("Draw round what should get another class first, with the lasso.", "error")
        elif len(session.selected) != 1:
            self.visit.tell("Select the one class that the lassoed pixels should get, then press R.", "error")
        else:
            self.classes.edit("relabel", polygon=session.region, label=session.selected[0])


def build(visit: Visit) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = MosaicsPage(visit)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="mosaics", title="Mosaics", body=BODY, build=build)
