"""What pages with data, a run and its result share: open, show, edit, how it was made, the URL."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from dashboard.components import Code, Keys
from dashboard.kit import button, sentence
from dashboard.pages.base import PageContext
from dashboard.workspace.editing import write_code
from dashboard.workspace.example_data import open_example
from dashboard.workspace.workspace import Result, Stack
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


class Workbench:
    """The parts that pages share; a page adds its pictures and says what of them belongs into the URL."""

    analysis: ClassVar[str]
    unit: ClassVar[str] = "µm"
    """In which the size of a pixel is given."""
    missing: ClassVar[str] = "Open a measurement first."
    """Why Run is not possible before something is open."""

    def __init__(self, context: PageContext) -> None:
        self.context, self.session, self.work = context, context.session, context.work
        self.ready = False
        session, workspace, work = self.session, context.workspace, context.work
        self.picker = Picker(workspace, work, self.open, load=lambda address: self.load(address, ()))
        self.controls = Controls(
            self.analysis, session, workspace, work, self.load_result, unit=self.unit, missing=self.missing
        )
        self.status = StatusLine(session)
        self.classes = ClassList(session, workspace, work)
        self.export = ExportCard(self.analysis, session, workspace, work)
        self.code = Code()
        self.keys = Keys(listener=lambda message: work.post(lambda: self.press(message["key"])))
        session.param.watch(self._code, "result")
        context.closing.extend([self.controls.close, self.export.close])

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
        return self.context.workspace.stack(address, steps)

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
        query, workspace = self.context.query, self.context.workspace
        if "open" in query:
            self.picker.open_dialog()
        if "data" in query:
            self.open(query["data"], result=query.get("result", ""))
            return

        def show(found: tuple[Stack, Result]) -> None:
            self.opened(found[0])
            self.segmented(found[1])

        self.picker.card.object = '<p class="empty">Opening the example …</p>'
        found = partial(open_example, workspace, self.analysis)
        self.work.run(found, show, key="open", failed=self._nothing)

    def open(self, address: str, *, result: str = "") -> None:
        """Open data, and a result of it."""

        def load() -> tuple[Stack, Result | None]:
            result = self._found(result) if result else None
            single = self.single(address)
            return self.load(single, result.recipe.prepare if result else ()), result

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

    def segmented(self, result: Result) -> None:
        """Show a result, and its settings."""
        self.session.show(result)
        self.controls.adopt(result.recipe)
        for said in result.warnings:
            self.context.tell(said)
        self._restore_once()
        self.ready = True
        self.write_url()

    def _found(self, result: str) -> Result | None:
        """Read a result; the data are shown without one that is gone."""
        try:
            return self.context.workspace.open_result(result)
        except MapstackError as error:
            said = sentence(error)
            self.work.post(lambda: self.context.tell(said, "error"))
            return None

    def _nothing(self) -> None:
        self.ready = True
        if self.session.stack is None:
            self.picker.show(None)

    def _restore_once(self) -> None:
        query, stack = self.context.query, self.session.stack
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
        if session.result is not None and session.result.id:
            query["result"] = session.result.id
        query |= self.query(stack)
        if session.selected:
            query["class"] = ",".join(map(str, session.selected))
        self.context.go(query)

    def _code(self, *_: Any) -> None:
        result = self.session.result
        if result is None:
            self.code.param.update(python="", command="")
            return
        result: Path | None = None
        if result.id:
            result = jobs.show(result.id, self.context.workspace.home).result
        python, command = write_code(result.recipe, result)
        self.code.param.update(python=python, command=command)
