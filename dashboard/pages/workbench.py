"""Parts of a page with data, a run and its result: opened data, the URL, shortcuts, code."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from dashboard.components import Code, Keys
from dashboard.kit import button, sentence
from dashboard.pages.base import PageContext
from dashboard.views.class_list import ClassList
from dashboard.views.controls import Controls
from dashboard.views.export_card import ExportCard
from dashboard.views.picker import Picker
from dashboard.views.status_line import StatusLine
from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.editing import write_code
from dashboard.workspace.example_data import open_example
from dashboard.workspace.image_collection import open_data
from dashboard.workspace.session import Session
from engine.errors import MapstackError
from engine.runtime import jobs

LABEL_OF_ZERO: Final = 10
"""Class that the key 0 stands for."""

ReadQuery = Callable[[Mapping[str, str], Stack], None]
WriteQuery = Callable[[Stack], dict[str, str]]


class UrlState:
    """The state of the page in the URL: data, result, selected classes, and what a page adds.

    Parameters
    ----------
    context
        The open tab.
    read
        Takes what the page adds from the URL, once.
    write
        Returns what the page adds to the URL.
    """

    def __init__(self, context: PageContext, read: ReadQuery, write: WriteQuery) -> None:
        self.context, self.session = context, context.session
        self.read_more, self.write_more = read, write
        self.ready = False
        """True once the URL has been read: from then on it is written."""

    def watch(self, *names: str) -> None:
        """Write the URL when one of these parameters of the session changes."""
        self.session.param.watch(self.write, ["stack", "result", "selected", *names])

    def read(self) -> None:
        """Select what the URL names; only until the first result is shown."""
        query, stack = self.context.query, self.session.stack
        if self.ready or stack is None:
            return
        self.session.select([int(part) for part in query.get("class", "").split(",") if part.isdigit()])
        self.read_more(query, stack)
        if "result" not in query and "data" in query:
            self.ready = True

    def write(self, *_: Any) -> None:
        """Put what is shown into the URL."""
        session, stack = self.session, self.session.stack
        if not self.ready or stack is None:
            return
        query = {"data": stack.address}
        if session.result is not None and session.result.id:
            query["result"] = session.result.id
        query |= self.write_more(stack)
        if session.selected:
            query["class"] = ",".join(map(str, session.selected))
        self.context.go(query)


class OpenedData:
    """The data that are open and their result; `on_stack` and `on_result` are called when another is shown.

    Parameters
    ----------
    context
        The open tab.
    analysis
        Name of the analysis in the catalogue; says how data are opened.
    url
        Read and written when something is shown.
    find_single
        Returns the address of what is opened for an address; called in a thread.
    """

    def __init__(
        self,
        context: PageContext,
        analysis: str,
        url: UrlState,
        *,
        find_single: Callable[[str], str] = lambda address: address,
    ) -> None:
        self.context, self.session, self.url = context, context.session, url
        self.analysis, self.find_single = analysis, find_single
        self.picker = Picker(
            context.workspace,
            context.work,
            self.open,
            load=lambda address: open_data(context.workspace, analysis, address),
        )
        self.before_result: list[Callable[[Result], None]] = []
        self.on_stack: list[Callable[[Stack], None]] = []
        self.on_result: list[Callable[[Result], None]] = []
        self.after_result: list[Callable[[Result], None]] = []

    def start(self) -> None:
        """Show what the URL asks for, else the example."""
        query, workspace = self.context.query, self.context.workspace
        if "open" in query:
            self.picker.open_dialog()
        if "data" in query:
            self.open(query["data"], result=query.get("result", ""))
            return

        def show(example: tuple[Stack, Result]) -> None:
            self.show_stack(example[0])
            self.show_result(example[1])

        self.picker.card.object = '<p class="empty">Opening the example …</p>'
        example = partial(open_example, workspace, self.analysis)
        self.context.work.run(example, show, key="open", failed=self.show_nothing)

    def open(self, address: str, *, result: str = "") -> None:
        """Open data, and a result of it.

        Parameters
        ----------
        address
            As in the URL.
        result
            Id of a stored result; empty: none.
        """

        def load() -> tuple[Stack, Result | None]:
            stored = self._find_result(result) if result else None
            steps = stored.recipe.prepare if stored else ()
            single = self.find_single(address)
            return open_data(self.context.workspace, self.analysis, single, steps), stored

        def show(opened: tuple[Stack, Result | None]) -> None:
            stack, stored = opened
            if stack is not self.session.stack or stored is None:
                self.show_stack(stack)
            if stored is not None:
                self.show_result(stored)

        self.context.work.run(load, show, key="open", failed=self.show_nothing)

    def open_result(self, result: str) -> None:
        """Show a stored result of the open data."""
        if self.session.stack is not None:
            self.open(self.session.stack.address, result=result)

    def show_stack(self, stack: Stack) -> None:
        """Show data; what the URL says of them is read once."""
        self.session.open(stack)
        self.picker.show(stack)
        self.url.read()
        for action in self.on_stack:
            action(stack)

    def show_result(self, result: Result) -> None:
        """Show a result, and tell its warnings."""
        for action in self.before_result:
            action(result)
        self.session.show(result)
        for action in self.on_result:
            action(result)
        for warning in result.warnings:
            self.context.tell(warning)
        self.url.read()
        self.url.ready = True
        self.url.write()
        for action in self.after_result:
            action(result)

    def show_nothing(self) -> None:
        """Say that nothing is open, unless something is."""
        self.url.ready = True
        if self.session.stack is None:
            self.picker.show(None)

    def _find_result(self, result: str) -> Result | None:
        """Read a result; the data are shown without one that is gone."""
        try:
            return self.context.workspace.open_result(result)
        except MapstackError as error:
            text = sentence(error)
            self.context.work.post(lambda: self.context.tell(text, "error"))
            return None


class Shortcuts:
    """Keys of the page: those of all pages, and before them those that the page adds.

    Parameters
    ----------
    context
        The open tab.
    classes
        Whose edits are undone and redone.
    press
        Does what a key stands for on this page; returns False for keys that it does not know.
    """

    def __init__(self, context: PageContext, classes: ClassList, press: Callable[[str], bool]) -> None:
        self.session, self.classes, self.press_own = context.session, classes, press
        self.keys = Keys(listener=lambda message: context.work.post(lambda: self.press(message["key"])))

    def press(self, key: str) -> None:
        """Do what a key stands for."""
        session = self.session
        if self.press_own(key):
            return
        if key == "Escape":
            session.clear()
        elif key == "ctrl-z":
            self.classes.undo()
        elif key == "ctrl-y":
            self.classes.redo()
        elif key.isdigit():
            label = int(key) or LABEL_OF_ZERO
            session.select([] if session.selected == [label] else [label])


class CodeCard:
    """The Python lines and the command that make the shown result again."""

    def __init__(self, context: PageContext) -> None:
        self.workspace, self.session = context.workspace, context.session
        self.code = Code()
        self.session.param.watch(self._write, "result")

    def _write(self, *_: Any) -> None:
        result = self.session.result
        if result is None:
            self.code.param.update(python="", command="")
            return
        folder: Path | None = None
        if result.id:
            folder = jobs.show(result.id, self.workspace.home).result
        python, command = write_code(result.recipe, folder)
        self.code.param.update(python=python, command=command)


class Workbench:
    """The parts that pages with data, a run and a result have in common; each page owns one.

    Parameters
    ----------
    context
        The open tab.
    analysis
        Name of the analysis in the catalogue.
    read, write
        What the page adds to the URL, see `UrlState`.
    press
        Keys of the page, see `Shortcuts`.
    find_single
        See `OpenedData`.
    unit
        Unit in which the pixel size is given.
    missing
        Why Run is not possible before something is open.
    """

    def __init__(
        self,
        context: PageContext,
        analysis: str,
        *,
        read: ReadQuery,
        write: WriteQuery,
        press: Callable[[str], bool],
        find_single: Callable[[str], str] = lambda address: address,
        unit: str = "µm",
        missing: str = "Open a measurement first.",
    ) -> None:
        self.context = context
        session, workspace, work = context.session, context.workspace, context.work
        self.url = UrlState(context, read, write)
        self.data = OpenedData(context, analysis, self.url, find_single=find_single)
        self.controls = Controls(
            analysis, session, workspace, work, self.data.open_result, unit=unit, missing=missing
        )
        self.data.on_result.append(lambda result: self.controls.adopt(result.recipe))
        self.status = StatusLine(session)
        self.classes = ClassList(session, workspace, work)
        self.export = ExportCard(analysis, session, workspace, work)
        self.code = CodeCard(context)
        self.shortcuts = Shortcuts(context, self.classes, press)
        context.closing.extend([self.controls.close, self.export.close])

    @property
    def session(self) -> Session:
        """Session of the tab."""
        return self.context.session

    def parts(self) -> dict[str, Any]:
        """Return the parts that every such page shows, by their names in its layout."""
        picker = self.data.picker
        return {
            "data": picker.card,
            "change": button("change…", "change-data", picker.open_dialog),
            "browser": picker.browser,
            "settings": self.controls.main,
            "job": self.controls.bar,
            "export": self.export.bar,
            "code": self.code.code,
            "status": self.status.text,
            "history": self.classes.history,
            "keys": self.shortcuts.keys,
        }
