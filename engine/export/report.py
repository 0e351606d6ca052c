"""A population of particles as a figure for a paper, and as a report that stands alone."""

import base64
import html
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from engine.export.atomic import appearing
from engine.export.collections import of_particles
from engine.export.methods import methods_text
from engine.export.provenance import LINE, RECIPE, ascii_recipe, one_line, recipe_text, stem
from engine.export.tables import fractions_frame, images_frame, objects_frame
from engine.schema import CLASSES, LABEL, OBJECT_TABLE, table

SIZE: Final = (7.2, 5.4)
"""Inches: two columns of a paper."""
DPI: Final = 200
N_BINS: Final = 20
STYLE: Final = (
    "body{font:14px/1.5 system-ui,sans-serif;max-width:900px;margin:32px auto;padding:0 16px;color:#1d2430}"
    "h1{font-size:22px}h2{font-size:16px;margin-top:28px}img{max-width:100%}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:3px 10px;border-bottom:1px solid #d9dee4;"
    "text-align:right}td:first-child,th:first-child{text-align:left}pre{white-space:pre-wrap;font-size:11px}"
)


@of_particles("a summary figure")
def write_figure(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write fractions with intervals, sizes and spacings per class as one figure, PNG and PDF.

    Raises
    ------
    InputError
        If the result holds no particles.
    """
    start = Path(folder) / f"{stem(result, images)}_summary"
    recipe = ascii_recipe(result)
    written = []
    for ending, metadata in (("png", {RECIPE: recipe}), ("pdf", {"Subject": recipe, "CreationDate": None})):
        path = start.with_name(f"{start.name}.{ending}")
        with appearing(path) as draft:
            _draw(result, draft, ending, metadata)
        written.append(path)
    return written


@of_particles("a report")
def write_html(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a report: figure, fractions, how good the classifier is, micrographs, methods; one file.

    Raises
    ------
    InputError
        If the result holds no particles.
    """
    title = stem(result, images)
    picture = io.BytesIO()
    _draw(result, picture, "png", {})
    source = base64.b64encode(picture.getvalue()).decode()
    fractions = fractions_frame(result).drop(columns=LABEL)
    body = [
        f"<h1>Particles of {html.escape(title)}</h1>",
        f"<img alt='fractions, sizes and spacings' src='data:image/png;base64,{source}'>",
        f"<h2>Fractions</h2>{_table(_in_order(fractions))}",
        f"<h2>How good the classes are</h2>{_judged(result)}",
        f"<h2>Micrographs</h2>{_table(images_frame(result).drop(columns='image'))}",
        f"<h2>Methods</h2><p>{html.escape(methods_text(result))}</p>",
        f"<h2>Recipe</h2><pre>{html.escape(_short(recipe_text(result)))}</pre>",
    ]
    path = Path(folder) / f"{title}_report.html"
    with appearing(path) as draft:
        recipe = one_line(recipe_text(result)).replace("--", "-\\u002d")
        head = f"<!doctype html><!--\n{LINE}{recipe}\n--><meta charset='utf-8'>"
        head += f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
        draft.write_text(head + "".join(body), encoding="utf-8")
    return [path]


def _in_order(fractions: pd.DataFrame) -> pd.DataFrame:
    first = ["name", "count", "fraction", "low", "high", "corrected", "corrected_low", "corrected_high"]
    shown = [name for name in first if name in fractions]
    return fractions[shown + [name for name in fractions.columns if name not in shown]]


def _short(recipe: str) -> str:
    """The recipe without what the model learned, which no one reads."""
    document = json.loads(recipe or "{}")
    model = document.get("model") or {}
    document["model"] = {name: model[name] for name in ("analysis", "settings", "metadata") if name in model}
    return json.dumps(document, indent=1, ensure_ascii=False)


def _judged(result: xr.DataTree) -> str:
    rows = pd.DataFrame(json.loads(str(result.attrs.get("judged", "[]"))))
    said = "<p>By the model's own held-out micrographs:</p>" + _table(rows)
    if "retrained" not in result.attrs:
        return said
    report = json.loads(str(result.attrs["retrained"]))
    for name, words in (("before", "before"), ("after", "after, without knowing the answers")):
        matrix = pd.DataFrame(report[name], index=report["names"], columns=report["names"])
        said += f"<p>What people said (rows) and the model {words} retraining (columns):</p>"
        said += _table(matrix.reset_index(names=""))
    return said


def _table(frame: pd.DataFrame) -> str:
    def shown(value: Any) -> str:
        if isinstance(value, float):
            return "–" if np.isnan(value) else f"{value:.3g}"
        return html.escape(str(value))

    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in frame.columns)
    rows = ["".join(f"<td>{shown(value)}</td>" for value in row) for row in frame.itertuples(index=False)]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _draw(result: xr.DataTree, target: Any, ending: str, metadata: dict[str, Any]) -> None:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": 42, "font.size": 8, "text.parse_math": False}):
        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, 2)
        particles, classes = objects_frame(result), table(result, CLASSES)
        colors = dict(zip(classes["name"].values.tolist(), classes["color"].values.tolist(), strict=True))
        units = table(result, OBJECT_TABLE)["radius"].attrs.get("units", "px")
        parts: list[Callable[[Any], None]] = [
            lambda a: _fractions(a, fractions_frame(result), colors),
            lambda a: _per_micrograph(a, images_frame(result)),
            lambda a: _histogram(a, particles, "radius", f"radius ({units})", colors),
            lambda a: _histogram(a, particles, "spacing", f"lattice spacing ({units})", colors),
        ]
        for letter, axis, part in zip("abcd", axes.ravel(), parts, strict=True):
            part(axis)
            axis.set_title(letter, loc="left", fontweight="bold")
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(target, format=ending, metadata=metadata)


