"""The class table with its edits, undo and redo."""

from collections.abc import Callable
from typing import Any

from dashboard.components import ClassTable, UndoRedo
from dashboard.kit import Work
from dashboard.workspace import editing
from dashboard.workspace.datasets import Result
from dashboard.workspace.session import Session, pixel_units
from dashboard.workspace.workspace import Workspace


class ClassList:
    """Classes of the result: select, rename, recolour, merge, split; each an edit of the recipe."""

    def __init__(self, session: Session, workspace: Workspace, work: Work) -> None:
        self.session, self.workspace, self.work = session, workspace, work
        self.table = ClassTable(
            listener=lambda message: work.post(lambda: self._receive(message)),
            empty="No classes yet: press Run on the left.",
        )
        self.history = UndoRedo(
            listener=lambda message: work.post(self.undo if message["do"] == "undo" else self.redo),
            sizing_mode="fixed",
        )
        self.waiting: list[tuple[Callable[[], Result], Callable[[Result], None]]] = []
        session.param.watch(self._forget, "stack")
        session.param.watch(self._draw, ["result", "earlier", "later", "stack"])
        session.param.watch(lambda event: self.table.param.update(selected=list(event.new)), "selected")
        session.param.watch(lambda event: self.table.param.update(hidden=list(event.new)), "hidden")
        self._draw()

    def undo(self) -> None:
        """Take back the last edit; not while one is under way."""
        session = self.session
        if self.waiting:
            return
        if session.earlier:
            session.step(back=True)
            self._keep(session.result)
        elif editing.last_edit(session.result):
            before = session.result
            self._in_line(
                lambda: editing.undo_last_edit(self.workspace, before),
                lambda after: session.param.update(result=after, later=[before], selected=[]),
            )

    def redo(self) -> None:
        """Do again what was taken back last; not while an edit is under way."""
        if self.session.later and not self.waiting:
            self.session.step(back=False)
            self._keep(self.session.result)

    def edit(self, name: str, /, *, done: Callable[[], None] = lambda: None, **arguments: Any) -> None:
        """Apply an edit of the catalogue once those before it are; `done` is called when it has succeeded.

        Parameters
        ----------
        name
            Name of the edit in the catalogue.
        done
            Called when the edit has succeeded.
        arguments
            The edit's own.
        """

        def edited() -> Result:
            return editing.apply_edit(
                self.workspace, self.session.stack, self.session.result, name, **arguments
            )

        def show(after: Result) -> None:
            self.session.show(after, keep=True)
            done()

        if self.session.stack is not None and self.session.result is not None:
            self._in_line(edited, show)

    def _in_line(self, make: Callable[[], Result], show: Callable[[Result], None]) -> None:
        """Make what is shown next, one after the other: each begins with what the one before has edited."""
        self.waiting.append((make, show))
        if len(self.waiting) == 1:
            self._busy(True)
            self._next()

    def _next(self) -> None:
        first = make, show = self.waiting[0]

        def edited(after: Result) -> None:
            if first in self.waiting:  # or other data were opened meanwhile
                show(after)
                self._keep(after)
                leave()

        def leave() -> None:
            if first not in self.waiting:
                return
            self.waiting.remove(first)
            if self.waiting:
                self._next()
            else:
                self._busy(False)

        self.work.run(make, edited, key="edit", failed=leave)

    def _forget(self, *_: Any) -> None:
        """Other data are open: nothing that waits is wanted any more."""
        self.waiting.clear()
        self._busy(False)

    def _busy(self, busy: bool) -> None:
        self.table.busy = self.history.busy = busy

    def _keep(self, result: Result | None) -> None:
        """Store what is shown now, so that the URL can reopen it."""
        if result is not None and not result.id:
            self.work.run(
                lambda: editing.store_result(self.workspace, result),
                self.session.replace_by_stored,
                key="store",
            )

    def _receive(self, message: Any) -> None:
        selected = self.session.selected
        actions: dict[str, Any] = {
            "select": lambda: self.session.select(list(message["labels"])),
            "rename": lambda: self.edit("rename", label=message["label"], name=message["name"]),
            "recolour": lambda: self.edit("recolour", label=message["label"], color=message["color"]),
            "merge": lambda: self.edit("merge", labels=sorted(selected)),
            "split": lambda: self.edit("split", label=selected[0]),
            "hide": lambda: self._hide(int(message["label"])),
        }
        actions[message["do"]]()

    def _hide(self, label: int) -> None:
        """Draw a class no more, or again."""
        hidden = self.session.hidden
        self.session.hidden = (
            [each for each in hidden if each != label] if label in hidden else [*hidden, label]
        )

    def _draw(self, *_: Any) -> None:
        session = self.session
        self.table.param.update(
            rows=editing.class_rows(session.result),
            selected=list(session.selected),
            area_unit="" if session.stack is None else f"{pixel_units(session.stack)}²",
        )
        self.history.param.update(
            undo=editing.last_edit(session.result),
            redo=editing.last_edit(session.later[-1]) if session.later else "",
        )
