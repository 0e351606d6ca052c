"""Parts of all reports: a figure for a paper, and an HTML page in one file."""

import base64
import html
import io
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from engine.analysis import Model, find_shipped_model, load_model
from engine.export.atomic import appearing
from engine.export.provenance import LINE, RECIPE, ascii_recipe, one_line, recipe_text, stem
from engine.recipe import mapstack_version

Draw = Callable[[xr.DataTree, Any], None]
"""Draws a result into a matplotlib figure."""

SIZE: Final = (7.2, 5.4)
"""Inches: two columns of a paper."""
DPI: Final = 200
STYLE: Final = (
    "body{font:14px/1.5 system-ui,sans-serif;max-width:900px;margin:32px auto;padding:0 16px;color:#1d2430}"
    "h1{font-size:22px}h2{font-size:16px;margin-top:28px}img{max-width:100%}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:3px 10px;border-bottom:1px solid #d9dee4;"
    "text-align:right}td:first-child,th:first-child{text-align:left}pre{white-space:pre-wrap;font-size:11px}"
)


def save_figure(
    result: xr.DataTree, folder: str | Path, draw: Draw, *, images: xr.Dataset | None = None
) -> list[Path]:
    """Write a figure as PNG and PDF, each with the recipe.

    Parameters
    ----------
    result
        The result to draw.
    folder
        For the files.
    draw
        Draws the result into a matplotlib figure.
    images : Dataset, optional
        The images that the result was made from; their title names the files.
    """
    start = Path(folder) / f"{stem(result, images)}_summary"
    recipe = ascii_recipe(result)
    written = []
    for ending, metadata in (("png", {RECIPE: recipe}), ("pdf", {"Subject": recipe, "CreationDate": None})):
        path = start.with_name(f"{start.name}.{ending}")
        with appearing(path) as draft:
            _save(result, draw, draft, ending, metadata)
        written.append(path)
    return written


def html_figure(result: xr.DataTree, draw: Draw, *, alt: str) -> str:
    """Return a figure as an `img` element of an HTML page.

    Parameters
    ----------
    result
        The result to draw.
    draw
        Draws the result into a matplotlib figure.
    alt
        Text for readers who do not see the figure.
    """
    picture = io.BytesIO()
    _save(result, draw, picture, "png", {})
    source = base64.b64encode(picture.getvalue()).decode()
    return f"<img alt='{html.escape(alt)}' src='data:image/png;base64,{source}'>"


def report_page(result: xr.DataTree, folder: str | Path, *, title: str, body: Sequence[str]) -> Path:
    """Write a page of what is in `body`, and the recipe: to read, and for programs.

    Parameters
    ----------
    result : DataTree
        The result whose recipe the page carries.
    folder : Path
        The folder.
    title : str
        Title of the page.
    body : sequence of str
        Parts of the page, HTML.
    """
    path = Path(folder) / f"{title}_report.html"
    with appearing(path) as draft:
        recipe = one_line(recipe_text(result)).replace("--", "-\\u002d")
        head = f"<!doctype html><!--\n{LINE}{recipe}\n--><meta charset='utf-8'>"
        head += f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
        tail = f"<h2>Recipe</h2><pre>{html.escape(_shorten(recipe_text(result)))}</pre>"
        draft.write_text(head + "".join(body) + tail, encoding="utf-8")
    return path


def html_table(frame: pd.DataFrame) -> str:
    """Return a table, numbers with three digits, NaN as a dash."""

    def shown(value: Any) -> str:
        if isinstance(value, float):
            return "–" if np.isnan(value) else f"{value:.3g}"
        return html.escape(str(value))

    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in frame.columns)
    rows = ["".join(f"<td>{shown(value)}</td>" for value in row) for row in frame.itertuples(index=False)]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def letter_axes(axes: Sequence[Any], parts: Sequence[Callable[[Any], None]]) -> None:
    """Draw each part into its axes, and letter them as papers do.

    Parameters
    ----------
    axes : sequence
        Axes of a matplotlib figure.
    parts : sequence of callable
        Each draws one part into its axes.
    """
    for letter, axis, part in zip("abcdefgh", axes, parts, strict=False):
        part(axis)
        axis.set_title(letter, loc="left", fontweight="bold")
        axis.spines[["top", "right"]].set_visible(False)


def name_model(model: Model) -> str:
    """Return the words that say whether a model is the one that comes with Mapstack."""
    folder = find_shipped_model(model.analysis)
    if folder is not None and load_model(folder).digest() == model.digest():
        return f"simulated ones: the model that Mapstack {mapstack_version()} brings"
    return f"a model other than the one that Mapstack {mapstack_version()} brings"


def _save(result: xr.DataTree, draw: Draw, target: Any, ending: str, metadata: dict[str, Any]) -> None:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": 42, "font.size": 8, "text.parse_math": False}):
        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        draw(result, figure)
        with warnings.catch_warnings():
            # a letter of a class' name that the font lacks is drawn as a box
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            figure.savefig(target, format=ending, metadata=metadata)


def _shorten(recipe: str) -> str:
    """Return the recipe without the arrays of its model."""
    document = json.loads(recipe or "{}")
    model = document.get("model") or {}
    document["model"] = {name: model[name] for name in ("analysis", "settings", "metadata") if name in model}
    document["model"].get("metadata", {}).pop("known_files", None)
    return json.dumps(document, indent=1, ensure_ascii=False)
