"""Objects of a result as a page shows them: filtered, sorted, counted by section."""

from typing import Any, Final

import numpy as np
import pandas as pd
import param

from dashboard.theme import NO_CLASS
from dashboard.workspace.datasets import MapResult, Result, Stack
from dashboard.workspace.session import Session
from engine.export.tables import objects_frame
from engine.schema import LABEL, OBJECTS, X, Y, pixel_map
from engine.schema import columns as c

ALL: Final = "all classes"
MOST_SECTIONS: Final = 8
"""Sections along the longer edge of a frame."""
SECTION: Final = 128
"""Least edge of a section in pixels."""
AROUND: Final = 32
"""Pixels shown on each side of an object's centre, at least."""
KEV: Final = 1e3
"""One keV in the unit of the table, eV."""
OF_TRACKS: Final = ("kind", "energy")
OF_PARTICLES: Final = ("image", "radius", "spacing", "reviewed")
COLUMNS: Final = ("object", "class", "name", "area", "confidence", "color", X, Y, *OF_TRACKS, *OF_PARTICLES)
"""What is used of the table, where there is none."""

Box = tuple[float, float, float, float]
"""x0, x1, y0, y1 in the units of the coordinates."""


class ObjectSelection(param.Parameterized):
    """Objects that pass the limits (empty: none), in the order of the table."""

    kind = param.Selector(default=ALL, objects=[ALL], doc="Class of the objects.")
    least_size = param.Integer(None, allow_None=True, bounds=(0, None), doc="Pixels, at least.", label="px ≥")
    most_size = param.Integer(None, allow_None=True, bounds=(0, None), doc="Pixels, at most.", label="px ≤")
    least_energy = param.Number(
        None, allow_None=True, bounds=(0, None), doc="Energy in keV, at least.", label="keV ≥"
    )
    least_confidence = param.Number(
        None, allow_None=True, bounds=(0, 1), doc="Mean confidence, at least.", label="conf. ≥"
    )
    only = param.List([], item_type=int, doc="Numbers of the objects that are looked at; empty: all.")
    sort = param.String("energy", doc="Column by which the table is sorted.")
    descending = param.Boolean(True)
    every = param.DataFrame(pd.DataFrame(columns=COLUMNS))
    shown = param.DataFrame(pd.DataFrame(columns=COLUMNS))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        limits = ["kind", "least_size", "most_size", "least_energy", "least_confidence", "sort", "descending"]
        self.param.watch(self._filter, [*limits, "only", "every"])

    length = param.String("px", doc="Unit of lengths that are not in pixels by themselves.")

    def adopt(self, result: Result | None) -> None:
        """Take the objects of another result; the limits stay."""
        table = make_object_table(result)
        measured = None if result is None else result.objects
        if measured is not None and c.RADIUS in measured:
            self.length = str(measured[c.RADIUS].attrs.get("units", "px"))
        names = sorted(set(table[c.NAME].tolist()))
        self.param["kind"].objects = [ALL, *names]
        self.param.update(kind=self.kind if self.kind in names else ALL, every=table)

    def format_class_name(self, name: str) -> str:
        """Return a class name as the table shows it."""
        return name

    def row(self, number: int) -> dict[str, Any] | None:
        """Return the row of an object, None if there is none."""
        found = self.every[self.every["object"] == number]
        return None if found.empty else {str(name): value for name, value in found.iloc[0].items()}

    def row_index(self, number: int) -> int | None:
        """Return the index of the row in which an object stands, None where it does not pass."""
        found = np.flatnonzero(self.shown["object"].to_numpy() == number)
        return int(found[0]) if found.size else None

    def neighbour(self, number: int, step: int) -> int:
        """Return the next or previous object of the same class; the first or last if it is not there.

        Parameters
        ----------
        number
            Index of the image, or number of the object.
        step
            1: next, -1: previous.

        Returns
        -------
        int
            Number of the object, 0 if none is shown.
        """
        chosen, among = self.row(number), self.shown
        if chosen is not None:
            among = among[among[c.NAME] == chosen[c.NAME]]
        numbers = among["object"].to_numpy()
        here = np.flatnonzero(numbers == number)
        if not numbers.size:
            return 0
        return int(numbers[(here[0] + step) % numbers.size] if here.size else numbers[0 if step > 0 else -1])

    def _filter(self, *_: Any) -> None:
        found = self.every[self._passing()]
        self.shown = found.sort_values(
            self.sort, ascending=not self.descending, kind="stable", na_position="last"
        )

    def _passing(self) -> Any:
        """Return which objects pass the limits."""
        table = self.every
        kept = np.ones(len(table), dtype=bool)
        if self.kind != ALL:
            kept &= table[c.NAME].to_numpy() == self.kind
        if self.only:
            kept &= np.isin(table["object"].to_numpy(), self.only)
        if self.most_size is not None:
            kept &= table[c.AREA].to_numpy() <= self.most_size
        floors = {
            "area": self.least_size,
            "energy": None if self.least_energy is None else KEV * self.least_energy,
            "confidence": self.least_confidence,
        }
        for column, least in floors.items():
            if least:
                kept &= table[column].to_numpy(float) >= least
        return kept


