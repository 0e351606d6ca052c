"""Distributions of the objects of a result: how many of which size and energy.

energies = distribution(table["energy"] / 1e3, label="energy", units="keV", mark=12.5)
"""

from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard import theme

N_BINS: Final = 24


def log_bins(values: npt.NDArray[Any], *, n_bins: int = N_BINS) -> npt.NDArray[Any]:
    """Edges of bins that are alike on a logarithmic axis, over all positive values.

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


def distribution(
    values: npt.NDArray[Any], *, label: str, units: str, color: str, mark: float | None = None
) -> hv.Overlay:
    """Filled steps on a logarithmic axis, and a line where the selected object lies.

    Parameters
    ----------
    values : array (object,)
        Those that are not finite and positive are left out.
    mark
        Value of the selected object.
    """
    edges = log_bins(np.asarray(values, dtype=float))
    counts, _ = np.histogram(values[np.isfinite(values)], bins=edges)
    steps = np.concatenate([[0], np.repeat(counts, 2), [0]])
    dimension = hv.Dimension(label, label=f"{label} ({units})", range=(edges[0], edges[-1]))
    count = hv.Dimension("count", label="objects")
    shape = hv.Polygons([{label: np.repeat(edges, 2), "count": steps}], [dimension, count])
    shape = shape.opts(color=color, line_color=color, line_alpha=1, fill_alpha=2 * theme.BAND_ALPHA)
    marks = [] if mark is None or not np.isfinite(mark) or mark <= 0 else [hv.VLine(float(mark))]
    return hv.Overlay([shape, *marks]).opts(hv.opts.Overlay(logx=True))
