"""Colours and fonts of the plots: the only file with a colour, a font or a HoloViews default.

Class colours come from `engine.palette` (or a user's own in `/classes/color`). Lines, ticks and marks use a
grey that shows on light and on dark; backgrounds are left to the page's light or dark theme.
"""

from collections.abc import Sequence
from typing import Any, Final

import holoviews as hv
from bokeh import palettes

from engine.palette import class_colors

__all__ = ["COLORMAPS", "class_colors", "image_palette", "install", "label_palette"]

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
NEUTRAL: Final = "#888888"
ACCENT: Final = "#0072B2"
ACCENT_DARK: Final = "#56B4E9"
WARNING: Final = "#D55E00"
EVIDENCE_FOR: Final = "#E69F00"
EVIDENCE_AGAINST: Final = "#0072B2"
EVIDENCE_ALPHA: Final = 0.7
"""Colours of what speaks for a class and against it in a picture, and how opaque the strongest is."""
PARTS_ALPHA: Final = 0.4
"""How opaque the class of a part lies over a picture."""
TRANSPARENT: Final = "#00000000"
NO_CLASS: Final = "#888888"
"""Colour of what is in no class."""
PEAK_RING: Final = "#F0B429"
"""Colour of the rings around measured peaks in a power spectrum."""
FONT_SIZES: Final = {"labels": "10pt", "ticks": "9pt", "title": "10pt", "legend": "9pt"}

COLORMAPS: Final = {
    "viridis": palettes.Viridis256,
    "cividis": palettes.Cividis256,
    "magma": palettes.Magma256,
    "inferno": palettes.Inferno256,
    "gray": palettes.Greys256,
}
"""Colour maps for values, by the name shown; all rise in lightness and suit every kind of colour vision."""

LABEL_ALPHAS: Final = {"solid": "FF", "dimmed": "38", "over": "80", "over_dimmed": "1C", "hidden": "00"}
"""Opacity of a class by how it is drawn, as the last two digits of `#rrggbbaa`, in the order of the codes."""

INDEX_COLORS: Final = {
    "distortion": class_colors(8)[7],
    "calinski_harabasz": class_colors(8)[0],
    "davies_bouldin": class_colors(8)[1],
    "silhouette": class_colors(8)[2],
    "stability": class_colors(8)[5],
}
"""Colours of the curves that help to choose the number of classes."""

BAND_ALPHA: Final = 0.22
DIMMED: Final = 0.25
"""Opacity of a spread band, and share of its opacity that a class keeps when others are selected."""

PICKED: Final = {"color": NEUTRAL, "line_dash": "dashed", "line_width": 2}
REGION: Final = {"color": NEUTRAL, "line_width": 2.5}
OUTLINE: Final = {"line_color": WARNING, "line_width": 2, "line_dash": "solid"}
CROSS: Final = {"line_color": WARNING, "line_width": 2, "marker": "cross", "size": 16}
MARKER_LINE: Final = {"color": NEUTRAL, "line_dash": "dotted", "line_width": 1.5}
RECOMMENDED: Final = {"color": ACCENT, "alpha": 0.18}

LEGEND: Final = {"background_fill_alpha": 0, "border_line_alpha": 0, "label_text_color": NEUTRAL}
"""A legend inside a chart, on the page's own background."""

SCALE_BAR: Final[dict[str, Any]] = {
    "background_fill_color": "#FFFFFF",
    "background_fill_alpha": 0.75,
    "border_line_color": None,
    "bar_line_color": "#222222",
    "label_text_color": "#222222",
    "label_text_font": FONT,
    "label_text_font_size": "11px",
    "bar_line_width": 3,
    "bar_length": 0.2,
    "padding": 4,
    "margin": 6,
    "label_standoff": 2,
    "anchor": "bottom_left",
}


def image_palette(name: str) -> list[str]:
    """256 colours for a coded image of values: the first for pixels without data, transparent."""
    colors = COLORMAPS[name]
    return [TRANSPARENT, *colors[:1], *colors[2:]]


def label_palette(colors: Sequence[str], *, opacity: float = 0.5) -> list[str]:
    """Colours of a coded label map: transparent, then all classes as each of `LABEL_ALPHAS` draws them.

    `opacity` is that of classes over raw values.

    Parameters
    ----------
    colors
        Colour of each class as `#rrggbb`.
    opacity
        Opacity of the classes over raw values, 0 to 1.
    """
    alphas = {**LABEL_ALPHAS, "over": f"{round(255 * opacity):02X}"}
    return [TRANSPARENT, *(f"{color[:7]}{alpha}" for alpha in alphas.values() for color in colors)]


def install() -> None:
    """Load the plotting backend and set its defaults; call once a process, before any plot."""
    hv.extension("bokeh", logo=False)
    common = {"fontsize": FONT_SIZES, "default_tools": [], "toolbar": "above", "show_title": False}
    chart = {**common, "gridstyle": {"grid_line_color": NEUTRAL, "grid_line_alpha": 0.25}, "show_grid": True}
    hv.opts.defaults(
        hv.opts.Image(**common, show_frame=False, axiswise=True),
        hv.opts.Overlay(**common),
        hv.opts.Contours(**chart),
        hv.opts.Polygons(**chart, line_alpha=0, fill_alpha=BAND_ALPHA),
        hv.opts.Curve(**chart),
        hv.opts.Scatter(**chart, size=8),
        hv.opts.VLine(**MARKER_LINE),
    )