def _fractions(axis: Any, fractions: pd.DataFrame, colors: dict[str, str]) -> None:
    """Shares as found and corrected, each with its 95 % interval."""
    kinds = (("fraction", "low", "high"), ("corrected", "corrected_low", "corrected_high"))
    for n, row in enumerate(fractions.to_dict("records")):
        for (name, low, high), shift in zip(kinds, (-0.12, 0.12), strict=True):
            if name in row and np.isfinite(row[name]):
                ends = [[max(0, row[name] - row[low])], [max(0, row[high] - row[name])]]
                color = str(colors[row["name"]])
                inside = color if name == "fraction" else "white"
                axis.errorbar(n + shift, row[name], ends, fmt="o", color=color, mfc=inside, capsize=3)
    axis.set_xticks(range(len(fractions)), fractions["name"])
    axis.set_ylim(0, None)
    axis.set_ylabel("share (filled: found, open: corrected)")


def _per_micrograph(axis: Any, micrographs: pd.DataFrame) -> None:
    counts = micrographs["n_particles"].to_numpy()
    axis.hist(counts, bins=min(N_BINS, max(1, int(counts.max(initial=0)) + 1)), color="#888888")
    axis.set_xlabel(f"particles a micrograph ({counts.sum()} in {len(counts)})")
    axis.set_ylabel("micrographs")


def _histogram(axis: Any, particles: pd.DataFrame, column: str, label: str, colors: dict[str, str]) -> None:
    values = particles[column].to_numpy(float)
    known = values[np.isfinite(values)]
    if known.size:
        edges = np.linspace(known.min(), max(known.max(), known.min() * 1.01 + 1e-9), N_BINS + 1)
        names = [name for name in colors if (particles["name"] == name).any()]
        parts = [values[(particles["name"] == name).to_numpy() & np.isfinite(values)] for name in names]
        axis.hist(parts, bins=edges, stacked=True, color=[str(colors[n]) for n in names], label=names)
        axis.legend(frameon=False)
    axis.set_xlabel(label)
    axis.set_ylabel("particles")
