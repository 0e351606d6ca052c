"""The Particles page: micrographs, their particles by class, the share of each class, and correcting them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.kit import button
from dashboard.pages.base import Page, Visit
from dashboard.pages.bench import Bench
from dashboard.state.library import Stack
from dashboard.state.micrographs import changed, collection, file_names, n_images
from dashboard.state.objects import Objects
from dashboard.state.session import pixel_units
from dashboard.views.frame_look import scale_controls
from dashboard.views.micrograph_strip import MicrographStrip
from dashboard.views.micrograph_view import MicrographView
from dashboard.views.object_cards import Distribution, ObjectCharts
from dashboard.views.particle_cards import AgreementCard, ParticleCard, SharesCard
from dashboard.views.particle_gallery import ParticleGallery
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


class ParticlesPage(Bench):
    """All parts of one visit and how they hang together."""

    analysis = "particles"
    unit = "nm"

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit)
        session, library, work = self.session, visit.library, visit.work
        self.objects = Objects(sort="confidence", descending=False)
        self.strip = MicrographStrip(session, library, work)
        self.view = MicrographView(session, self.objects, library, work, on_tap=self._tap, on_move=self._move)
        self.gallery = ParticleGallery(session, self.objects, library, work, go=self.view.visit)
        self.card = ParticleCard(session, self.objects, library, work)
        self.shares = SharesCard(session, self.objects, work)
        self.charts = ObjectCharts(session, self.objects, DISTRIBUTIONS)
        self.agreement = AgreementCard(session, work, show=self.gallery.show_only, retrain=self._retrain)
        self.export.bar.format = "html"
        session.param.watch(self.write_url, ["stack", "segmentation", "selected", "thing", "channel"])

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
        return collection(self.visit.library, address, steps)

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the shown micrograph and the chosen particle from the URL."""
        super().restore(query, stack)
        names = file_names(stack)
        if query.get("image") in names:
            self.session.channel = names.index(query["image"])
        if query.get("object", "").isdigit() and self.session.segmentation is not None:
            self.session.thing = int(query["object"])

    def query(self, stack: Stack) -> dict[str, str]:
        """The shown micrograph and the chosen particle."""
        shown = {"image": file_names(stack)[self.session.channel]} if n_images(stack) > 1 else {}
        return shown | ({"object": str(self.session.thing)} if self.session.thing else {})

    def press(self, key: str) -> None:
        """1–4 give the chosen particle a class, N and P go on; the rest as on every page."""
        if key in ("n", "p"):
            self.gallery.step(1 if key == "n" else -1)
        elif key.isdigit() and self.session.thing:
            if 1 <= int(key) <= NO_PARTICLE:
                self._relabel(int(key) % NO_PARTICLE)
        else:
            super().press(key)

    def _tap(self, x: float, y: float) -> None:
        self.session.thing = self._at(x, y)

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
        self.classes.edit("relabel_objects", objects=[self.session.thing], label=label)
        after = self.gallery.next_in_doubt()
        if after:
            self.gallery.choose(after)

    def _retrain(self) -> None:
        """Learn from what was reviewed, and show what changed."""

        def done() -> None:
            numbers = changed(self.session.earlier[-1], self.session.segmentation)
            self.visit.tell(f"Retrained: {len(numbers)} particles changed their class.", "success")
            self.gallery.show_only(numbers, "that changed their class by retraining")

        self.classes.edit("retrain", done=done)


def build(visit: Visit) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = ParticlesPage(visit)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="particles", title="Particles", body=BODY, build=build)
