"""Pictures of label maps for people: the map in its colours, a legend and a scale bar, as PNG and SVG."""

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.export.atomic import appearing
from engine.export.collections import per_micrograph
from engine.export.provenance import RECIPE, ascii_recipe, one_line, stem
from engine.export.rasters import pixel_step
from engine.export.streaming import in_memory
from engine.schema import CLASSES, LABEL, LABELS, X, pixel_map, table
from engine.schema import columns as c

_DPI: Final = 100
_SMALLEST, _LARGEST = 800, 4096
"""Longest side of the drawn map in pixels of the picture: small maps are enlarged, large ones thinned out."""
_LEGEND_WIDTH: Final = 300
_LONGEST_NAME: Final = 24
_MARGIN: Final = 40
_NO_DATA: Final = "#FFFFFF"


@per_micrograph
def write_png(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the label map as a PNG with legend and scale bar; the recipe is in its `tEXt` chunk.

    Each pixel of the map is a square of whole pixels; of maps above 4096 pixels only every n-th is drawn.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    path = Path(folder) / f"{stem(result, images)}.png"
    return _save(in_memory(result), path, {RECIPE: ascii_recipe(result), "Software": "Mapstack"})


@per_micrograph
def write_svg(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write the label map as an SVG with legend and scale bar; the recipe is the metadata's description.

    Parameters
    ----------
    result
        A result of the kind that the format is for.
    folder
        For the files.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    path = Path(folder) / f"{stem(result, images)}.svg"
    return _save(in_memory(result), path, {"Description": ascii_recipe(result), "Date": None})


def label_image(labels: np.ndarray, colors: dict[int, str]) -> np.ndarray:
    """RGB bytes `(y, x, 3)` of a label map; white where there is no class.

    Parameters
    ----------
    labels : ndarray (y, x)
    colors
        `#rrggbb` by label, not necessarily consecutive.
    """
    image = np.full((*labels.shape, 3), _rgb(_NO_DATA), np.uint8)
    for label, color in colors.items():
        image[labels == label] = _rgb(color)
    return image


def scale_length(extent: float) -> float:
    """Return the length of a scale bar: the largest 1, 2 or 5 times a power of ten in a quarter of the map.

    Examples
    --------
    >>> scale_length(100.0), scale_length(9.0)
    (20.0, 2.0)
    """
    power = 10.0 ** np.floor(np.log10(extent / 4))
    return float(max(step * power for step in (1, 2, 5) if step * power <= extent / 4))


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color.removeprefix("#")))


def _save(result: xr.DataTree, path: Path, metadata: dict[str, str | None]) -> list[Path]:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # a figure of its own, not pyplot's: no global state, any thread
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mapstack", "text.parse_math": False}):
        figure = _figure(result)
        FigureCanvasAgg(figure)
        with appearing(path) as draft, warnings.catch_warnings():
            # a letter that the font lacks is drawn as a box; the name is whole in every other format
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            figure.savefig(draft, format=path.suffix[1:], dpi=_DPI, metadata=metadata)
    return [path]


def _figure(result: xr.DataTree) -> Any:
    """Figure in which every map pixel is a square of whole picture pixels."""
    from matplotlib.figure import Figure

    classes = table(result, CLASSES)
    colors = dict(zip(classes[LABEL].values.tolist(), classes[c.COLOR].values.tolist(), strict=True))
    labels = pixel_map(result, LABELS).values
    every = -(-max(labels.shape) // _LARGEST)
    image = label_image(labels[::every, ::every], colors)
    enlarged = max(1, _SMALLEST // max(image.shape))
    height, width = (side * enlarged for side in image.shape[:2])
    row_height = 24
    total = (width + 2 * _MARGIN + _LEGEND_WIDTH, max(height, row_height * len(colors)) + 3 * _MARGIN)
    figure = Figure(figsize=(total[0] / _DPI, total[1] / _DPI), dpi=_DPI, facecolor="white")
    bottom = total[1] - _MARGIN - height
    axes = figure.add_axes((_MARGIN / total[0], bottom / total[1], width / total[0], height / total[1]))
    axes.imshow(
        image, interpolation="nearest", aspect="auto", extent=(0, labels.shape[1], labels.shape[0], 0)
    )
    axes.set_axis_off()
    _add_scale_bar(figure, result, bottom=bottom / total[1], width=width / total[0], left=_MARGIN / total[0])
    _add_legend(figure, classes, left=width + 1.5 * _MARGIN, row_height=row_height)
    return figure


def _add_scale_bar(figure: Any, result: xr.DataTree, *, bottom: float, width: float, left: float) -> None:
    """Draw a bar below the map, and the length it stands for."""
    from matplotlib.lines import Line2D

    step, unit = pixel_step(result, X)
    extent = abs(step) * pixel_map(result, LABELS).sizes[X]
    length = scale_length(extent)
    below = bottom - 0.25 * bottom
    figure.add_artist(
        Line2D(
            [left, left + width * length / extent],
            [below, below],
            color="black",
            linewidth=4,
            solid_capstyle="butt",
        )
    )
    figure.text(left, below - 0.12 * bottom, f"{length:g} {unit}", va="top", fontsize=11)


def _add_legend(figure: Any, classes: xr.Dataset, *, left: float, row_height: int) -> None:
    """One coloured square, name and share a class; `left` and `row_height` in pixels of the picture."""
    width, height = figure.get_size_inches() * _DPI
    for n, name in enumerate(classes[c.NAME].values.tolist()):
        share = f"  {100 * float(classes[c.FRACTION][n]):.1f} %" if c.FRACTION in classes else ""
        text = one_line(name)
        shown = text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
        y = 1 - (_MARGIN + (n + 0.5) * row_height) / height
        color = str(classes[c.COLOR].values[n])
        figure.text(left / width, y, "■", color=color, fontsize=14, va="center_baseline")
        figure.text((left + 28) / width, y, shown + share, fontsize=11, va="center_baseline")
