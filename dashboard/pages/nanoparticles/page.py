"""The Particles page: micrographs, their particles by class, the share of each class, and correcting them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.kit import button
from dashboard.pages.base import Page, PageContext
from dashboard.pages.workbench import Workbench
from dashboard.workspace.workspace import Stack
from dashboard.pages.nanoparticles.state import find_changed_particles, open_collection, file_names, count_images
from dashboard.workspace.object_table import ObjectSelection
from dashboard.workspace.session import pixel_units
from dashboard.views.display_controls import scale_controls
from dashboard.pages.nanoparticles.strip import MicrographStrip
from dashboard.pages.nanoparticles.view import MicrographView
from dashboard.pages.mosaics.cards import Distribution, ObjectCharts
from dashboard.pages.nanoparticles.cards import AgreementCard, ParticleCard, SharesCard
from dashboard.pages.nanoparticles.gallery import ParticleGallery
from engine.nanoparticles.population import CLASSES
from engine.recipe import Step

NO_PARTICLE: Final = len(CLASSES) + 1
"""Key that says that what is chosen is no particle."""
DISTRIBUTIONS: Final = (
    Distribution("radius", "radius", axis="linear"),
    Distribution("spacing", "lattice spacing", axis="linear"),
)

BODY: Final = """
<div class="maps" id="particles">
  <section class="rail" aria-label="what goes in">
    <div class="card"><h2>Data<small>{{ embed(roots.change) }}</small></h2>{{ embed(roots.data) }}</div>
    <div class="card" id="run-card"><h2>Find and classify</h2>{{ embed(roots.settings) }}
      {{ embed(roots.pixel_size) }}
      <details id="more"><summary>more</summary>{{ embed(roots.more) }}</details>
      {{ embed(roots.job) }}</div>
    <div class="card"><h2>Export<small>{{ embed(roots.code) }}</small></h2>{{ embed(roots.export) }}</div>
  </section>
  <section class="centre" aria-label="micrographs">
    <div class="card">{{ embed(roots.strip) }}</div>
    <div class="card bar">{{ embed(roots.layers) }}<span class="gap"></span>{{ embed(roots.look) }}</div>
    <div class="card pictures">{{ embed(roots.maps) }}</div>
    <div class="card" id="gallery">{{ embed(roots.gallery) }}</div>
  </section>
  <section class="right" aria-label="what came out">
    <div class="card" id="fractions"><h2>Fractions<small>95 % intervals</small></h2>
      {{ embed(roots.shares) }}</div>
    <div class="card" id="particle"><h2>Particle<small>{{ embed(roots.steps) }}</small></h2>
      {{ embed(roots.particle) }}</div>
    <div class="card charts" id="sizes"><h2>Sizes and spacings</h2>{{ embed(roots.charts) }}</div>
    <div class="card" id="agreement"><h2>You and the model<small>{{ embed(roots.retrain) }}</small></h2>
      {{ embed(roots.matrix) }}</div>
  </section>
  <footer class="status">{{ embed(roots.status) }}{{ embed(roots.history) }}{{ embed(roots.home) }}</footer>
