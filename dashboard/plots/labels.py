"""Label maps as HoloViews images of codes: class and way of drawing in one small integer.

Code 0 is transparent; code `1 + way * n_classes + index` draws class number `index` in one of the ways of
`theme.LABEL_ALPHAS` (solid, dimmed, over the raw map, dimmed over it, hidden). Selecting a class or changing
the mode changes codes, never options, and never more than one byte a pixel up to 51 classes. A second
byte carries the confidence for the hover in the browser.

    labels, bounds = pyramid.view(x_range, y_range, width, height)
    codes = lookup([1, 2, 3], selected=[2], mode="segments")
    label_raster(labels, confidence, bounds, codes=codes, colors=colors).image()      # hv.Image, dims x, y
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from dashboard import theme
from dashboard.plots.images import Raster
from engine.schema import CLASSES, LABEL
from engine.schema import columns as c

GROUP: Final = "Classes"
CLASS: Final = "class"
CONFIDENCE: Final = "confidence"


@dataclass(frozen=True)
class Classes:
    """The classes of a result as they are drawn: values, names and colours, in one order."""

    labels: tuple[int, ...]
    names: tuple[str, ...]
    colors: tuple[str, ...]

    @classmethod
    def of(cls, result: xr.DataTree) -> "Classes":
        """Read from the `/classes` table of a result."""
        table = result.children[CLASSES].to_dataset()
        return cls(
            labels=tuple(int(label) for label in table[LABEL].values),
            names=tuple(str(name) for name in table[c.NAME].values),
            colors=tuple(str(color) for color in table[c.COLOR].values),
        )


_WAYS: Final = {"segments": ("solid", "dimmed"), "over": ("over", "over_dimmed")}


def lookup(
    classes: Sequence[int], *, selected: Collection[int], mode: str, hidden: Collection[int] = ()
) -> npt.NDArray[Any]:
    """Code by label value: index with a label map to get its codes.

    Parameters
    ----------
    classes
        Label values that exist, in the order of their colours.
    selected
        Values that stand out; none = all alike.
    mode
        One of `map_modes.MODES`; only segments and over show classes, the others keep them for the hover.
    hidden
        Values that are not drawn.

    Examples
    --------
    >>> lookup([1, 2], selected=[2], mode="segments").tolist()
    [0, 3, 2]
    """
    n_classes = len(classes)
    codes = np.zeros(max(classes, default=0) + 1, np.min_scalar_type(n_codes(n_classes) - 1))
    chosen, others = _WAYS.get(mode, ("hidden", "hidden"))
    ways = list(theme.LABEL_ALPHAS)
    for index, label in enumerate(classes):
        way = chosen if not selected or label in selected else others
        way = "hidden" if label in hidden else way
        codes[label] = 1 + ways.index(way) * n_classes + index
    return codes


def n_codes(n_classes: int) -> int:
    """Return the number of codes, and of colours, that so many classes take."""
    return 1 + len(theme.LABEL_ALPHAS) * n_classes


def label_raster(
    labels: npt.NDArray[Any],
    confidence: npt.NDArray[Any],
    bounds: tuple[float, float, float, float],
    *,
    codes: npt.NDArray[Any],
    colors: Sequence[str],
    opacity: float = 0.5,
) -> Raster:
    """Coded screenful of a label map `(y, x)`.

    Parameters
    ----------
    labels : array (y, x), unsigned
    confidence : array (y, x), 0...1
        Of the same screenful; any shape is fitted to the labels'.
    bounds
        Outer edges x0, y0, x1, y1 in the units of the coordinates.
    codes
        From `lookup`; labels it does not know are transparent.
    colors
        Of the classes, in the order of `lookup`.
    opacity
        Of classes over raw values, 0...1.
    """
    drawn = np.take(np.append(codes, codes.dtype.type(0)), labels, mode="clip")
    certain = (np.fmin(np.fmax(confidence, 0), 1) * np.float32(255)).astype(codes.dtype)
    layers = {CLASS: drawn, CONFIDENCE: _fit(certain, labels.shape)}
    return Raster(GROUP, layers, bounds, theme.label_palette(colors, opacity=opacity))


def _fit(array: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Nearest-neighbour copy of the given shape."""
    if array.shape == shape:
        return array
    return array[np.ix_(*((np.arange(n) * m // n) for m, n in zip(array.shape, shape, strict=True)))]


NAME_JS: Final = """
if (value == 0) return "no class";
return names.data.name[(value - 1) % names.data.name.length];
"""
"""Body of a CustomJSHover with the argument `names`, a data source whose column `name` lists the classes."""
CONFIDENCE_JS: Final = "return (value / 255).toFixed(2);"
