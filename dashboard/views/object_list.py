"""The objects of a result: table, filters, histograms, the chosen one, and the sections that hold them."""

import base64
import io
from collections.abc import Callable
from typing import Any, Final

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from dashboard import theme
from dashboard.kit import ObjectTable, Sections, Work, escape, markup, settings_form
from dashboard.plots.images import stretched
from dashboard.plots.objects import distribution
from dashboard.state.library import Segmentation, Stack
from dashboard.state.objects import (
    ALL,
    AROUND,
    ObjectFilter,
    frame_of,
    neighbour,
    object_at,
    row_of,
    section_grid,
    sections,
    window_of,
)
from dashboard.state.session import Session
from dashboard.views.charts import chart_pane
from engine.schema import OBJECTS, PIXEL, X, Y, pixel_map

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
SOUGHT: Final = "cluster"
"""Class whose objects the sections count, unless the filter names another."""
ZOOM: Final = 116
"""Edge of the picture of an object, in screen pixels."""


class ObjectList(param.Parameterized):
    """Everything about objects; `go` shows a part of the frame, `outline` draws round the chosen one."""

    shown = param.DataFrame(pd.DataFrame(), doc="Objects that pass the filter, as they are sorted.")
    chosen = param.Integer(0)

    def __init__(
        self, session: Session, work: Work, *, go: Callable[..., None], outline: Callable[[list[Any]], None]
    ) -> None:
        super().__init__()
        self.session, self.work, self.go, self.outline = session, work, go, outline
        self.filter = ObjectFilter()
        self.all = frame_of(None)
        self.table = ObjectTable(
            columns=COLUMNS,
            sort="energy",
            descending=True,
            listener=lambda message: work.post(lambda: self._heard(message)),
            sizing_mode="stretch_both",
        )
        self.form = settings_form(self.filter, [n for n in self.filter.param if n != "name"])
        self.sections = Sections(listener=lambda message: work.post(lambda: self._enter(message)))
        self.inset = markup("")
        self.charts = pn.Row(
            *(self._chart(*of) for of in (("area", "size", "px", 1.0), ("energy", "energy", "keV", 1e-3))),
            sizing_mode="stretch_both",
            margin=0,
        )
        session.param.watch(self._adopt, "segmentation")
        session.param.watch(self._choose, "thing")
        self.filter.param.watch(self._filter, [n for n in self.filter.param if n != "name"])
        self._adopt()

    # ------------------------------------------------------------ choosing
    def at(self, x: float, y: float) -> None:
        """Choose the object at a position of the frame."""
        segmentation = self.session.segmentation
        if segmentation is not None:
            self.work.run(
                lambda: object_at(segmentation, x, y),
                lambda number: self.session.param.update(thing=number),
                key="object",
            )

    def step(self, by: int) -> None:
        """Go to the next or previous object of the filter's class, or of the chosen one's."""
        row = row_of(self.all, self.session.thing)
        among = self.shown
        if self.filter.kind == ALL and row is not None:
            among = among[among["name"] == row["name"]]
        number = neighbour(among, self.session.thing, by)
        if number:
            self.session.thing = number
            self.visit()

    def visit(self) -> None:
        """Show the chosen object in the frame."""
        row, stack = row_of(self.all, self.session.thing), self.session.stack
        if row is not None and stack is not None:
            x0, y0, x1, y1 = stack.pyramids[stack.variables[0]].bounds
            self.go(*window_of(row, (x0, x1, y0, y1)))

    # ------------------------------------------------------------ inside
    def _heard(self, message: Any) -> None:
        if message["do"] == "choose":
            self.session.thing = int(message["object"])
            self.visit()
        elif message["do"] == "page":
            self._turn(self.table.page + int(message["step"]))
        else:
            column = str(message["column"])
            same = column == self.table.sort
            self.table.param.update(sort=column, descending=not self.table.descending if same else True)
            self._filter()

    def _adopt(self, *_: Any) -> None:
        """Take the objects of another result."""
        segmentation = self.session.segmentation
        self.all = frame_of(segmentation)
        names = sorted(set(self.all["name"].tolist()))
        kind = self.filter.kind if self.filter.kind in names else ALL
        self.filter.param["kind"].objects = [ALL, *names]
        self.filter.param.update(kind=kind)
        self._filter()

    def _filter(self, *_: Any) -> None:
        found = self.filter.of(self.all)
        self.shown = found.sort_values(
            self.table.sort, ascending=not self.table.descending, kind="stable", na_position="last"
        )
        self._count()
        self._turn(0)

    def _turn(self, page: int) -> None:
        pages = -(-len(self.shown) // ROWS)
        page = min(max(0, page), max(0, pages - 1))
        rows = [_row(r) for r in self.shown.iloc[page * ROWS : (page + 1) * ROWS].to_dict("records")]
        empty = (
            "No objects yet: press Run on the left."
            if self.session.segmentation is None
            else "No object passes."
        )
        note = f"{len(self.shown):,} of {len(self.all):,} objects" if len(self.all) else ""
        self.table.param.update(rows=rows, page=page, pages=pages, note=note, empty=empty)

    def _choose(self, *_: Any) -> None:
        """Show the chosen object in the table, in its picture and round it."""
        number = self.session.thing
        self.chosen = self.table.chosen = number
        places = np.flatnonzero(self.shown["object"].to_numpy() == number)
        if places.size:
            self._turn(int(places[0]) // ROWS)
        row, stack, segmentation = row_of(self.all, number), self.session.stack, self.session.segmentation
        if row is None or stack is None or segmentation is None:
            self.inset.object = ""
            self.outline([])
            return
        self.outline(_box(row, stack))
        self.work.run(
            lambda: inset_html(stack, segmentation, row),
            lambda html: setattr(self.inset, "object", html),
            key="inset",
        )

    def _count(self) -> None:
        stack = self.session.stack
        if stack is None or not len(self.all):
            self.sections.param.update(counts=[], empty="Objects by section appear here.")
            return
        what = self.filter.kind if self.filter.kind != ALL else SOUGHT
        sought = self.shown[self.shown["name"] == what]
        pyramid = stack.pyramids[stack.variables[0]]
        counts = sections(sought, pyramid.bounds, pyramid.shape)
        self.sections.param.update(counts=counts, what=f"objects of {what}")

    def _enter(self, message: Any) -> None:
        """Show a section."""
        stack = self.session.stack
        if stack is None:
            return
        pyramid = stack.pyramids[stack.variables[0]]
        x0, y0, x1, y1 = pyramid.bounds
        rows, columns = section_grid(pyramid.shape)
        wide, high = (x1 - x0) / columns, (y1 - y0) / rows
        left, top = x0 + int(message["column"]) * wide, y0 + int(message["row"]) * high
        self.go(left, left + wide, top, top + high)

    def _chart(self, column: str, label: str, units: str, factor: float) -> Any:
        streams = {"shown": self.param.shown, "chosen": self.param.chosen}

        def draw(shown: pd.DataFrame, chosen: int) -> hv.Overlay:
            values = np.zeros(0) if column not in shown else shown[column].to_numpy(float) * factor
            row = row_of(shown, chosen) if len(shown) else None
            mark = None if row is None else float(row[column]) * factor
            return distribution(values, label=label, units=units, color=theme.ACCENT, mark=mark)

        plot = hv.DynamicMap(draw, streams=hv.streams.Params.from_params(streams))
        pane = chart_pane(plot, options={"ylabel": "", "yticks": 3})
        pane.css_classes = ["chart", f"objects-{column}"]
        return pane


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the table as text."""
    energy = row["energy"] / 1e3
    return {
        "object": int(row["object"]),
        "name": str(row["name"]),
        "kind": str(row["kind"]),
        "color": str(row["color"])[:7],
        "area": f"{row['area']:.0f}",
        "energy": f"{energy:.4g}" if np.isfinite(energy) else "–",
        "confidence": f"{row['confidence']:.2f}",
    }


def _box(row: dict[str, Any], stack: Stack) -> list[list[float]]:
    """Outline of an object's box, a pixel wider, in the units of the coordinates."""
    pyramid = stack.pyramids[stack.variables[0]]
    x0, y0, x1, y1 = pyramid.bounds
    wide, high = (x1 - x0) / pyramid.shape[1], (y1 - y0) / pyramid.shape[0]
    left, right = x0 + (row["bbox_left"] - 1) * wide, x0 + (row["bbox_right"] + 1) * wide
    top, bottom = y0 + (row["bbox_top"] - 1) * high, y0 + (row["bbox_bottom"] + 1) * high
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def inset_html(stack: Stack, segmentation: Segmentation, row: dict[str, Any]) -> str:
    """Picture and numbers of an object; reads its surroundings: call it in a thread."""
    units = str(stack.images[stack.variables[0]].attrs.get("units", "1"))
    facts = {
        "size": f"{row['area']:.0f} px, {row['length']:.1f} × {row['width']:.1f}",
        "charge": f"{row['charge']:.5g} {units}",
        "peak": f"{row['peak']:.5g} {units}",
        "energy": f"{row['energy'] / 1e3:.4g} keV" if np.isfinite(row["energy"]) else "–",
        "confidence": f"{row['confidence']:.2f}",
        "where": f"x {row[X]:.1f}, y {row[Y]:.1f}" + (", at the edge" if row["touches_edge"] else ""),
    }
    lines = "".join(
        f"<tr><td><small>{name}</small></td><td>{escape(text)}</td></tr>" for name, text in facts.items()
    )
    head = f"{row['object']} {row['name']}" + (f" · {row['kind']}" if row["kind"] else "")
    picture = f'<img src="{_picture(stack, segmentation, row)}" alt="object {row["object"]}">'
    return (
        f'<div class="inset" id="inset" data-object="{row["object"]}">{picture}'
        f"<div><b>{escape(head)}</b><table>{lines}</table></div></div>"
    )


def _picture(stack: Stack, segmentation: Segmentation, row: dict[str, Any]) -> str:
    """The object and its surroundings, its own pixels tinted, as a PNG for an image's `src`."""
    from PIL import Image

    extent = max(row["bbox_right"] - row["bbox_left"], row["bbox_bottom"] - row["bbox_top"])
    half = int(max(AROUND / 2, extent * 0.65))
    middle = [
        int(row[f"bbox_{a}"] + row[f"bbox_{b}"]) // 2 for a, b in (("top", "bottom"), ("left", "right"))
    ]
    part = dict(zip(PIXEL, (slice(max(0, m - half), m + half) for m in middle), strict=True))
    values = stack.images[stack.variables[0]].isel(part).values.astype(float)
    pyramid = stack.pyramids[stack.variables[0]]
    limits, quartiles = (pyramid.limits(0, percent=percent) for percent in (99.5, 50))
    spread, (_, low, high, _) = stretched(values, limits=limits, quartiles=quartiles, stretch="asinh")
    high = max(float(np.nanmax(spread)), low + 1e-6)
    grey = np.nan_to_num((spread - low) / (high - low) * 255).clip(0, 255).astype("uint8")
    colored = np.repeat(grey[..., None], 3, axis=2)
    own = pixel_map(segmentation.tree, OBJECTS).isel(part).values == row["object"]
    tint = np.array([int(str(row["color"])[n : n + 2], 16) for n in (1, 3, 5)])
    colored[own] = (0.6 * colored[own] + 0.4 * tint).astype("uint8")
    file = io.BytesIO()
    picture = Image.fromarray(colored)
    size = (ZOOM, round(ZOOM * picture.height / picture.width))
    picture.resize(size, Image.Resampling.NEAREST).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
