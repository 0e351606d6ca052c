"""Histograms of the objects of a result, and one object close up.

energies = distribution(table["energy"] / 1e3, label="energy", units="keV", mark=12.5)
"""

from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard import theme
from dashboard.plots.images import Limits, stretch_values

N_BINS: Final = 24
TINT: Final = 0.4
"""Opacity of an object's colour over its own pixels."""


def log_bins(values: npt.NDArray[Any], *, n_bins: int = N_BINS) -> npt.NDArray[Any]:
    """Return the edges of bins that are alike on a logarithmic axis, over all positive values.

    Parameters
    ----------
    values : ndarray (object,)
        Sizes or energies.
    n_bins
        Number of bins.

    Examples
    --------
    >>> log_bins(np.array([1.0, 100.0]), n_bins=2).round().tolist()
    [1.0, 10.0, 100.0]
    """
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = (positive.min(), positive.max()) if positive.size else (1.0, 10.0)
    if not high > low:
        low, high = low / 2, high * 2
    return np.geomspace(low, high, n_bins + 1)


def even_bins(values: npt.NDArray[Any], *, n_bins: int = N_BINS) -> npt.NDArray[Any]:
    """Return the edges of bins that are alike on a linear axis, over all positive values.

    Parameters
    ----------
    values : ndarray (object,)
        Sizes or energies.
    n_bins
        Number of bins.

    Examples
    --------
    >>> even_bins(np.array([1.0, 5.0]), n_bins=2).tolist()
    [1.0, 3.0, 5.0]
    """
    ends = log_bins(values, n_bins=1)
    return np.linspace(ends[0], ends[-1], n_bins + 1)


BINS: Final = {"log": log_bins, "linear": even_bins}


def plot_distribution(
    values: npt.NDArray[Any],
    *,
    label: str,
    units: str,
    color: str,
    mark: float | None = None,
    axis: str = "log",
) -> hv.Overlay:
    """Draw filled steps, and a line where the selected object lies.

    Parameters
    ----------
    values : array (object,)
        Those that are not finite and positive are left out.
    mark
        Value of the selected object.
    axis
        `log` or `linear`.
    """
    values = np.asarray(values, dtype=float)
    edges = BINS[axis](values)
    counts, _ = np.histogram(values[np.isfinite(values)], bins=edges)
    steps = np.concatenate([[0], np.repeat(counts, 2), [0]])
    dimension = hv.Dimension(label, label=f"{label} ({units})", range=(edges[0], edges[-1]))
    count = hv.Dimension("count", label="objects", range=(0, max(1, 1.05 * counts.max())))
    shape = hv.Polygons([{label: np.repeat(edges, 2), "count": steps}], [dimension, count])
    shape = shape.opts(color=color, line_color=color, line_alpha=1, fill_alpha=2 * theme.BAND_ALPHA)
    known = mark is not None and np.isfinite(mark) and mark > 0
    line = hv.VLine(float(mark) if known and mark is not None else float(edges[0]))
    return hv.Overlay([shape, line.opts(**theme.MARKER_LINE, alpha=1.0 if known else 0.0)]).opts(
        hv.opts.Overlay(logx=axis == "log")
    )


def paint_object(
    values: npt.NDArray[Any], own: npt.NDArray[Any], *, limits: Limits, quartiles: Limits, color: str
) -> npt.NDArray[np.uint8]:
    """Return an object and its surroundings in grey, its own pixels tinted, as RGB.

    Parameters
    ----------
    values, own : array (y, x)
        Of the frame; which pixels are the object's.
    limits, quartiles
        As `stretched` takes them, of the whole frame.
    color
        Of the object's class.
    """
    spread, (_, low, _, _) = stretch_values(values, limits=limits, quartiles=quartiles, stretch="asinh")
    high = max(float(np.nanmax(spread)), low + 1e-6)
    grey = np.nan_to_num((spread - low) / (high - low) * 255).clip(0, 255)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    rgb[own] = (1 - TINT) * rgb[own] + TINT * np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)])
    return rgb.astype(np.uint8)
