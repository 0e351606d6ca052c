"""The map of classes of a result: labels, raw values, class means, both, confidence or entropy.

layers = Layers(Classes.of(result), label_pyramid(labels), value_pyramid(confidence),
                raw={"psi": psi_pyramid}, means={"psi": means_by_channel_and_label})
overlay(layers, ((0, 344), (0, 260), 700, 600), mode="over", selected=[2], channel=3, variable="psi")
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dashboard.plots import images as value_plots
from dashboard.plots import labels as label_plots
from dashboard.workspace.object_overview import ObjectOverview
from engine.pyramid import Pyramid

Window = tuple[tuple[float, float], tuple[float, float], int, int]
"""Visible x range, y range, width and height of the frame in screen pixels."""
CERTAINTY: Final = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Layers:
    """The data of a map of classes.

    `raw` holds the pyramid of each variable, `means` per variable an array `(channel, label)` of class means
    by label value (column 0 unused), `pyramid` and `confidence` those of the result.
    """

    classes: label_plots.Classes
    pyramid: Pyramid
    confidence: Pyramid
    raw: Mapping[str, Pyramid] = field(default_factory=dict)
    means: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    entropy: Pyramid | None = None
    object_overview: ObjectOverview | None = None
    """Drawn instead of the labels where the background is hidden: from far, no object is lost."""
    background: int = 0


@dataclass(frozen=True)
class DisplaySettings:
    """Settings of a drawing: stretch of the values, hidden classes, opacity of the others."""

    stretch: str = value_plots.PERCENTILE
    hidden: tuple[int, ...] = ()
    opacity: float = 0.5


def rasters(
    layers: Layers,
    window: Window,
    *,
    selected: Collection[int] = (),
    mode: str = "segments",
    channel: int = 0,
    variable: str = "",
    percent: float = 99.0,
    colormap: str = "viridis",
    look: DisplaySettings | None = None,
) -> list[value_plots.Raster]:
    """Values below, classes above, always both; what the mode does not show is one pixel or transparent.

    Parameters
    ----------
    layers
    window
        Visible x range, y range, width and height of the frame in pixels.
    selected
        Labels that stand out; none = all alike.
    mode
        One of `map_modes.MODES`.
    channel, variable
        Of the raw values or class means; the first variable of `layers.raw` unless given.
    percent
        Share of the values within the stretch.
    colormap
        Name in `theme.COLORMAPS`.
    look
        Stretch, hidden classes and opacity, where they are not as on every page.
    """
    look = look or DisplaySettings()
    labels, bounds = layers.pyramid.view(*window)
    certain, _ = layers.confidence.view(*window)
    marked, place = labels, bounds
    if layers.object_overview is not None and layers.background in look.hidden:
        marked, place = layers.object_overview.view(*window)
    codes = label_plots.lookup(layers.classes.labels, selected=selected, mode=mode, hidden=look.hidden)
    classes = label_plots.label_raster(
        marked, certain, place, codes=codes, colors=layers.classes.colors, opacity=look.opacity
    )
    values, limits = np.full((1, 1), np.nan), CERTAINTY
    if mode == "confidence":
        values = np.where(labels > 0, certain, np.nan)
    if mode == "entropy" and layers.entropy is not None:
        values = np.where(labels > 0, layers.entropy.view(*window)[0], np.nan)
    name = variable or next(iter(layers.raw), "")
    if mode in ("raw", "over", "means") and name in layers.raw:
        limits = layers.raw[name].limits(channel, percent=percent)
        if mode != "means":
            values, _ = layers.raw[name].view(*window, channel=channel)
            quartiles = layers.raw[name].limits(channel, percent=50)
            values, limits = value_plots.stretch_values(
                values, limits=limits, quartiles=quartiles, stretch=look.stretch
            )
        elif name in layers.means:
            values = value_plots.class_means(labels, layers.means[name][channel])
    below = value_plots.value_raster(values, bounds, limits=limits, colormap=colormap)
    return [below, classes]
