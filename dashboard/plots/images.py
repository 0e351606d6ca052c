"""Maps of values as HoloViews images of two bytes a pixel.

A screenful of values is sent as 16-bit codes: code 0 is a pixel without data; codes 512...65279 divide the
stretch (low...high) evenly, 256...511 and 65280...65535 hold the values below and above it. The upper byte
is thus the colour, and the hover in the browser gets the value back from the code, without the server.

    values, bounds = pyramid.view(x_range, y_range, width, height, channel=3)
    raster = value_raster(values, bounds, limits=pyramid.limits(3, percent=99), colormap="viridis")
    raster.image()           # hv.Image, dims x, y, with its options
    raster.columns()         # the same for the data source of a figure that is already there
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard import theme

Limits = tuple[float, float, float, float]
"""Lowest value, low and high end of the stretch, highest value."""

KDIMS: Final = ("x", "y")
VALUE: Final = "value"
VALUES: Final = "Values"
CODES: Final = (256, 512, 65279, 65535)
"""Codes of the four limits."""
N_CODES: Final = 65536


def encode(values: npt.NDArray[Any], limits: Limits) -> npt.NDArray[np.uint16]:
    """16-bit codes of values; NaN becomes 0, values beyond the limits the code of the limit.

    Parameters
    ----------
    values : ndarray (y, x)
        NaN where there are no data.
    limits
        Lowest value, low and high end of the stretch, highest value.

    Examples
    --------
    >>> encode(np.array([np.nan, 0, 10, 90, 100]), (0, 10, 90, 100)).tolist()
    [0, 256, 512, 65279, 65535]
    """
    lowest, low, high, highest = limits
    values = np.asarray(values, dtype="float32")
    missing = np.isnan(values)
    code = (values - np.float32(low)) * np.float32((CODES[2] - CODES[1]) / (high - low)) + np.float32(
        CODES[1]
    )
    below, above = code < CODES[1], code > CODES[2]
    if below.any():
        code[below] = _line(values[below], lowest, low, CODES[0], CODES[1] - 1)
    if above.any():
        code[above] = _line(values[above], high, highest, CODES[2] + 1, CODES[3])
    code[missing] = 0
    codes: npt.NDArray[np.uint16] = (code + np.float32(0.5)).astype(np.uint16)
    return codes


def _line(values: npt.NDArray[Any], start: float, stop: float, first: int, last: int) -> npt.NDArray[Any]:
    span = stop - start
    share = np.clip((values - start) / span, 0, 1) if span > 0 else np.full_like(values, first > CODES[1])
    return np.asarray(first + share * (last - first))


DECODE_JS: Final = """
const [lowest, low, high, highest] = scale.data.limits;
if (value < 256) return "no data";
const line = (a, b, first, last) => a + (b - a) * (value - first) / (last - first);
const v = value < 512 ? line(lowest, low, 256, 511)
        : value > 65279 ? line(high, highest, 65280, 65535) : line(low, high, 512, 65279);
return `${Number(v.toPrecision(5))} ${scale.data.units[0]}`;
"""
"""Body of a Bokeh CustomJSHover with the argument `scale`, a data source with `limits` and `units`."""


@dataclass(frozen=True)
class Raster:
    """One screenful of codes `(y, x)`, first row at the smallest y, and the colours of the codes.

    The first of `layers` is drawn, the others are there for the hover; `bounds` are the outer edges
    x0, y0, x1, y1.
    """

    group: str
    layers: Mapping[str, npt.NDArray[Any]]
    bounds: tuple[float, float, float, float]
    palette: Sequence[str]

    @property
    def clim(self) -> tuple[float, float]:
        """Ends of the colour scale: codes up to the largest, half a code on either side."""
        n_codes = N_CODES if self.group == VALUES else len(self.palette)
        return -0.5, n_codes - 0.5

    def image(self) -> hv.Image:
        """Element with its colours."""
        stacked = np.dstack([layer[::-1] for layer in self.layers.values()])
        image = hv.Image(
            stacked, bounds=self.bounds, kdims=list(KDIMS), vdims=list(self.layers), group=self.group
        )
        return image.opts(cmap=list(self.palette), clim=self.clim)

    def columns(self) -> dict[str, list[Any]]:
        """Columns of the data source that HoloViews makes for `image`."""
        x0, y0, x1, y1 = self.bounds
        first, *others = self.layers
        columns: dict[str, list[Any]] = {"x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}
        return columns | {"image": [self.layers[first]]} | {name: [self.layers[name]] for name in others}


def value_raster(
    values: npt.NDArray[Any],
    bounds: tuple[float, float, float, float],
    *,
    limits: Limits,
    colormap: str = "viridis",
) -> Raster:
    """Coded screenful of values `(y, x)`.

    Parameters
    ----------
    values
        NaN = no data (transparent).
    bounds
        Outer edges x0, y0, x1, y1 in the units of the coordinates.
    limits
        Of the stretch, as `engine.pyramid.Pyramid.limits` returns them.
    colormap
        Name in `theme.COLORMAPS`.
    """
    return Raster(VALUES, {VALUE: encode(values, limits)}, bounds, theme.image_palette(colormap))


PERCENTILE: Final = "percentile"
STRETCHES: Final = (PERCENTILE, "linear", "log", "asinh")
"""How values become grey: evenly between two percentiles or the extremes, by logarithm, or by asinh."""


def stretch_values(
    values: npt.NDArray[Any], *, limits: Limits, quartiles: Limits, stretch: str
) -> tuple[npt.NDArray[Any], Limits]:
    """Values and limits as a stretch spreads them.

    Parameters
    ----------
    values
        Any shape.
    limits
        Of the percentile stretch.
    quartiles
        Limits of the central half: its middle is taken for the background, its width for the noise.
    stretch
        One of `STRETCHES`. asinh: linear in the noise, logarithmic far above it (R. Lupton et al., AJ 118
        (1999) 1406).
    """
    lowest, _, _, highest = limits
    if stretch == PERCENTILE:
        return values, limits
    if stretch == "linear":
        return values, (lowest, lowest, highest, highest)
    noise = max((quartiles[2] - quartiles[1]) / 1.349, 1e-12)
    middle = (quartiles[1] + quartiles[2]) / 2
    spread, low = (_asinh, middle - 2 * noise) if stretch == "asinh" else (_log, middle)
    ends = spread((np.array([lowest, low, highest, highest], dtype=float) - middle) / noise)
    return spread((np.asarray(values, np.float32) - middle) / noise), (
        float(ends[0]),
        float(ends[1]),
        float(ends[2]),
        float(ends[3]),
    )


def _asinh(sigmas: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(np.arcsinh(sigmas))


def _log(sigmas: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(np.log1p(np.maximum(sigmas, 0)))


def class_means(labels: npt.NDArray[Any], means: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Paint each pixel with the mean of its class.

    Parameters
    ----------
    labels : array (y, x), unsigned
        0 = no label, becomes NaN.
    means : array (label,)
        Mean by label value; index 0 is ignored.
    """
    lookup = np.full(int(max(labels.max(initial=0), len(means) - 1)) + 1, np.nan, dtype="float32")
    lookup[1 : len(means)] = means[1:]
    painted: npt.NDArray[np.float32] = lookup[labels]
    return painted
