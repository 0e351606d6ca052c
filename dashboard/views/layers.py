"""The map of classes of a result: labels, raw values, class means, labels over raw values or confidence.

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
from engine.pyramid import Pyramid

Window = tuple[tuple[float, float], tuple[float, float], int, int]
"""Visible x range, y range, width and height of the frame in screen pixels."""
CERTAINTY: Final = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Layers:
    """What a map of classes is drawn from.

    `raw` holds the pyramid of each variable, `means` per variable an array `(channel, label)` of class means
    by label value (column 0 unused), `pyramid` and `confidence` those of the result.
    """

    classes: label_plots.Classes
    pyramid: Pyramid
    confidence: Pyramid
    raw: Mapping[str, Pyramid] = field(default_factory=dict)
    means: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


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
        One of `plots.labels.MODES`.
    channel, variable
        Of the raw values or class means; the first variable of `layers.raw` unless given.
    percent
        Share of the values within the stretch.
    colormap
        Name in `theme.COLORMAPS`.
    """
    labels, bounds = layers.pyramid.view(*window)
    certain, _ = layers.confidence.view(*window)
    codes = label_plots.lookup(layers.classes.labels, selected=selected, mode=mode)
    classes = label_plots.label_raster(labels, certain, bounds, codes=codes, colors=layers.classes.colors)
    values, limits = np.full((1, 1), np.nan), CERTAINTY
    if mode == "confidence":
        values = np.where(labels > 0, certain, np.nan)
    name = variable or next(iter(layers.raw), "")
    if mode in ("raw", "over", "means") and name in layers.raw:
        limits = layers.raw[name].limits(channel, percent=percent)
        if mode != "means":
            values, _ = layers.raw[name].view(*window, channel=channel)
        elif name in layers.means:
            values = value_plots.class_means(labels, layers.means[name][channel])
    below = value_plots.value_raster(values, bounds, limits=limits, colormap=colormap)
    return [below, classes]
