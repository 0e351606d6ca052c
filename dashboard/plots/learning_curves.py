"""Curves of a training: the loss, and F1 of each class on frames held out, by step."""

from collections.abc import Mapping
from typing import Final

import holoviews as hv
import pandas as pd

from dashboard import theme

F1: Final = "f1_"
ACCURACY: Final = "accuracy"


def plot_scores(rows: pd.DataFrame, *, colors: Mapping[str, str], of: str = "frames") -> hv.Overlay:
    """Draw a curve of F1 a class, or the share that is answered right, from 0 to 1.

    Parameters
    ----------
    rows : DataFrame
        One row an epoch: `step`, and `f1_<class>` for each class, or `accuracy`.
    colors
        By class name.
    of
        What was held out.
    """
    step = hv.Dimension("step", label="step")
    if ACCURACY in rows:
        right = hv.Dimension(ACCURACY, label=f"share right, {of} held out", range=(0, 1))
        return hv.Overlay([hv.Curve((rows["step"], rows[ACCURACY]), step, right).opts(color=theme.ACCENT)])
    score = hv.Dimension("f1", label=f"F1, {of} held out", range=(0, 1))
    names = [str(name).removeprefix(F1) for name in rows.columns if str(name).startswith(F1)]
    drawn = [
        hv.Curve((rows["step"], rows[f"{F1}{name}"]), step, score, label=name).opts(
            color=colors.get(name, theme.NEUTRAL)
        )
        for name in names
    ]
    return hv.Overlay(drawn or [hv.Curve([(0, 0)], step, score)])


def plot_loss(rows: pd.DataFrame) -> hv.Overlay:
    """Draw the loss by step, on a logarithmic axis.

    Parameters
    ----------
    rows : DataFrame
        One row an epoch: `step`, `loss`.
    """
    values = rows["loss"][rows["loss"] > 0] if len(rows) else pd.Series([0.5, 1.0])
    span = (0.9 * float(values.min()), 1.1 * float(values.max()))
    step, value = hv.Dimension("step", label="step"), hv.Dimension("loss", label="loss", range=span)
    points = (rows["step"], rows["loss"]) if len(rows) else []
    return hv.Overlay([hv.Curve(points, step, value).opts(color=theme.ACCENT)]).opts(
        hv.opts.Overlay(logy=True)
    )
