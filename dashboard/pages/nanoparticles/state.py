"""A collection of micrographs and the particles found in it, one micrograph at a time."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dashboard.theme import NO_CLASS
from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.image_collection import load_image
from dashboard.workspace.workspace import Workspace
from engine.export.outlines import trace_objects
from engine.nanoparticles.crops import grey_limits, window
from engine.nanoparticles.tables import EMPTY, JUDGED
from engine.pyramid import Pyramid
from engine.schema import (
    FRACTIONS,
    IMAGE,
    IMAGE_TABLE,
    LABEL,
    OBJECT,
    OBJECTS,
    PIXEL,
    RETRAINED,
    X,
    Y,
    table,
)
from engine.schema import columns as c
from engine.schema.kinds import POPULATION, is_kind


@dataclass(frozen=True, eq=False)
class MicrographData:
    """One micrograph: its image with coordinates of its own, and where its particles are."""

    number: int
    stack: Stack
    objects: np.ndarray | None = field(repr=False, default=None)
    """Number of each pixel's particle, `(y, x)`; None without a result."""
    rings: dict[int, list[np.ndarray]] = field(repr=False, default_factory=dict)
    """Outlines `(corner, 2)` as x and y in the units of the coordinates, by number of the particle."""

    @property
    def pyramid(self) -> Pyramid:
        """The image as it is looked at."""
        return self.stack.pyramids[self.stack.variables[0]]

    @property
    def values(self) -> np.ndarray:
        """The image `(y, x)`."""
        return np.asarray(self.stack.images[self.stack.variables[0]].values)

    def at(self, x: float, y: float) -> int:
        """Return the number of the particle at a position, 0 for none.

        Parameters
        ----------
        x
            Position in units of the coordinates.
        y
            Position in units of the coordinates.

        Returns
        -------
        int
            Number of the particle.
        """
        where = self.pyramid.pixel(x, y)
        if where is None or self.objects is None:
            return 0
        return int(self.objects[where])

    def box(self, row: dict[str, Any]) -> tuple[float, float, float, float]:
        """Return the box that shows a particle: x0, x1, y0, y1 in units of the coordinates."""
        rows, columns = window(row, self.values.shape)
        x, y = self.pyramid.x, self.pyramid.y
        return (
            x.position(columns.start),
            x.position(columns.stop),
            y.position(rows.start),
            y.position(rows.stop),
        )


def load_micrograph(workspace: Workspace, stack: Stack, number: int, result: Result | None) -> MicrographData:
    """Load a micrograph with the outlines of its particles; takes a moment: call it in a thread.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    stack
        The opened data.
    number
        Index of the image, or number of the object.
    result
        The result; None: there is none.

    Returns
    -------
    MicrographData
        Image, numbers of particles and outlines.
    """
    shown = load_image(workspace, stack, number)
    if result is None or OBJECTS not in result.tree.data_vars:
        return MicrographData(number, shown)
    objects = result.tree.dataset[OBJECTS]
    plane = objects.isel({IMAGE: number}) if IMAGE in objects.dims else objects
    rows, columns = (shown.images.sizes[dim] for dim in PIXEL)
    numbers = np.asarray(plane.values)[:rows, :columns]
    return MicrographData(number, shown, numbers, _rings(numbers, shown))


def _rings(numbers: np.ndarray, stack: Stack) -> dict[int, list[np.ndarray]]:
    x, y = (getattr(stack.pyramids[stack.variables[0]], dim) for dim in (X, Y))
    return {
        number: [
            np.column_stack([x.edge + one.outer[:, 1] * x.step, y.edge + one.outer[:, 0] * y.step])
            for one in outlines
        ]
        for number, outlines in trace_objects(numbers)
    }


def micrograph_rows(result: Result | None) -> pd.DataFrame:
    """Return the table of the micrographs of a result; empty without one."""
    if result is None or not is_kind(result.tree, POPULATION):
        return pd.DataFrame()
    data = table(result.tree, IMAGE_TABLE).compute()
    return pd.DataFrame({str(name): column.values for name, column in data.data_vars.items()})


