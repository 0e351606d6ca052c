"""The objects of a result: their table, which shows one page at a time, and which of them is chosen."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import panel as pn

from dashboard.components import ObjectTable
from dashboard.kit import UNSEEN_LABEL, WIDGET_STYLE, Work, button, setting, settings_form
from dashboard.workspace.object_table import KEV, Box, ObjectSelection, find_object, link_class, surroundings
from dashboard.workspace.session import Session
from engine.schema import columns as c

ROWS: Final = 60
"""Rows of the table that are sent at once."""
COLUMNS: Final = [
    {"name": "object", "title": "#", "long": "number", "number": True},
    {"name": "name", "title": "class", "long": "class"},
    {"name": "kind", "title": "kind", "long": "kind of track"},
    {"name": "area", "title": "px", "long": "size in pixels", "number": True},
    {"name": "energy", "title": "keV", "long": "energy in keV", "number": True},
    {"name": "confidence", "title": "conf.", "long": "mean confidence", "number": True},
]
LIMITS: Final = ["least_size", "most_size", "least_energy", "least_confidence"]
NOTHING: Final = "No objects yet: press Run on the left."
TOO_NARROW: Final = "No object passes: widen the limits above."


class ObjectList:
    """Table, filters, and going from object to object; `go` shows a part of the frame."""

    def __init__(
        self, session: Session, objects: ObjectSelection, work: Work, *, go: Callable[[Box], None]
    ) -> None:
        self.session, self.objects, self.work, self.go = session, objects, work, go
        self.table = ObjectTable(
            columns=COLUMNS,
            listener=lambda message: work.post(lambda: self._act(message)),
            sizing_mode="stretch_both",
        )
        unseen = {"stylesheets": [WIDGET_STYLE, UNSEEN_LABEL], "sizing_mode": "fixed", "width": 104}
        self.tools = pn.Row(
            setting(objects, "kind", **unseen),
            button("‹ P", "object-before", lambda: self.step(-1), margin=(0, 2, 0, 4)),
            button("N ›", "object-after", lambda: self.step(1), margin=0),
            margin=0,
        )
        self.form = settings_form(objects, LIMITS, per_row=len(LIMITS))
        session.param.watch(lambda event: self._adopt(event.new), "result")
        session.param.watch(self._choose, "object_id")
        link_class(session, objects)
        objects.param.watch(lambda _: self._turn(0), "shown")
        self._turn(0)

    def choose_at(self, x: float, y: float, reach: float) -> None:
        """Choose the object at a position of the frame, or within reach of it."""
        result = self.session.result
        if result is not None:
            self.work.run(
                lambda: find_object(result, x, y, reach),
                lambda number: self.session.param.update(object_id=number),
                key="object",
            )

    def step(self, by: int) -> None:
        """Go to the next or previous object of its class."""
        number = self.objects.neighbour(self.session.object_id, by)
        if number:
            self.session.object_id = number
            self.reveal()

    def reveal(self) -> None:
        """Show the chosen object in the frame."""
        row, stack = self.objects.row(self.session.object_id), self.session.stack
        if row is not None and stack is not None:
            self.go(surroundings(row, stack))

    def _act(self, message: Any) -> None:
        if message["do"] == "choose":
            self.session.object_id = int(message["object"])
            self.reveal()
        elif message["do"] == "page":
            self._turn(self.table.page + int(message["step"]))
        else:
            column, objects = str(message["column"]), self.objects
            turned = not objects.descending if column == objects.sort else True
            objects.param.update(sort=column, descending=turned)

    def _adopt(self, result: Any) -> None:
        """Take the objects of another result; one that is no more is not chosen any more."""
        before = self.objects.row(self.session.object_id)
        self.objects.adopt(result)
        now = self.objects.row(self.session.object_id)
        if before is not None and (now is None or now[c.AREA] != before[c.AREA]):
            self.session.object_id = 0

    def _turn(self, page: int) -> None:
        """Send a page of the table."""
        shown, total = self.objects.shown, len(self.objects.every)
        pages = -(-len(shown) // ROWS)
        page = min(max(0, page), max(0, pages - 1))
        self.table.param.update(
            rows=[_row(row) for row in shown.iloc[page * ROWS : (page + 1) * ROWS].to_dict("records")],
            page=page,
            pages=pages,
            sort=self.objects.sort,
            descending=self.objects.descending,
            note=f"{len(shown):,} of {total:,} objects" if total else "",
            empty=NOTHING if self.session.result is None else TOO_NARROW,
        )

    def _choose(self, *_: Any) -> None:
        """Turn to the page of the chosen object."""
        self.table.chosen = self.session.object_id
        place = self.objects.row_index(self.session.object_id)
        if place is not None:
            self._turn(place // ROWS)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table as text."""
    energy = row[c.ENERGY_EV] / KEV
    return {
        "object": int(row["object"]),
        "name": str(row[c.NAME]),
        "kind": str(row[c.KIND]),
        "color": str(row[c.COLOR])[:7],
        "area": f"{row[c.AREA]:.0f}",
        "energy": f"{energy:.4g}" if np.isfinite(energy) else "–",
        "confidence": f"{row['confidence']:.2f}",
    }
