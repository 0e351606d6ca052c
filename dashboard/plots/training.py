"""How training goes: the loss, and F1 of each class on frames held out, by step."""

from collections.abc import Mapping
from typing import Final

import holoviews as hv
import pandas as pd

from dashboard import theme

F1: Final = "f1_"


def curves(rows: pd.DataFrame, *, colors: Mapping[str, str]) -> hv.Overlay:
    """A curve of F1 a class, from 0 to 1.

    Parameters
    ----------
    rows : DataFrame
        One row an epoch: `step`, and `f1_<class>` for each class.
    colors
        By class name.
    """
    step = hv.Dimension("step", label="step")
    score = hv.Dimension("f1", label="F1, frames held out", range=(0, 1))
    names = [str(name).removeprefix(F1) for name in rows.columns if str(name).startswith(F1)]
    drawn = [
        hv.Curve((rows["step"], rows[f"{F1}{name}"]), step, score, label=name).opts(
            color=colors.get(name, theme.NEUTRAL)
        )
        for name in names
    ]
    return hv.Overlay(drawn or [hv.Curve([(0, 0)], step, score)])


def loss(rows: pd.DataFrame) -> hv.Overlay:
    """The loss by step, on a logarithmic axis."""
    step, value = hv.Dimension("step", label="step"), hv.Dimension("loss", label="loss")
    known = not rows.empty
    points = (rows["step"], rows["loss"]) if known else [(1, 1.0)]
    curve = hv.Curve(points, step, value).opts(color=theme.ACCENT, alpha=1.0 if known else 0.0)
    return hv.Overlay([curve]).opts(hv.opts.Overlay(logy=True))
