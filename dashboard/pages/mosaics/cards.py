"""Cards: objects by section of the frame, and the chosen object close up."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from dashboard.components import Sections
from dashboard.kit import Work, escape, markup, png_source
from dashboard.plots.object_charts import paint_object
from dashboard.workspace.datasets import MapResult, Stack
from dashboard.workspace.object_table import (
    ALL,
    KEV,
    Box,
    ObjectSelection,
    count_by_section,
    extent,
    outline,
    section_box,
)
from dashboard.workspace.session import Session
from engine.schema import OBJECTS, PIXEL, X, Y, pixel_map
from engine.schema import columns as c

SOUGHT: Final = "cluster"
"""Class whose objects the sections count, unless the filter names another."""
LEAST_HALF: Final = 16
"""Pixels shown on each side of an object close up, at least."""
HINT: Final = (
    '<p class="empty">Click an object in the frame or a row; N and P go to the next and previous.</p>'
)


class SectionsCard:
    """Number of objects in each section of the frame; a click goes there."""

    def __init__(
        self, session: Session, objects: ObjectSelection, work: Work, *, go: Callable[[Box], None]
    ) -> None:
        self.session, self.objects, self.go = session, objects, go
        self.grid = Sections(listener=lambda message: work.post(lambda: self._enter(message)))
        objects.param.watch(self._count, "shown")
        self._count()

    def _count(self, *_: Any) -> None:
        stack, objects = self.session.stack, self.objects
        if stack is None or objects.every.empty:
            self.grid.param.update(
                counts=[], empty="After Run: how many objects each section of the frame holds."
            )
            return
        what = objects.kind if objects.kind != ALL else SOUGHT
        sought = objects.shown[objects.shown[c.NAME] == what]
        self.grid.param.update(counts=count_by_section(sought, stack), what=f"objects of class {what}")

    def _enter(self, message: Any) -> None:
        if self.session.stack is not None:
            self.go(section_box(self.session.stack, int(message["row"]), int(message["column"])))


class ObjectCard:
    """The chosen object close up, with its numbers; `draw` outlines it in the frame."""

    def __init__(
        self, session: Session, objects: ObjectSelection, work: Work, *, draw: Callable[[list[Any]], None]
    ) -> None:
        self.session, self.objects, self.work, self.draw = session, objects, work, draw
        self.root = markup(HINT)
        session.param.watch(self._show, ["object_id", "result"])

    def _show(self, *_: Any) -> None:
        stack, result = self.session.stack, self.session.result
        row = self.objects.row(self.session.object_id)
        if row is None or stack is None or result is None:
            self.root.object = HINT
            self.draw(self.session.region)
            return
        self.draw(outline(row, stack))
        self.work.run(
            lambda: card_html(stack, result, row),
            lambda html: setattr(self.root, "object", html),
            key="inset",
        )


def card_html(stack: Stack, result: MapResult, row: dict[str, Any]) -> str:
    """Return picture and numbers of an object as HTML; reads its surroundings: call it in a thread.

    Parameters
    ----------
    stack
        The opened data.
    result
        The result that is shown.
    row
        Row of the table of objects or images.

    Returns
    -------
    str
        HTML of the card.
    """
    units = str(stack.images[stack.variables[0]].attrs.get("units", "1"))
    facts = {
        "size": f"{row[c.AREA]:.0f} px, {row[c.LENGTH]:.1f} × {row[c.WIDTH]:.1f}",
        "charge": f"{row[c.CHARGE]:.5g} {units}",
        "peak": f"{row[c.PEAK]:.5g} {units}",
        "energy": f"{row[c.ENERGY_EV] / KEV:.4g} keV" if np.isfinite(row[c.ENERGY_EV]) else "–",
        "confidence": f"{row['confidence']:.2f}",
        "where": f"x {row[X]:.1f}, y {row[Y]:.1f}" + (", at the edge" if row[c.TOUCHES_EDGE] else ""),
    }
    lines = "".join(
        f"<tr><td><small>{name}</small></td><td>{escape(text)}</td></tr>" for name, text in facts.items()
    )
    head = f"{row['object']} {row[c.NAME]}" + (f" · {row[c.KIND]}" if row[c.KIND] else "")
    picture = f'<img src="{picture_of(stack, result, row)}" alt="object {row["object"]}">'
    return (
        f'<div class="inset" id="inset" data-object="{row["object"]}">{picture}'
        f"<div><b>{escape(head)}</b><table>{lines}</table></div></div>"
    )


def picture_of(stack: Stack, result: MapResult, row: dict[str, Any]) -> str:
    """Return the object and its surroundings, pixel by pixel, as an image's source.

    Parameters
    ----------
    stack
        The opened data.
    result
        The result that is shown.
    row
        Row of the table of objects or images.

    Returns
    -------
    str
        PNG as a data URL.
    """
    half = int(max(LEAST_HALF, 0.65 * extent(row)))
    middle = {Y: (row[c.TOP] + row[c.BOTTOM]) // 2, X: (row[c.LEFT] + row[c.RIGHT]) // 2}
    part = {dim: slice(max(0, int(middle[dim]) - half), int(middle[dim]) + half) for dim in PIXEL}
    pyramid = stack.pyramids[stack.variables[0]]
    rgb = paint_object(
        stack.images[stack.variables[0]].isel(part).values.astype(float),
        pixel_map(result.tree, OBJECTS).isel(part).values == row["object"],
        limits=pyramid.limits(0, percent=99.5),
        quartiles=pyramid.limits(0, percent=50),
        color=str(row[c.COLOR])[:7],
    )
    return png_source(rgb)
