"""Maps of values as HoloViews images of two bytes a pixel.

A screenful of values is sent as 16-bit codes: code 0 is a pixel without data; codes 512...65279 divide the
stretch (low...high) evenly, 256...511 and 65280...65535 hold the values below and above it. The upper byte
is thus the colour, and the hover in the browser gets the value back from the code, without the server.

    values, bounds = pyramid.view(x_range, y_range, width, height, channel=3)
    image = value_map(values, bounds, limits=pyramid.limits(3, percent=99))     # hv.Image, dims x, y
    image.opts(**value_options("viridis"))
"""

from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard import theme

Limits = tuple[float, float, float, float]
"""Lowest value, low and high end of the stretch, highest value."""

KDIMS: Final = ("x", "y")
VALUE: Final = "value"
CODES: Final = (256, 512, 65279, 65535)
"""Codes of the four limits."""
N_CODES: Final = 65536


def encode(values: npt.NDArray[Any], limits: Limits) -> npt.NDArray[np.uint16]:
    """16-bit codes of values; NaN becomes 0, values beyond the limits the code of the limit.

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
    return np.rint(code).astype(np.uint16)


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


def value_map(
    values: npt.NDArray[Any], bounds: tuple[float, float, float, float], *, limits: Limits
) -> hv.Image:
    """Coded image of values `(y, x)`, first row at the smallest y.

    Parameters
    ----------
    values
        One screenful, NaN = no data (transparent).
    bounds
        Outer edges x0, y0, x1, y1 in the units of the coordinates.
    limits
        Of the stretch, as `engine.pyramid.Pyramid.limits` returns them.
    """
    return _image(encode(values, limits), bounds)


def no_values(bounds: tuple[float, float, float, float]) -> hv.Image:
    """Return the same element without anything to see, of a few bytes."""
    return _image(np.zeros((1, 1), np.uint16), bounds)


def _image(codes: npt.NDArray[np.uint16], bounds: tuple[float, float, float, float]) -> hv.Image:
    return hv.Image(codes[::-1], bounds=bounds, kdims=list(KDIMS), vdims=[VALUE], group="Values")


def value_options(colormap: str) -> dict[str, Any]:
    """Options of `value_map`."""
    return {"cmap": theme.image_palette(colormap), "clim": (-0.5, N_CODES - 0.5)}


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
    return lookup[labels]
