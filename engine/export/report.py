"""A population of particles as a figure for a paper, and as a report that stands alone."""

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

from engine.export.atomic import appearing
from engine.export.collections import of_particles
from engine.export.methods import methods_text
from engine.export.provenance import LINE, RECIPE, ascii_recipe, one_line, recipe_text, stem
from engine.export.tables import fractions_frame, images_frame, objects_frame
from engine.palette import OKABE_ITO
from engine.schema import CLASSES, IMAGE_TABLE, LABEL, OBJECT_TABLE, table

SIZE: Final = (7.2, 5.4)
"""Inches: two columns of a paper."""
DPI: Final = 200
N_BINS: Final = 20
GREY: Final = OKABE_ITO[-1]
"""Colour of what has no class."""
UNDECIDED: Final = "undecided"
FIRST_COLUMNS: Final = (
    *("name", "count", "fraction", "low", "high", "bootstrap_low", "bootstrap_high"),
    *("corrected", "corrected_low", "corrected_high"),
)
"""Columns of the table of fractions in the order they are read in; others follow."""
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
        f"<h2>Fractions</h2>{_table(_in_order(fractions, FIRST_COLUMNS))}",
        f"<h2>How good the classes are</h2>{_judged(result)}",
        f"<h2>Micrographs</h2>{_table(_micrographs(result))}",
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


def _in_order(frame: pd.DataFrame, first: Sequence[str]) -> pd.DataFrame:
    shown = [name for name in first if name in frame]
    return frame[shown + [name for name in frame.columns if name not in shown]]


def _micrographs(result: xr.DataTree) -> pd.DataFrame:
    """The table of micrographs as people read it: file, counts, pixel size with its unit."""
    frame = images_frame(result).drop(columns=["image", "rows", "columns"])
    counts = [name for name in frame.columns if name.startswith("n_") and name != "n_particles"]
    units = table(result, IMAGE_TABLE)["pixel_size"].attrs.get("units", "nm")
    ordered = _in_order(frame, ["file", "n_particles", *sorted(counts, reverse=True), "pixel_size"])
    return ordered.rename(columns={"pixel_size": f"pixel_size ({units})"})


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
        particles, colors = _decided(result), _colors(result)
        units = table(result, OBJECT_TABLE)["radius"].attrs.get("units", "px")
        parts: list[Callable[[Any], None]] = [
            lambda a: _fractions(a, fractions_frame(result), _colors(result)),
            lambda a: _per_micrograph(a, images_frame(result)),
            lambda a: _histogram(a, particles, "radius", f"radius ({units})", colors),
            lambda a: _histogram(a, particles, "spacing", f"lattice spacing ({units})", colors),
        ]
        for letter, axis, part in zip("abcd", axes.ravel(), parts, strict=True):
            part(axis)
            axis.set_title(letter, loc="left", fontweight="bold")
            axis.spines[["top", "right"]].set_visible(False)
        with warnings.catch_warnings():
            # a letter of a class' name that the font lacks is drawn as a box
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            figure.savefig(target, format=ending, metadata=metadata)


def _colors(result: xr.DataTree) -> dict[str, str]:
    classes = table(result, CLASSES)
    names = [one_line(name) for name in classes["name"].values.tolist()]
    return {**dict(zip(names, map(str, classes["color"].values), strict=True)), UNDECIDED: GREY}


def _decided(result: xr.DataTree) -> pd.DataFrame:
    """The table of particles, those without a class left out; what is undecided is called so."""
    particles = objects_frame(result)
    particles = particles[particles["class"] > 0]
    names = particles["name"].map(one_line).where(~particles["abstained"], UNDECIDED)
    return particles.assign(name=names)


def _fractions(axis: Any, fractions: pd.DataFrame, colors: dict[str, str]) -> None:
    """Shares as found and corrected, each with its 95 % interval."""
    kinds = (("fraction", "low", "high"), ("corrected", "corrected_low", "corrected_high"))
    names = [one_line(name) for name in fractions["name"]]
    is_corrected = "corrected" in fractions and np.isfinite(fractions["corrected"]).any()
    for n, row in enumerate(fractions.to_dict("records")):
        for (name, low, high), shift in zip(kinds, (-0.12, 0.12), strict=True):
            if name in row and np.isfinite(row[name]):
                ends = [[max(0, row[name] - row[low])], [max(0, row[high] - row[name])]]
                place = n + (shift if is_corrected else 0)
                look = {"color": colors[names[n]], "mfc": colors[names[n]] if name == "fraction" else "white"}
                axis.errorbar(place, row[name], ends, fmt="o", capsize=3, clip_on=False, **look)
    ticks = [f"{name}\n{count}" for name, count in zip(names, fractions["count"], strict=True)]
    axis.set_xticks(range(len(fractions)), ticks)
    axis.set_xlim(-0.5, len(fractions) - 0.5)
    axis.set_ylim(0, None)
    axis.set_xlabel("class, decided particles")
    what = "filled: found, open: corrected" if is_corrected else "of decided particles"
    axis.set_ylabel(f"share with 95 % interval\n({what})")


def _per_micrograph(axis: Any, micrographs: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    counts = micrographs.loc[micrographs["problem"] == "", "n_particles"].to_numpy()
    most = int(counts.max(initial=0))
    step = -(-(most + 1) // N_BINS)
    axis.hist(counts, bins=np.arange(0, most + step + 1, step) - 0.5, color=GREY, rwidth=0.9)
    axis.set_xlabel(f"particles in a micrograph ({counts.sum()} in {len(counts)})")
    axis.set_ylabel("micrographs")
    for each in (axis.xaxis, axis.yaxis):
        each.set_major_locator(MaxNLocator(integer=True))


def _histogram(axis: Any, particles: pd.DataFrame, column: str, label: str, colors: dict[str, str]) -> None:
    from matplotlib.ticker import MaxNLocator

    values = particles[column].to_numpy(float)
    known = values[np.isfinite(values)]
    if known.size:
        edges = np.linspace(known.min(), max(known.max(), known.min() * 1.01 + 1e-9), N_BINS + 1)
        names = [name for name in colors if (particles["name"][np.isfinite(values)] == name).any()]
        parts = [values[(particles["name"] == name).to_numpy() & np.isfinite(values)] for name in names]
        axis.hist(parts, bins=edges, stacked=True, color=[colors[name] for name in names], label=names)
        axis.legend(frameon=False)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel(f"{label}, {known.size} particles")
    axis.set_ylabel("particles")
