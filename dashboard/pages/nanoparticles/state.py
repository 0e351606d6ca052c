"""A collection of micrographs and the particles found in it, one micrograph at a time."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dashboard.workspace.workspace import Workspace, Result, Stack
from dashboard.workspace.object_table import NO_CLASS
from engine.errors import MapstackError
from engine.nanoparticles.crops import grey_limits, window
from engine.export.outlines import trace_objects
from engine.nanoparticles.population import EMPTY, JUDGED
from engine.preprocess.intensity import frames
from engine.pyramid import Pyramid, value_pyramid
from engine.readers import digest, open_images
from engine.readers.collection import PIXEL_SIZE, without_fill
from engine.recipe import Step, prepare
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
    image_variables,
    table,
)


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
        """Number of the particle at a position, 0 for none."""
        where = self.pyramid.pixel(x, y)
        if where is None or self.objects is None:
            return 0
        return int(self.objects[where])

    def box(self, row: dict[str, Any]) -> tuple[float, float, float, float]:
        """Part of the micrograph that shows a particle, x0, x1, y0, y1 in the units of the coordinates."""
        rows, columns = window(row, self.values.shape)
        x, y = self.pyramid.x, self.pyramid.y
        return (
            x.position(columns.start),
            x.position(columns.stop),
            y.position(rows.start),
            y.position(rows.stop),
        )


def open_collection(
    workspace: Workspace, address: str, steps: tuple[Step, ...] = (), *, reader: str = "collection"
) -> Stack:
    """Open a micrograph or, by a reader, a folder of them; only the first is read, for its picture."""
    source = workspace.path(address)
    images = prepare(open_images(source, reader=reader if Path(source).is_dir() else None), steps)
    found = Stack(address, digest(source), images, {}, {})
    return replace(found, pyramids=load_image(workspace, found, 0).pyramids)


def load_image(workspace: Workspace, stack: Stack, number: int) -> Stack:
    """One image of a collection, in memory, with its own pixel size."""
    found: Stack = workspace.planes.get((stack.identity, number), lambda: _micrograph(stack, number))
    return found


def _micrograph(stack: Stack, number: int) -> Stack:
    plane = _plane(stack.images, number)
    rows, columns = without_fill(plane.values).shape
    plane = plane[:rows, :columns]
    name = image_variables(stack.images)[0]
    images = xr.Dataset({name: plane.drop_vars([IMAGE, "file"], errors="ignore")}, attrs=stack.images.attrs)
    images = _scaled(images)
    pyramids = {name: value_pyramid(images[name]).build()}
    return Stack(stack.address, f"{stack.digest}-{number}", images, {}, pyramids)


def _plane(images: xr.Dataset, number: int) -> xr.DataArray:
    """One image `(y, x)`, in memory."""
    if IMAGE not in images.sizes:
        return frames(images)[number].compute()
    one = images[image_variables(images)[0]].isel({IMAGE: slice(number, number + 1)})
    return one.compute().isel({IMAGE: 0})


def read_values(stack: Stack, number: int) -> np.ndarray | None:
    """Values of an image of a collection, `(y, x)`; None where it cannot be read."""
    try:
        return without_fill(np.asarray(_plane(stack.images, number).values))
    except MapstackError:
        return None


def _scaled(images: xr.Dataset) -> xr.Dataset:
    """Coordinates in nm where the collection knows the size of this image's pixels and has none itself."""
    size = float(images.coords[PIXEL_SIZE]) if PIXEL_SIZE in images.coords else np.nan
    images = images.drop_vars(PIXEL_SIZE, errors="ignore")
    if not np.isfinite(size) or any(images[dim].attrs.get("units", "px") != "px" for dim in PIXEL):
        return images
    coords = {dim: (dim, np.arange(images.sizes[dim]) * size, {"units": "nm"}) for dim in PIXEL}
    return images.assign_coords(coords)


def load_micrograph(workspace: Workspace, stack: Stack, number: int, result: Result | None) -> MicrographData:
    """A micrograph with the outlines of its particles; takes a moment: call it in a thread."""
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


def count_images(stack: Stack) -> int:
    """Number of micrographs."""
    return int(stack.images.sizes.get(IMAGE, 1))


def file_names(stack: Stack) -> list[str]:
    """Names of the micrographs."""
    if "file" in stack.images.coords:
        return [str(name) for name in stack.images["file"].values]
    return [Path(stack.source.partition("::")[0]).name]


def micrograph_rows(result: Result | None) -> pd.DataFrame:
    """Table of the micrographs of a result; empty without one."""
    if result is None or IMAGE_TABLE not in result.tree.children:
        return pd.DataFrame()
    data = table(result.tree, IMAGE_TABLE).compute()
    return pd.DataFrame({str(name): column.values for name, column in data.data_vars.items()})


def fraction_rows(result: Result | None) -> list[dict[str, Any]]:
    """Rows of the fractions: name, colour, particles, share and its interval in percent."""
    if result is None:
        return []
    shares, classes = table(result.tree, FRACTIONS).compute(), result.classes
    rows = [
        {
            "label": int(label),
            "name": str(classes["name"].values[n]),
            "color": str(classes["color"].values[n])[:7],
            "count": int(shares["count"].values[n]),
            **{name: _percent(shares[name].values[n]) for name in ("fraction", "low", "high")},
        }
        for n, label in enumerate(shares[LABEL].values)
    ]
    none = 0 if result.objects is None else int((result.objects["class"].values == 0).sum())
    return [*rows, {"label": 0, "name": "no particle", "color": NO_CLASS, "count": none, "fraction": None}]


def corrected_shares(result: Result | None) -> str:
    """Shares with the errors, misses and false finds of the model undone; empty where that is not known."""
    if result is None:
        return ""
    shares, names = table(result.tree, FRACTIONS).compute(), result.classes["name"].values
    if not np.isfinite(shares["corrected"].values).all():
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
    """Particles by the class that a person gave and that the model gave without having learned from them.

    Returns
    -------
    dict
        `(truth, found)` class numbers in the order of `JUDGED`: numbers of the particles.
    """
    if result is None or result.objects is None:
        return {}
    objects = result.objects
    reviewed = objects["reviewed"].values
    truth = np.where(objects["class"].values > 0, objects["class"].values - 1, EMPTY)
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
    """Numbers of the particles that have another class than before."""
    if before.objects is None or after.objects is None:
        return []
    differs = before.objects["class"].values != after.objects["class"].values
    return [int(number) for number in after.objects[OBJECT].values[differs]]


def grey_range(workspace: Workspace, stack: Stack, number: int) -> tuple[float, float]:
    """Values between which a micrograph's crops are grey."""

    def measured() -> tuple[float, float]:
        shown = load_image(workspace, stack, number)
        return grey_limits(shown.images[shown.variables[0]].values)

    found: tuple[float, float] = workspace.scales.get((stack.identity, number), measured)
    return found


def read_crop(workspace: Workspace, stack: Stack, row: dict[str, Any]) -> np.ndarray:
    """A particle with what is round it, `(y, x)`."""
    shown = load_image(workspace, stack, int(row["image"]))
    values = shown.images[shown.variables[0]].values
    return np.asarray(values[window(row, values.shape)])
