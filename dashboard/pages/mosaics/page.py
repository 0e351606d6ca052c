"""The Mosaics page: CCD frames segmented by a network, with every object in a table beside them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.components import Tabs
from dashboard.kit import button
from dashboard.pages.base import Page, PageContext
from dashboard.pages.mosaics.cards import ObjectCard, SectionsCard
from dashboard.pages.mosaics.frame_choice import FrameChoice
from dashboard.pages.mosaics.object_list import ObjectList
from dashboard.pages.mosaics.state import find_first_frame
from dashboard.pages.mosaics.view import FrameView
from dashboard.pages.workbench import Workbench
from dashboard.views.display_controls import frame_controls, mode_switch
from dashboard.views.histograms import ObjectCharts
from dashboard.views.train_panel import FRAMES, TrainPanel
from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.object_table import ObjectSelection

ANALYSIS: Final = "unet"
TABS: Final = {"frame": "Frame", "train": "Train"}
REACH: Final = 5
"""Screen pixels within which a click still finds an object."""


class MosaicsPage:
    """The parts of one tab and how they act on each other."""

    def __init__(self, context: PageContext) -> None:
        self.bench = Workbench(
            context,
            ANALYSIS,
            read=self._read_query,
            write=self._write_query,
            press=self._press,
            find_single=lambda address: find_first_frame(context.workspace, address),
        )
        self.session = context.session
        session, work = context.session, context.work
        session.param.update(mode="over", stretch="asinh")
        self.bench.classes.table.eyes = True
        self.frame = FrameView(
            session,
            on_tap=self._tap,
            on_region=lambda polygon: session.param.update(region=polygon),
            on_move=self.bench.status.move,
            guard=work.guard,
        )
        objects = ObjectSelection()
        self.objects = ObjectList(session, objects, work, go=self.frame.show)
        self.sections = SectionsCard(session, objects, work, go=self.frame.show)
        self.charts = ObjectCharts(session, objects)
        self.card = ObjectCard(session, objects, work, draw=self.frame.outline)
        self.choice = FrameChoice(session, context.workspace, work, on_choose=self.bench.data.open)
        self.bench.export.bar.format = "fits"
        self.train = TrainPanel(FRAMES, session, context.workspace, work)
        self.bench.url.watch("object_id")
        self.bench.data.before_result.append(self._hide_background)
        context.closing.append(self.train.runner.close)

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        own = {
            "tabs": Tabs(names=TABS, value="frame", of="mosaics"),
            "frame": self.choice.select,
            "more": self.bench.controls.more,
            "modes": mode_switch(self.session),
            "display": frame_controls(self.session),
            "maps": self.frame.root,
            "classes": self.bench.classes.table,
            "sections": self.sections.grid,
            "objects": self.objects.table,
            "filter": self.objects.form,
            "steps": self.objects.tools,
            "charts": self.charts.root,
            "inset": self.card.root,
            "relabel": button("R relabel lasso", "relabel", self._relabel, margin=0),
            "home": button("⌂ whole frame", "reset-view", self.frame.reset, margin=(0, 4, 0, 6)),
        }
        return self.bench.parts() | own | self.train.parts()

    def _hide_background(self, result: Result) -> None:
        """Draw no background over the frame."""
        self.session.hidden = [result.background] if result.background else []

    def _read_query(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the chosen object from the URL."""
        del stack
        if query.get("object", "").isdigit() and self.session.result is not None:
            self.session.object_id = int(query["object"])
            self.objects.reveal()

    def _write_query(self, stack: Stack) -> dict[str, str]:
        """Return the chosen object."""
        del stack
        return {"object": str(self.session.object_id)} if self.session.object_id else {}

    def _press(self, key: str) -> bool:
        """Go from object to object by N and P, relabel the lassoed pixels by R."""
        if key in ("n", "p"):
            self.objects.step(1 if key == "n" else -1)
        elif key == "r":
            self._relabel()
        return key in ("n", "p", "r")

    def _tap(self, x: float, y: float) -> None:
        self.session.pixel = (x, y)
        self.objects.choose_at(x, y, REACH * self.frame.unit)

    def _relabel(self) -> None:
        """Give what is lassoed the selected class."""
        session = self.session
        if not session.region:
            self.bench.context.tell(
                "Draw round what should get another class first, with the lasso.", "error"
            )
        elif len(session.selected) != 1:
            self.bench.context.tell(
                "Select the one class that the lassoed pixels should get, then press R.", "error"
            )
        else:
            self.bench.classes.edit("relabel", polygon=session.region, label=session.selected[0])


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    page = MosaicsPage(context)
    pn.state.onload(page.bench.data.start)
    return page.parts()


PAGE: Final = Page(slug="mosaics", title="Mosaics", layout="mosaics.html", build=build, analysis=ANALYSIS)
