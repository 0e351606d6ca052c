"""Statistics of a pixel or a drawn region; takes a moment on large stacks: call it in a thread."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from dashboard.workspace.datasets import MapResult, Stack
from engine.errors import InputError
from engine.preprocess.crop import inside
from engine.schema import LABEL, LABELS, X, Y, pixel_map
from engine.statistics import region_spectrum


@dataclass(frozen=True)
class RegionSummary:
    """A drawn region: its size, the statistics of its raw values, and its share of each class."""

    n_pixels: int
    spectrum: xr.Dataset
    shares: dict[int, float]


def summarise_region(stack: Stack, result: MapResult | None, polygon: list[list[float]]) -> RegionSummary:
    """Return the statistics of the pixels inside a polygon.

    Parameters
    ----------
    stack
        The open data.
    result
        The result that is shown; None: there is none.
    polygon
        Corners [x, y] in the units of the coordinates.

    Raises
    ------
    InputError
        If it holds no pixel.
    """
    selected = inside(stack.images, polygon)
    points = np.array(polygon)
    box = {}
    for dim, (low, high) in {X: _span(points[:, 0]), Y: _span(points[:, 1])}.items():
        centres = stack.images[dim].values
        found = np.flatnonzero((centres >= low) & (centres <= high))
        if not found.size:
            raise InputError("the region holds no pixel; draw a larger one")
        box[dim] = slice(int(found[0]), int(found[-1]) + 1)
    selected = selected.isel(box).compute()
    n_pixels = int(selected.sum())
    if n_pixels == 0:
        raise InputError("the region holds no pixel; draw a larger one")
    spectrum = region_spectrum(stack.images.isel(box), selected).compute()
    return RegionSummary(n_pixels, spectrum, _shares(result, box, selected.values))


def _span(values: Any) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _shares(result: MapResult | None, box: dict[str, slice], selected: Any) -> dict[int, float]:
    if result is None:
        return {}
    labels = pixel_map(result.tree, LABELS).isel(box).values[selected]
    counts = {int(label): int((labels == label).sum()) for label in result.classes[LABEL].values}
    return {label: count / labels.size for label, count in counts.items() if count}


def read_pixel(stack: Stack, x: float, y: float) -> dict[str, Any]:
    """Return the raw values of one pixel, by variable.

    Parameters
    ----------
    stack
        The opened data.
    x
        Position in units of the coordinates.
    y
        Position in units of the coordinates.

    Returns
    -------
    dict[str, Any]
        Values by variable.
    """
    pixel = stack.images[stack.variables].sel({X: x, Y: y}, method="nearest").compute()
    return {name: np.atleast_1d(pixel[name].values) for name in stack.variables}