def link_class(session: Session, objects: ObjectSelection) -> None:
    """Have the class that is selected and the class whose objects are shown be the same.

    Parameters
    ----------
    session
        State of the tab.
    objects
        Objects that are shown.
    """

    def names() -> dict[int, str]:
        result = session.result
        if result is None:
            return {}
        labels, class_names = (result.classes[column].values.tolist() for column in (LABEL, "name"))
        return {
            label: objects.format_class_name(name) for label, name in zip(labels, class_names, strict=True)
        }

    def name_selected() -> str | None:
        """Name of the one selected class, if it has objects."""
        name = names().get(session.selected[0]) if len(session.selected) == 1 else None
        return name if name in objects.param["kind"].objects else None

    def follow(*_: Any) -> None:
        objects.kind = name_selected() or ALL

    def tell(*_: Any) -> None:
        chosen = None if objects.kind == ALL else objects.kind
        if chosen != name_selected():
            session.select([label for label, name in names().items() if name == chosen][:1])

    session.param.watch(follow, "selected")
    objects.param.watch(tell, "kind")


def make_object_table(result: Result | None) -> pd.DataFrame:
    """Return the table of the objects with their colours; empty where there are none."""
    if result is None or result.objects is None:
        return pd.DataFrame(columns=COLUMNS)
    table = objects_frame(result.tree)
    classes = result.classes
    colors = dict(zip(classes[LABEL].values.tolist(), classes[c.COLOR].values.tolist(), strict=True))
    names = dict(zip(classes[LABEL].values.tolist(), classes[c.NAME].values.tolist(), strict=True))
    return table.assign(
        color=table[c.CLASS].map(colors).fillna(NO_CLASS),
        name=table[c.CLASS].map(names).fillna(table.get("name", "")),
    )


def count_by_section(table: pd.DataFrame, stack: Stack) -> list[list[int]]:
    """Count the objects by section of a frame, rows from the top.

    Parameters
    ----------
    table
        Table of the objects.
    stack
        The opened data.

    Returns
    -------
    list[list[int]]
        Counts, rows from the top.
    """
    x0, y0, x1, y1 = _bounds(stack)
    where = (table[Y].to_numpy(float), table[X].to_numpy(float))
    counts, _, _ = np.histogram2d(*where, bins=section_grid(stack), range=((y0, y1), (x0, x1)))
    return [[int(n) for n in row] for row in counts]


def section_grid(stack: Stack) -> tuple[int, int]:
    """Return the rows and columns of sections of a frame."""
    shape = stack.pyramids[stack.variables[0]].shape
    edge = max(SECTION, max(shape) / MOST_SECTIONS)
    rows, columns = (max(1, round(n / edge)) for n in shape)
    return rows, columns


def section_box(stack: Stack, row: int, column: int) -> Box:
    """Return the box of a section.

    Parameters
    ----------
    stack
        The open frame.
    row, column
        Number of the section, counted from 0.
    """
    x0, y0, x1, y1 = _bounds(stack)
    rows, columns = section_grid(stack)
    wide, high = (x1 - x0) / columns, (y1 - y0) / rows
    left, top = x0 + column * wide, y0 + row * high
    return left, left + wide, top, top + high


def find_object(result: MapResult, x: float, y: float, reach: float) -> int:
    """Return the number of the object at a position or next to it, 0 for none; call it in a thread.

    Parameters
    ----------
    x, y
        In the units of the coordinates.
    reach
        How far an object may lie from the position, in the same units.
    """
    if OBJECTS not in result.tree.data_vars:
        return 0
    objects = pixel_map(result.tree, OBJECTS)
    near = {}
    for dim, position in ((Y, y), (X, x)):
        centres = objects[dim].values
        size = abs(centres[1] - centres[0]) if centres.size > 1 else 1.0
        near[dim] = np.flatnonzero(np.abs(centres - position) <= max(reach, size / 2))
    part = objects.isel(near)
    distance = (part[Y] - y) ** 2 + (part[X] - x) ** 2
    numbers = part.values
    if not numbers.any():
        return 0
    return int(numbers.flat[np.where(numbers > 0, distance.values, np.inf).argmin()])


def surroundings(row: dict[str, Any], stack: Stack) -> Box:
    """Return the part of the frame that shows an object with what is round it.

    Parameters
    ----------
    row
        Row of the table of objects or images.
    stack
        The opened data.

    Returns
    -------
    Box
        Box in units of the coordinates.
    """
    wide, high = _pixel(stack)
    half = max(AROUND, 0.75 * extent(row))
    x, y = float(row[X]), float(row[Y])
    return x - half * wide, x + half * wide, y - half * high, y + half * high


def outline(row: dict[str, Any], stack: Stack) -> list[list[float]]:
    """Return the corners of an object's box, a pixel wider, in the units of the coordinates.

    Parameters
    ----------
    row
        Row of the table of objects or images.
    stack
        The opened data.

    Returns
    -------
    list[list[float]]
        Corners [x, y].
    """
    x0, y0, _, _ = _bounds(stack)
    wide, high = _pixel(stack)
    left, right = x0 + (row[c.LEFT] - 1) * wide, x0 + (row[c.RIGHT] + 1) * wide
    top, bottom = y0 + (row[c.TOP] - 1) * high, y0 + (row[c.BOTTOM] + 1) * high
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def extent(row: dict[str, Any]) -> float:
    """Return the longer edge of an object's box in pixels."""
    return float(max(row[c.RIGHT] - row[c.LEFT], row[c.BOTTOM] - row[c.TOP]))


def _bounds(stack: Stack) -> Box:
    return stack.pyramids[stack.variables[0]].bounds


def _pixel(stack: Stack) -> tuple[float, float]:
    """Width and height of a pixel in the units of the coordinates."""
    x0, y0, x1, y1 = _bounds(stack)
    rows, columns = stack.pyramids[stack.variables[0]].shape
    return (x1 - x0) / columns, (y1 - y0) / rows