def fraction_rows(result: Result | None) -> list[dict[str, Any]]:
    """Return the rows of the fractions: name, colour, particles, share and its interval in percent."""
    if result is None:
        return []
    shares, classes = table(result.tree, FRACTIONS).compute(), result.classes
    rows = [
        {
            "label": int(label),
            "name": str(classes[c.NAME].values[n]),
            "color": str(classes[c.COLOR].values[n])[:7],
            "count": int(shares[c.COUNT].values[n]),
            **{name: _percent(shares[name].values[n]) for name in ("fraction", "low", "high")},
        }
        for n, label in enumerate(shares[LABEL].values)
    ]
    none = 0 if result.objects is None else int((result.objects[c.CLASS].values == 0).sum())
    return [*rows, {"label": 0, "name": "no particle", "color": NO_CLASS, "count": none, "fraction": None}]


def describe_corrected_fractions(result: Result | None) -> str:
    """Describe the shares without the errors of the model; empty where these are not known."""
    if result is None:
        return ""
    shares, names = table(result.tree, FRACTIONS).compute(), result.classes[c.NAME].values
    if not np.isfinite(shares[c.CORRECTED].values).all():
        return ""
    parts = [
        f"{name} {100 * one:.0f} % ({100 * low:.0f}–{100 * high:.0f})"
        for name, one, low, high in zip(
            names, *(shares[f"corrected{end}"].values for end in ("", "_low", "_high")), strict=True
        )
    ]
    return "corrected for what the model is known to miss and confuse: " + ", ".join(parts)


def _percent(value: float) -> float | None:
    return round(100 * float(value), 1) if np.isfinite(value) else None


def compare_with_model(result: Result | None) -> dict[tuple[int, int], list[int]]:
    """Return particles by the class of a person and that of the model before it learned from them.

    Returns
    -------
    dict
        `(truth, found)` class numbers in the order of `JUDGED`: numbers of the particles.
    """
    if result is None or result.objects is None:
        return {}
    objects = result.objects
    reviewed = objects[c.REVIEWED].values
    truth = np.where(objects[c.CLASS].values > 0, objects[c.CLASS].values - 1, EMPTY)
    found = np.stack([objects[f"probability_{name}"].values for name in JUDGED], axis=1).argmax(axis=1)
    unseen = dict(_report(result).get("unseen", []))
    cells: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(reviewed).tolist():
        number = int(objects[OBJECT].values[row])
        cells.setdefault((int(truth[row]), int(unseen.get(number, found[row]))), []).append(number)
    return cells


def _report(result: Result) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(str(result.tree.attrs.get(RETRAINED, "{}")))
    return report


def find_changed_particles(before: Result, after: Result) -> list[int]:
    """Return the numbers of the particles that have another class than before.

    Parameters
    ----------
    before
        Result before the change.
    after
        Result after the change.

    Returns
    -------
    list[int]
        Their numbers.
    """
    if before.objects is None or after.objects is None:
        return []
    differs = before.objects[c.CLASS].values != after.objects[c.CLASS].values
    return [int(number) for number in after.objects[OBJECT].values[differs]]


def grey_range(workspace: Workspace, stack: Stack, number: int) -> tuple[float, float]:
    """Return the values between which the crops of a micrograph are grey.

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
    tuple[float, float]
        Lowest and highest value.
    """

    def find_range() -> tuple[float, float]:
        shown = load_image(workspace, stack, number)
        return grey_limits(shown.images[shown.variables[0]].values)

    found: tuple[float, float] = workspace.cache.grey_ranges.get((stack.identity, number), find_range)
    return found


def read_crop(workspace: Workspace, stack: Stack, row: dict[str, Any]) -> np.ndarray:
    """Read a particle with its surroundings, `(y, x)`.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    stack
        The opened data.
    row
        Row of the table of objects or images.

    Returns
    -------
    np.ndarray
        Image `(y, x)`.
    """
    shown = load_image(workspace, stack, int(row["image"]))
    values = shown.images[shown.variables[0]].values
    return np.asarray(values[window(row, values.shape)])
