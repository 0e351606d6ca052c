"""The number of classes: normalised indices over k, with the recommended and the chosen k marked.

plot = elbow(choose_k(images).to_dict(), chosen=5)
k = nearest_k(choice, x)                      # what a click at x means
"""

from collections.abc import Mapping
from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard import theme

INDICES: Final = {
    "distortion": "distortion (elbow)",
    "calinski_harabasz": "Calinski–Harabasz (high)",
    "davies_bouldin": "Davies–Bouldin (low)",
    "silhouette": "silhouette (high)",
    "stability": "stability (high)",
}
K: Final = hv.Dimension("k", label="number of classes")
SCALED: Final = hv.Dimension("scaled", label="index, scaled 0 to 1")


def elbow(choice: Mapping[str, Any], *, chosen: int | None = None) -> hv.Overlay:
    """All indices scaled to 0...1, their spread as bars, the recommended k as a band, the chosen as a line.

    Parameters
    ----------
    choice
        The fields of `engine.cluster.choose_k`: `k`, `recommended` (k or None), and per index its values and
        `<index>_spread`.
    chosen
        The k set at present.
    """
    k = np.asarray(choice["k"], dtype=float)
    recommended = choice.get("recommended")
    span = (np.nan, np.nan) if recommended is None else (recommended - 0.4, recommended + 0.4)
    elements = [hv.VSpan(*span).opts(**theme.RECOMMENDED)]
    for name, label in INDICES.items():
        scaled, spread = _scale_curve(choice, name, k.size)
        color = theme.INDEX_COLORS[name]
        elements += [
            hv.Curve((k, scaled), K, SCALED, label=label).opts(color=color, line_width=1.5),
            hv.Segments((k, scaled - spread, k, scaled + spread), [K, SCALED, "k_end", "scaled_end"]).opts(
                color=color, line_alpha=0.6
            ),
            hv.Scatter((k, scaled), K, SCALED).opts(color=color, size=6),
        ]
    elements.append(hv.VLine(np.nan if chosen is None else chosen))
    return hv.Overlay(elements)


def _scale_curve(choice: Mapping[str, Any], name: str, n: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Values and spread of one index, scaled to 0...1 by the values' range; NaN where it has none."""
    values = _numbers(choice.get(name), n)
    spread = _numbers(choice.get(f"{name}_spread"), n)
    if not np.isfinite(values).any():
        return values, np.zeros(n)
    low, high = np.nanmin(values), np.nanmax(values)
    size = (high - low) or 1.0
    return (values - low) / size, np.nan_to_num(spread / size)


def _numbers(values: Any, n: int) -> npt.NDArray[Any]:
    if values is None:
        return np.full(n, np.nan)
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def nearest_k(choice: Mapping[str, Any], x: float) -> int:
    """Return the k of the choice that a click at `x` means.

    Parameters
    ----------
    choice
        Its entry `k` lists the numbers of classes that were tried.
    x
        Position of the click along the axis of k.

    Examples
    --------
    >>> nearest_k({"k": [2, 3, 4]}, 3.4)
    3
    """
    return int(min(choice["k"], key=lambda k: abs(k - x)))
