"""The micrographs of a collection with their pictures and how many particles of each class they hold."""

from typing import Any, Final

import pandas as pd

from dashboard.components import Strip
from dashboard.kit import Work, png_source
from dashboard.pages.nanoparticles.plots import shrink_micrograph
from dashboard.pages.nanoparticles.state import micrograph_rows
from dashboard.workspace.datasets import Stack
from dashboard.workspace.image_collection import count_images, file_names, read_values
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine.nanoparticles.tables import COUNTS
from engine.schema import columns as c

PAGE: Final = 10
"""Micrographs that are shown at once."""
EDGE: Final = 120
"""Longer edge of a picture in pixels."""


class MicrographStrip:
    """One page of micrographs at a time; a click makes one the shown one."""

    def __init__(self, session: Session, workspace: Workspace, work: Work) -> None:
        self.session, self.workspace, self.work = session, workspace, work
        self.strip = Strip(listener=lambda message: work.post(lambda: self._act(message)))
        session.param.watch(self._open, "stack")
        session.param.watch(self._follow, "plane")
        session.param.watch(self._count, "result")

    def _act(self, message: Any) -> None:
        if message["do"] == "choose":
            self.session.plane = int(message["image"])
        else:
            self._turn(self.strip.page + int(message["step"]))

    def _open(self, *_: Any) -> None:
        self._turn(0 if self.session.stack is None else self.session.plane // PAGE)

    def _follow(self, *_: Any) -> None:
        self.strip.chosen = self.session.plane
        if self.session.plane // PAGE != self.strip.page:
            self._turn(self.session.plane // PAGE)

    def _turn(self, page: int) -> None:
        stack = self.session.stack
        if stack is None:
            self.strip.rows = []
            return
        pages = -(-count_images(stack) // PAGE)
        page = min(max(0, page), pages - 1)
        note = f"{count_images(stack)} micrographs" if count_images(stack) > 1 else ""
        self.strip.param.update(page=page, pages=pages, chosen=self.session.plane, note=note)
        self._count()
        numbers = range(page * PAGE, min((page + 1) * PAGE, count_images(stack)))
        self.work.run(
            lambda: [picture(self.workspace, stack, n) for n in numbers], self._picture, key="strip"
        )

    def _picture(self, sources: list[str]) -> None:
        rows = zip(self.strip.rows, sources, strict=False)
        self.strip.rows = [{**row, "src": source} for row, source in rows]

    def _count(self, *_: Any) -> None:
        """Write what is known of the micrographs of this page; pictures that are there stay."""
        stack, strip = self.session.stack, self.strip
        if stack is None:
            return
        before = {row["image"]: row["src"] for row in strip.rows}
        names, table = file_names(stack), micrograph_rows(self.session.result)
        numbers = range(strip.page * PAGE, min((strip.page + 1) * PAGE, len(names)))
        strip.rows = [
            {"image": n, "name": names[n], "src": before.get(n, ""), **self._describe(table, n)}
            for n in numbers
        ]

    def _describe(self, table: pd.DataFrame, number: int) -> dict[str, Any]:
        if number >= len(table):
            return {"counts": [], "problem": "", "title": "not analysed yet: press Run"}
        row, classes = table.iloc[number], self.session.result.classes
        counts = [
            {"n": int(row[column]), "color": str(color)[:7], "title": str(name)}
            for column, color, name in zip(
                COUNTS, classes[c.COLOR].values, classes[c.NAME].values, strict=False
            )
        ]
        title = str(row[c.PROBLEM]) or f"{row[c.FILE]}: {row[c.N_PARTICLES]} particles"
        return {"counts": counts, "problem": str(row[c.PROBLEM]), "title": title}


def picture(workspace: Workspace, stack: Stack, number: int) -> str:
    """Return a thumbnail of a micrograph as an image's source; empty where it cannot be read.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    stack
        The opened data.
    number
        Index of the image, or number of the object.

    Returns
    -------
    str
        PNG as a data URL, or an empty text.
    """
    return workspace.cache.pictures.get((stack.identity, number), lambda: _draw(stack, number))


def _draw(stack: Stack, number: int) -> str:
    values = read_values(stack, number)
    return "" if values is None else png_source(shrink_micrograph(values, edge=EDGE))
