"""Spectra of all classes with their spread, for one variable.

Whatever there is to show, a plot consists of the same five elements: bands, curves, the line at the current
wavelength, the picked pixel (dashed) and the selected region. Angles on a circle are drawn unwrapped along
the spectrum, so that no vertical jump appears; the axis may then leave 0...360.

    plot = spectra(result["spectra"].to_dataset(), "delta", classes=Classes.of(result), selected=[2],
                   marks=Marks(position=600.0, picked=curve, region=region_spectrum))
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt
import xarray as xr

from dashboard import theme
from dashboard.format import format_symbol, format_units
from dashboard.plots.labels import Classes
from engine.schema import LABEL, PERIODS, SPECTRAL

BANDS: Final = ("std", "mad", "quantiles")
"""Spread shown: mean ± standard deviation, median ± median absolute deviation, median and 5 %...95 %."""

Curve = npt.NDArray[Any]
_VDIMS: Final = ["class", "color", "alpha"]


@dataclass(frozen=True)
class Marks:
    """Marks beside the curves of classes: spectral position, one pixel's values, a region's statistics."""

    position: float | None = None
    picked: Curve | None = None
    region: xr.Dataset | None = None


def spectra(
    table: xr.Dataset,
    variable: str,
    *,
    classes: Classes,
    selected: Collection[int] = (),
    band: str = "std",
    marks: Marks | None = None,
) -> hv.Overlay:
    """Curves and spread bands of one variable's class statistics.

    Parameters
    ----------
    table : Dataset, dims (label, spectral)
        `<variable>_<statistic>` for `schema.STATISTICS`, as in a result's `/spectra`.
    variable
        Such as delta.
    classes
        Names and colours of the table's labels.
    selected
        Labels that stand out; none = all alike.
    band
        One of `BANDS`.
    marks
        Current wavelength, picked pixel, selected region.
    """
    marks = marks or Marks()
    period = PERIODS.get(variable)
    position, x_dim = _positions(table)
    y_dim = value_dimension(variable, units=str(table[f"{variable}_mean"].attrs.get("units", "1")))
    rows = []
    for label, name, color in zip(classes.labels, classes.names, classes.colors, strict=True):
        alpha = theme.DIMMED if selected and label not in selected else 1.0
        rows.append((_get_spread(table.sel({LABEL: label}), variable, band), name, color, alpha))
    region = (
        []
        if marks.region is None
        else [(_get_spread(marks.region, variable, band), "region", theme.REGION["color"], 1.0)]
    )
    curves: list[Any] = [(_draw_spread(spread, period, ()), *style) for spread, *style in rows]
    middles = [drawn[0] for drawn, _, _, _ in curves]
    curves += [(_draw_spread(spread, period, middles), *style) for spread, *style in region]
    picked = np.full(position.size, np.nan) if marks.picked is None else np.asarray(marks.picked, float)
    return hv.Overlay(
        [
            _bands(position, curves, x_dim, y_dim),
            _curves(position, curves, x_dim, y_dim),
            hv.VLine(np.nan if marks.position is None else marks.position),
            hv.Curve((position, _place_near(picked, period, middles)), x_dim, y_dim).opts(**theme.PICKED),
        ]
    )


def value_dimension(variable: str, *, units: str) -> hv.Dimension:
    """Dimension of a variable's values with its symbol and unit.

    Parameters
    ----------
    variable
        Name of the image variable.
    units
        Its units.
    """
    return hv.Dimension(variable, label=format_symbol(variable), unit=format_units(units) or None)


def _positions(table: xr.Dataset) -> tuple[Curve, hv.Dimension]:
    """Spectral coordinate and its dimension; plain images are drawn as a dash around 0."""
    name = next((str(d) for d in table.dims if d in SPECTRAL), None)
    if name is None:
        return np.array([-0.5, 0.5]), hv.Dimension("channel")
    coordinate = table[name]
    units = str(coordinate.attrs.get("units", "1"))
    return coordinate.values.astype(float), hv.Dimension(name, unit=format_units(units) or None)


def _get_spread(row: xr.Dataset, variable: str, band: str) -> tuple[Curve, Curve, Curve]:
    """Middle, lower and upper curve of one class."""

    def curve(statistic: str) -> Curve:
        values = np.atleast_1d(np.asarray(row[f"{variable}_{statistic}"].values, dtype=float))
        return np.repeat(values, 2) if not row[f"{variable}_{statistic}"].dims else values

    if band == "std":
        return curve("mean"), curve("mean") - curve("std"), curve("mean") + curve("std")
    if band == "mad":
        return curve("median"), curve("median") - curve("mad"), curve("median") + curve("mad")
    return curve("median"), curve("q05"), curve("q95")


def unwrap_values(curve: Curve, period: float | None) -> Curve:
    """Curve of angles without jumps of a whole turn between neighbouring valid channels.

    Parameters
    ----------
    curve : ndarray (channel,)
        Values, NaN where there are none.
    period
        Length of the circle; None for plain numbers.

    Examples
    --------
    >>> unwrapped(np.array([350.0, np.nan, 5.0]), 360).tolist()
    [350.0, nan, 365.0]
    """
    out = np.array(curve, dtype=float)
    valid = np.isfinite(out)
    if period is not None and valid.any():
        out[valid] = np.unwrap(out[valid], period=period)
    return out


def _place_near(curve: Curve, period: float | None, others: Sequence[Curve]) -> Curve:
    """Curve without jumps, its median between 0 and the period, or beside the most similar of others."""
    out = unwrap_values(curve, period)
    if period is None or not np.isfinite(out).any():
        return out
    shifts = [gap for gap in (_gap(out, other) for other in others) if np.isfinite(gap)]
    nearest = min(shifts, key=lambda gap: abs(np.mod(gap + period / 2, period) - period / 2), default=None)
    turns = -np.floor(np.nanmedian(out) / period) if nearest is None else np.round(nearest / period)
    return np.asarray(out + period * turns)


def _gap(curve: Curve, other: Curve) -> float:
    """Median of the differences where both have values; NaN where they never have."""
    gaps = (other - curve)[np.isfinite(other) & np.isfinite(curve)]
    return float(np.median(gaps)) if gaps.size else float("nan")


def _draw_spread(
    spread: tuple[Curve, Curve, Curve], period: float | None, others: Sequence[Curve]
) -> tuple[Curve, Curve, Curve]:
    middle, low, high = spread
    drawn = _place_near(middle, period, others)
    if period is None:
        return drawn, low, high
    below, above = (np.mod(edge - middle + period / 2, period) - period / 2 for edge in (low, high))
    return drawn, drawn + below, drawn + above


def _curves(position: Curve, curves: list[Any], x_dim: hv.Dimension, y_dim: hv.Dimension) -> hv.Contours:
    paths = [
        {"x": position, "y": middle, "class": name, "color": color, "alpha": alpha}
        for (middle, _, _), name, color, alpha in curves
    ]
    renamed = [{x_dim.name: p.pop("x"), y_dim.name: p.pop("y"), **p} for p in paths]
    return hv.Contours(renamed, [x_dim, y_dim], _VDIMS).opts(color="color", alpha="alpha", line_width=2)


def _bands(position: Curve, curves: list[Any], x_dim: hv.Dimension, y_dim: hv.Dimension) -> hv.Polygons:
    outlines = []
    for (_, low, high), name, color, alpha in curves:
        valid = np.isfinite(low) & np.isfinite(high)
        outlines.append(
            {
                x_dim.name: np.concatenate([position[valid], position[valid][::-1]]),
                y_dim.name: np.concatenate([low[valid], high[valid][::-1]]),
                "class": name,
                "color": color,
                "alpha": alpha * theme.BAND_ALPHA,
            }
        )
    return hv.Polygons(outlines, [x_dim, y_dim], _VDIMS).opts(color="color", fill_alpha="alpha")


def nearest_class(table: xr.Dataset, variable: str, *, x: float, y: float) -> int | None:
    """Label whose curve passes nearest, in y, to a position on the plot; None without any curve.

    Parameters
    ----------
    table : Dataset, dims (label, channel)
        Spectra of the classes.
    variable
        Name of the image variable.
    x, y
        Position in the chart's units.
    """
    position, _ = _positions(table)
    channel = int(np.abs(position - x).argmin())
    means = np.atleast_2d(table[f"{variable}_mean"].transpose(LABEL, ...).values.T)
    distance = np.abs(means[min(channel, len(means) - 1)] - y)
    period = PERIODS.get(variable)
    if period is not None:
        distance = np.abs(np.mod(distance + period / 2, period) - period / 2)
    return None if np.isnan(distance).all() else int(table[LABEL].values[np.nanargmin(distance)])