</div>
<div class="hidden-root">{{ embed(roots.keys) }}{{ embed(roots.browser) }}</div>
"""


class NanoparticlesPage(Workbench):
    """All parts of one visit and how they hang together."""

    analysis = "particles"
    unit = "nm"

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        session, workspace, work = self.session, context.workspace, context.work
        self.objects = ObjectSelection(sort="confidence", descending=False)
        self.strip = MicrographStrip(session, workspace, work)
        self.view = MicrographView(session, self.objects, workspace, work, on_tap=self._tap, on_move=self._move)
        self.gallery = ParticleGallery(session, self.objects, workspace, work, go=self.view.reveal)
        self.card = ParticleCard(session, self.objects, workspace, work)
        self.shares = SharesCard(session, self.objects, work)
        self.charts = ObjectCharts(session, self.objects, DISTRIBUTIONS)
        self.agreement = AgreementCard(session, work, show=self.gallery.show_only, retrain=self._retrain)
        self.export.bar.format = "html"
        session.param.watch(self.write_url, ["stack", "result", "selected", "object_id", "plane"])

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        session = self.session
        steps = pn.Row(
            button("‹ P", "particle-before", lambda: self.gallery.step(-1), margin=(0, 2, 0, 4)),
            button("N ›", "particle-after", lambda: self.gallery.step(1), margin=0),
            margin=0,
        )
        parts = super().parts() | {
            "settings": self.controls.main,
            "more": self.controls.more,
            "pixel_size": self.controls.pixel_size,
            "strip": self.strip.strip,
            "layers": self.view.layers,
            "look": pn.Row(*scale_controls(session), margin=0),
            "maps": self.view.root,
            "gallery": self.gallery.gallery,
            "shares": self.shares.shares,
            "particle": self.card.root,
            "steps": steps,
            "charts": self.charts.root,
            "matrix": self.agreement.matrix,
            "retrain": self.agreement.retrain,
            "home": button("⌂ whole micrograph", "reset-view", self.view.reset, margin=(0, 4, 0, 6)),
        }
        del parts["classes"]
        return parts

    def load(self, address: str, steps: tuple[Step, ...]) -> Stack:
        """Open a micrograph or a folder of them."""
        return open_collection(self.context.workspace, address, steps)

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the shown micrograph and the chosen particle from the URL."""
        super().restore(query, stack)
        names = file_names(stack)
        if query.get("image") in names:
            self.session.plane = names.index(query["image"])
        if query.get("object", "").isdigit() and self.session.result is not None:
            self.session.object_id = int(query["object"])

    def query(self, stack: Stack) -> dict[str, str]:
        """The shown micrograph and the chosen particle."""
        shown = {"image": file_names(stack)[self.session.plane]} if count_images(stack) > 1 else {}
        return shown | ({"object": str(self.session.object_id)} if self.session.object_id else {})

    def press(self, key: str) -> None:
        """1–4 give the chosen particle a class, N and P go on; the rest as on every page."""
        if key in ("n", "p"):
            self.gallery.step(1 if key == "n" else -1)
        elif key.isdigit() and self.session.object_id:
            if 1 <= int(key) <= NO_PARTICLE:
                self._relabel(int(key) % NO_PARTICLE)
        else:
            super().press(key)

    def _tap(self, x: float, y: float) -> None:
        self.session.object_id = self._at(x, y)

    def _move(self, x: float, y: float) -> None:
        number = self._at(x, y)
        self.card.show(number)
        row = self.objects.row(number)
        units = "px" if self.view.sheet is None else pixel_units(self.view.sheet.stack)
        said = "" if row is None else f"<span>particle <b>{number} {row['name']}</b></span>"
        self.status.text.object = (
            f'<div class="status"><span>x <b>{x:.2f}</b> y <b>{y:.2f}</b> {units}</span>{said}</div>'
        )

    def _at(self, x: float, y: float) -> int:
        return 0 if self.view.sheet is None else self.view.sheet.at(x, y)

    # ------------------------------------------------------------ classes from a person
    def _relabel(self, label: int) -> None:
        """Give the chosen particle a class and go on to the next in doubt."""
        self.classes.edit("relabel_objects", objects=[self.session.object_id], label=label)
        after = self.gallery.next_in_doubt()
        if after:
            self.gallery.choose(after)

    def _retrain(self) -> None:
        """Learn from what was reviewed, and show what changed."""

        def done() -> None:
            numbers = find_changed_particles(self.session.earlier[-1], self.session.result)
            self.context.tell(f"Retrained: {len(numbers)} particles changed their class.", "success")
            self.gallery.show_only(numbers, "that changed their class by retraining")

        self.classes.edit("retrain", done=done)


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = NanoparticlesPage(context)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="particles", title="Particles", body=BODY, build=build)
