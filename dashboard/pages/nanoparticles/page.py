"""The Particles page: micrographs, their particles by class, the share of each class, and correcting them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.kit import button
from dashboard.pages.base import Page, PageContext
from dashboard.pages.nanoparticles.cards import AgreementCard, ParticleCard, SharesCard
from dashboard.pages.nanoparticles.gallery import ParticleGallery
from dashboard.pages.nanoparticles.state import find_changed_particles
from dashboard.pages.nanoparticles.strip import MicrographStrip
from dashboard.pages.nanoparticles.view import MicrographView
from dashboard.pages.workbench import Workbench
from dashboard.views.display_controls import scale_controls
from dashboard.views.gallery import next_in_doubt
from dashboard.views.histograms import Distribution, ObjectCharts
from dashboard.workspace.datasets import Stack
from dashboard.workspace.image_collection import count_images, file_names
from dashboard.workspace.object_table import ObjectSelection
from dashboard.workspace.session import pixel_units
from engine.nanoparticles.tables import CLASSES
from engine.schema import columns as c

ANALYSIS: Final = "particles"
NO_PARTICLE: Final = len(CLASSES) + 1
"""Key that says that what is chosen is no particle."""
DISTRIBUTIONS: Final = (
    Distribution("radius", "radius", axis="linear"),
    Distribution("spacing", "lattice spacing", axis="linear"),
)


class NanoparticlesPage:
    """The parts of one tab and how they act on each other."""

    def __init__(self, context: PageContext) -> None:
        self.bench = Workbench(
            context,
            ANALYSIS,
            read=self._read_query,
            write=self._write_query,
            press=self._press,
            unit="nm",
        )
        self.session = context.session
        session, workspace, work = context.session, context.workspace, context.work
        self.objects = ObjectSelection(sort="confidence", descending=False)
        self.strip = MicrographStrip(session, workspace, work)
        self.view = MicrographView(
            session, self.objects, workspace, work, on_tap=self._tap, on_move=self._move
        )
        self.gallery = ParticleGallery(session, self.objects, workspace, work, go=self.view.reveal)
        self.card = ParticleCard(session, self.objects, workspace, work)
        self.shares = SharesCard(session, self.objects, work)
        self.charts = ObjectCharts(session, self.objects, DISTRIBUTIONS)
        self.agreement = AgreementCard(session, work, show=self.gallery.show_only, retrain=self._retrain)
        self.bench.export.bar.format = "html"
        self.bench.url.watch("object_id", "plane")

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        session = self.session
        steps = pn.Row(
            button("‹ P", "particle-before", lambda: self.gallery.step(-1), margin=(0, 2, 0, 4)),
            button("N ›", "particle-after", lambda: self.gallery.step(1), margin=0),
            margin=0,
        )
        return self.bench.parts() | {
            "more": self.bench.controls.more,
            "pixel_size": self.bench.controls.pixel_size,
            "strip": self.strip.strip,
            "layers": self.view.layers,
            "display": pn.Row(*scale_controls(session), margin=0),
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

    def _read_query(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the shown micrograph and the chosen particle from the URL."""
        names = file_names(stack)
        if query.get("image") in names:
            self.session.plane = names.index(query["image"])
        if query.get("object", "").isdigit() and self.session.result is not None:
            self.session.object_id = int(query["object"])

    def _write_query(self, stack: Stack) -> dict[str, str]:
        """Return the shown micrograph and the chosen particle."""
        image = {"image": file_names(stack)[self.session.plane]} if count_images(stack) > 1 else {}
        return image | ({"object": str(self.session.object_id)} if self.session.object_id else {})

    def _press(self, key: str) -> bool:
        """Go on by N and P; give the chosen particle a class by 1 to 4."""
        if key in ("n", "p"):
            self.gallery.step(1 if key == "n" else -1)
            return True
        if not key.isdigit() or not self.session.object_id:
            return False
        if 1 <= int(key) <= NO_PARTICLE:
            self._relabel(int(key) % NO_PARTICLE)
        return True

    def _tap(self, x: float, y: float) -> None:
        self.session.object_id = self._at(x, y)

    def _move(self, x: float, y: float) -> None:
        number = self._at(x, y)
        self.card.show(number)
        row = self.objects.row(number)
        units = "px" if self.view.micrograph is None else pixel_units(self.view.micrograph.stack)
        particle = "" if row is None else f"<span>particle <b>{number} {row[c.NAME]}</b></span>"
        self.bench.status.text.object = (
            f'<div class="status"><span>x <b>{x:.2f}</b> y <b>{y:.2f}</b> {units}</span>{particle}</div>'
        )

    def _at(self, x: float, y: float) -> int:
        return 0 if self.view.micrograph is None else self.view.micrograph.at(x, y)

    # ------------------------------------------------------------ classes from a person
    def _relabel(self, label: int) -> None:
        """Give the chosen particle a class and go on to the next in doubt."""
        self.bench.classes.edit("relabel_objects", objects=[self.session.object_id], label=label)
        after = next_in_doubt(self.gallery.objects, self.session.object_id)
        if after:
            self.gallery.choose(after)

    def _retrain(self) -> None:
        """Learn from what was reviewed, and show what changed."""

        def report() -> None:
            numbers = find_changed_particles(self.session.earlier[-1], self.session.result)
            self.bench.context.tell(f"Retrained: {len(numbers)} particles changed their class.", "success")
            self.gallery.show_only(numbers, "that changed their class by retraining")

        self.bench.classes.edit("retrain", done=report)


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    page = NanoparticlesPage(context)
    pn.state.onload(page.bench.data.start)
    return page.parts()


PAGE: Final = Page(
    slug="particles", title="Particles", layout="particles.html", build=build, analysis=ANALYSIS
)
