"""What pages with data, a run and its result share: open, show, edit, how it was made, the URL."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from dashboard.components import Code, Keys
from dashboard.kit import button, sentence
from dashboard.pages.base import Visit
from dashboard.state.editing import code_of
from dashboard.state.example import example_segmentation
from dashboard.state.library import Result, Stack
from dashboard.views.class_list import ClassList
from dashboard.views.controls import Controls
from dashboard.views.export_card import ExportCard
from dashboard.views.picker import Picker
from dashboard.views.status_line import StatusLine
from engine.errors import MapstackError
from engine.recipe import Step
from engine.runtime import jobs

LABEL_OF_ZERO: Final = 10
"""Class that the key 0 stands for."""


class Bench:
    """The parts that pages share; a page adds its pictures and says what of them belongs into the URL."""

    analysis: ClassVar[str]
    unit: ClassVar[str] = "µm"
    """In which the size of a pixel is given."""
    missing: ClassVar[str] = "Open a measurement first."
    """Why Run is not possible before something is open."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.session, self.work = visit, visit.session, visit.work
        self.ready = False
        session, library, work = self.session, visit.library, visit.work
        self.picker = Picker(library, work, self.open, load=lambda address: self.load(address, ()))
        self.controls = Controls(
            self.analysis, session, library, work, self.load_result, unit=self.unit, missing=self.missing
        )
        self.status = StatusLine(session)
        self.classes = ClassList(session, library, work)
        self.export = ExportCard(self.analysis, session, library, work)
        self.code = Code()
        self.keys = Keys(listener=lambda message: work.post(lambda: self.press(message["key"])))
        session.param.watch(self._code, "segmentation")
        visit.closing.extend([self.controls.close, self.export.close])

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        return {
            "data": self.picker.card,
            "change": button("change…", "change-data", self.picker.open_dialog),
            "browser": self.picker.browser,
            "job": self.controls.bar,
            "export": self.export.bar,
            "code": self.code,
            "classes": self.classes.table,
            "status": self.status.text,
            "history": self.classes.history,
            "keys": self.keys,
        }

    # ------------------------------------------------------------ what a page adds
    def opened(self, stack: Stack) -> None:
        """Show data that were opened; what the URL says of them is taken over once."""
        self.session.open(stack)
        self.picker.show(stack)
        self._restore_once()

    def single(self, address: str) -> str:
        """Address of what is opened for an address; takes a moment."""
        return address

    def load(self, address: str, steps: tuple[Step, ...]) -> Stack:
        """Open the data at an address; takes a moment."""
        return self.visit.library.stack(address, steps)

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take what is looked at from the URL."""
        del stack
        labels = [int(part) for part in query.get("class", "").split(",") if part.isdigit()]
        self.session.select(labels)

    def query(self, stack: Stack) -> dict[str, str]:
        """What the URL says of what is looked at, beside data, result and classes."""
        del stack
        return {}

    def press(self, key: str) -> None:
        """Do what a key stands for."""
        session = self.session
        if key == "Escape":
            session.clear()
        elif key == "ctrl-z":
            self.classes.undo()
        elif key == "ctrl-y":
            self.classes.redo()
        elif key.isdigit():
            label = int(key) or LABEL_OF_ZERO
            session.select([] if session.selected == [label] else [label])

    # ------------------------------------------------------------ opening
    def start(self) -> None:
        """Show what the URL asks for, else the example."""
        query, library = self.visit.query, self.visit.library
        if "open" in query:
            self.picker.open_dialog()
        if "data" in query:
            self.open(query["data"], result=query.get("result", ""))
            return

        def show(found: tuple[Stack, Result]) -> None:
            self.opened(found[0])
            self.segmented(found[1])

        self.picker.card.object = '<p class="empty">Opening the example …</p>'
        found = partial(example_segmentation, library, self.analysis)
        self.work.run(found, show, key="open", failed=self._nothing)

    def open(self, address: str, *, result: str = "") -> None:
        """Open data, and a result of it."""

        def load() -> tuple[Stack, Result | None]:
            segmentation = self._found(result) if result else None
            single = self.single(address)
            return self.load(single, segmentation.recipe.prepare if segmentation else ()), segmentation

        def show(found: tuple[Stack, Result | None]) -> None:
            if found[0] is not self.session.stack or found[1] is None:
                self.opened(found[0])
            if found[1] is not None:
                self.segmented(found[1])

        self.work.run(load, show, key="open", failed=self._nothing)

    def load_result(self, result: str) -> None:
        """Show a stored result of the open data."""
        if self.session.stack is not None:
            self.open(self.session.stack.address, result=result)

    def segmented(self, segmentation: Result) -> None:
        """Show a result, and its settings."""
        self.session.show(segmentation)
        self.controls.adopt(segmentation.recipe)
        for said in segmentation.warnings:
            self.visit.tell(said)
        self._restore_once()
        self.ready = True
        self.write_url()

    def _found(self, result: str) -> Result | None:
        """Read a result; the data are shown without one that is gone."""
        try:
            return self.visit.library.segmentation(result)
        except MapstackError as error:
            said = sentence(error)
            self.work.post(lambda: self.visit.tell(said, "error"))
            return None

    def _nothing(self) -> None:
        self.ready = True
        if self.session.stack is None:
            self.picker.show(None)

    def _restore_once(self) -> None:
        query, stack = self.visit.query, self.session.stack
        if self.ready or stack is None:
            return
        self.restore(query, stack)
        if "result" not in query and "data" in query:
            self.ready = True

    # ------------------------------------------------------------ for the record
    def write_url(self, *_: Any) -> None:
        """Put what is shown into the URL."""
        session, stack = self.session, self.session.stack
        if not self.ready or stack is None:
            return
        query = {"data": stack.address}
        if session.segmentation is not None and session.segmentation.id:
            query["result"] = session.segmentation.id
        query |= self.query(stack)
        if session.selected:
            query["class"] = ",".join(map(str, session.selected))
        self.visit.go(query)

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
