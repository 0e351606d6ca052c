"""The objects of a result as a page looks at them: filtered, sorted, counted by section."""

from typing import Any, Final

import numpy as np
import pandas as pd
import param

from dashboard.state.library import Segmentation
from engine.export.tables import objects_frame
from engine.schema import LABEL, OBJECTS, X, Y, pixel_map

ALL: Final = "all"
MOST_SECTIONS: Final = 8
"""Sections along the longer edge of a frame."""
SECTION: Final = 128
"""Least edge of a section in pixels."""
Ranges = tuple[float, float, float, float]
"""x0, x1, y0, y1."""
AROUND: Final = 32
"""Pixels shown on each side of an object's centre, at least."""


class ObjectFilter(param.Parameterized):
    """Which objects are looked at; 0 sets no limit."""

    kind = param.Selector(default=ALL, objects=[ALL], doc="Class of the objects.")
    least_size = param.Integer(0, bounds=(0, None), doc="Pixels, at least.")
    most_size = param.Integer(0, bounds=(0, None), doc="Pixels, at most.")
    least_energy = param.Number(0.0, bounds=(0, None), doc="Energy in keV, at least.")
    least_confidence = param.Number(0.0, bounds=(0, 1), doc="Mean confidence, at least.")

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The objects that pass."""
        kept = np.ones(len(table), dtype=bool)
        if self.kind != ALL:
            kept &= table["name"].to_numpy() == self.kind
        if self.most_size:
            kept &= table["area"].to_numpy() <= self.most_size
        if self.least_energy:
            kept &= table["energy"].fillna(0).to_numpy() >= 1e3 * self.least_energy
        kept &= table["area"].to_numpy() >= self.least_size
        kept &= table["confidence"].fillna(0).to_numpy() >= self.least_confidence
        return table[kept]


def frame_of(segmentation: Segmentation | None) -> pd.DataFrame:
    """Table of the objects with their colours; empty where there are none."""
    if segmentation is None or segmentation.objects is None:
        return pd.DataFrame(columns=["object", "name", "kind", "area", "energy", "confidence", "color", X, Y])
    table = objects_frame(segmentation.tree)
    classes = segmentation.classes
    colors = dict(zip(classes[LABEL].values.tolist(), classes["color"].values.tolist(), strict=True))
    names = dict(zip(classes[LABEL].values.tolist(), classes["name"].values.tolist(), strict=True))
    return table.assign(
        color=table["class"].map(colors).fillna(""), name=table["class"].map(names).fillna("")
    )


def sections(
    table: pd.DataFrame, bounds: tuple[float, float, float, float], shape: tuple[int, int]
) -> list[list[int]]:
    """Numbers of objects by section, rows from the top."""
    rows, columns = section_grid(shape)
    x0, y0, x1, y1 = bounds
    counts, _, _ = np.histogram2d(table[Y], table[X], bins=(rows, columns), range=((y0, y1), (x0, x1)))
    return [[int(n) for n in row] for row in counts]


def section_grid(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of sections of a frame."""
    edge = max(SECTION, max(shape) / MOST_SECTIONS)
    rows, columns = (max(1, round(n / edge)) for n in shape)
    return rows, columns


def object_at(segmentation: Segmentation, x: float, y: float) -> int:
    """Number of the object at a position, 0 for none; reads one tile: call it in a thread."""
    if OBJECTS not in segmentation.tree.data_vars:
        return 0
    objects = pixel_map(segmentation.tree, OBJECTS)
    return int(objects.sel({X: x, Y: y}, method="nearest").values)


def neighbour(table: pd.DataFrame, number: int, step: int) -> int:
    """The next or previous object of a table as it is sorted; the first if the present one is not in it."""
    numbers = table["object"].to_numpy()
    if not numbers.size:
        return 0
    here = np.flatnonzero(numbers == number)
    return int(numbers[(here[0] + step) % numbers.size] if here.size else numbers[0 if step > 0 else -1])


def row_of(table: pd.DataFrame, number: int) -> dict[str, Any] | None:
    """All that is known of an object."""
    found = table[table["object"] == number]
    return None if found.empty else {str(name): value for name, value in found.iloc[0].items()}


def window_of(row: dict[str, Any], whole: Ranges) -> Ranges:
    """Part of the frame that shows an object with its surroundings, of the proportions of the whole."""
    x0, x1, y0, y1 = whole
    size = max(row["bbox_right"] - row["bbox_left"], row["bbox_bottom"] - row["bbox_top"])
    half = max(AROUND, 1.5 * float(size) / 2)
    wide = half * max(1.0, (x1 - x0) / max(y1 - y0, 1e-9))
    high = half * max(1.0, (y1 - y0) / max(x1 - x0, 1e-9))
    x, y = float(row[X]), float(row[Y])
    return x - wide, x + wide, y - high, y + high
