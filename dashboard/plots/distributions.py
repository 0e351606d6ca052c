"""Distributions of raw values per class.

edges, counts = count_by_class(values, labels, classes=classes)
plot = histogram(edges, counts, classes=classes, selected=[2], dimension=value_dimension("psi", units="deg"))
"""

from collections.abc import Collection
from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard import theme
from dashboard.plots.labels import Classes

N_BINS: Final = 80


def count_by_class(
    values: npt.NDArray[Any], labels: npt.NDArray[Any], *, classes: Classes, n_bins: int = N_BINS
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Histogram of the valid values of each class on common bins.

    Parameters
    ----------
    values, labels : arrays of one shape
        Pixels at one wavelength and their labels.

    Returns
    -------
    edges (n_bins + 1,), counts (n_classes, n_bins)
    """
    valid = np.isfinite(values)
    if not valid.any():
        return np.linspace(0, 1, n_bins + 1), np.zeros((len(classes.labels), n_bins), dtype=np.int64)
    edges = np.histogram_bin_edges(values[valid], bins=n_bins)
    counts = [np.histogram(values[valid & (labels == label)], bins=edges)[0] for label in classes.labels]
    return edges, np.array(counts, dtype=np.int64).reshape(len(counts), n_bins)


def histogram(
    edges: npt.NDArray[Any],
    counts: npt.NDArray[Any],
    *,
    classes: Classes,
    dimension: hv.Dimension,
    selected: Collection[int] = (),
) -> hv.Overlay:
    """Outlined, filled steps, one per class; with a selection only the selected classes.

    Parameters
    ----------
    edges : array (n_bins + 1,)
        In the units of `dimension`.
    counts : array (n_classes, n_bins)
        Pixels a bin, in the order of `classes`.
    """
    count = hv.Dimension("count", label="pixels")
    shapes = []
    for label, name, color, row in zip(classes.labels, classes.names, classes.colors, counts, strict=True):
        if selected and label not in selected:
            continue
        steps = np.concatenate([[0], np.repeat(row, 2), [0]])
        shapes.append({dimension.name: np.repeat(edges, 2), "count": steps, "class": name, "color": color})
    options = {"color": "color", "line_color": "color", "line_alpha": 1, "fill_alpha": 2 * theme.BAND_ALPHA}
    return hv.Overlay([hv.Polygons(shapes, [dimension, count], ["class", "color"]).opts(**options)])
