"""A population of particles as a figure for a paper, and as a report that stands alone."""

import html
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from engine.export.provenance import one_line, stem
from engine.export.sheets import html_figure, html_table, letter_axes, report_page, save_figure
from engine.export.tables import fractions_frame, images_frame, objects_frame
from engine.nanoparticles.methods import methods_text
from engine.palette import OKABE_ITO
from engine.schema import CLASSES, IMAGE_TABLE, LABEL, OBJECT_TABLE, RETRAINED, table
from engine.schema import columns as c

N_BINS: Final = 20
GREY: Final = OKABE_ITO[-1]
"""Colour of what has no class."""
UNDECIDED: Final = "undecided"
FIRST_COLUMNS: Final = (
    *("name", "count", "fraction", "low", "high", "bootstrap_low", "bootstrap_high"),
    *("corrected", "corrected_low", "corrected_high"),
)
"""Columns of the table of fractions in the order they are read in; others follow."""


def write_figure(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write fractions with intervals, sizes and spacings per class as one figure, PNG and PDF.

    Parameters
    ----------
    result : DataTree
        The result.
    folder : Path
        The folder.
    images : Dataset, dims ([spectral,] y, x), optional
        The images.

    Raises
    ------
    InputError
        If the result holds no particles.
    """
    return save_figure(result, folder, _draw, images=images)


def write_html(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a report: figure, fractions, how good the classifier is, micrographs, methods; one file.

    Parameters
    ----------
    result : DataTree
        The result.
    folder : Path
        The folder.
    images : Dataset, dims ([spectral,] y, x), optional
        The images.

    Raises
    ------
    InputError
        If the result holds no particles.
    """
    title = stem(result, images)
    fractions = fractions_frame(result).drop(columns=LABEL)
    body = [
        f"<h1>Particles of {html.escape(title)}</h1>",
        html_figure(result, _draw, alt="fractions, sizes and spacings"),
        f"<h2>Fractions</h2>{html_table(_in_order(fractions, FIRST_COLUMNS))}",
        f"<h2>How good the classes are</h2>{_describe_scores(result)}",
        f"<h2>Micrographs</h2>{html_table(_micrographs(result))}",
        f"<h2>Methods</h2><p>{html.escape(methods_text(result))}</p>",
    ]
    return [report_page(result, folder, title=title, body=body)]


def _in_order(frame: pd.DataFrame, first: Sequence[str]) -> pd.DataFrame:
    shown = [name for name in first if name in frame]
    return frame[shown + [name for name in frame.columns if name not in shown]]


def _micrographs(result: xr.DataTree) -> pd.DataFrame:
    """Return the table of micrographs as people read it: file, counts, pixel size with its unit."""
    frame = images_frame(result).drop(columns=["image", "rows", "columns"])
    counts = [name for name in frame.columns if name.startswith("n_") and name != "n_particles"]
    units = table(result, IMAGE_TABLE)[c.PIXEL_SIZE].attrs.get("units", "nm")
    ordered = _in_order(frame, ["file", "n_particles", *sorted(counts, reverse=True), "pixel_size"])
    return ordered.rename(columns={"pixel_size": f"pixel_size ({units})"})


def _describe_scores(result: xr.DataTree) -> str:
    rows = pd.DataFrame(json.loads(str(result.attrs.get("judged", "[]"))))
    said = "<p>By the model's own held-out micrographs:</p>" + html_table(rows)
    if RETRAINED not in result.attrs:
        return said
    report = json.loads(str(result.attrs[RETRAINED]))
    for name, words in (("before", "before"), ("after", "after, without knowing the answers")):
        matrix = pd.DataFrame(report[name], index=report["names"], columns=report["names"])
        said += f"<p>What people said (rows) and the model {words} retraining (columns):</p>"
        said += html_table(matrix.reset_index(names=""))
    return said


def _draw(result: xr.DataTree, figure: Any) -> None:
    axes = figure.subplots(2, 2)
    particles, colors = _select_decided(result), _colors(result)
    units = table(result, OBJECT_TABLE)[c.RADIUS].attrs.get("units", "px")
    parts: list[Callable[[Any], None]] = [
        lambda a: _fractions(a, fractions_frame(result), _colors(result)),
        lambda a: _per_micrograph(a, images_frame(result)),
        lambda a: _histogram(a, particles, "radius", f"radius ({units})", colors),
        lambda a: _histogram(a, particles, "spacing", f"lattice spacing ({units})", colors),
    ]
    letter_axes(axes.ravel(), parts)


def _colors(result: xr.DataTree) -> dict[str, str]:
    classes = table(result, CLASSES)
    names = [one_line(name) for name in classes[c.NAME].values.tolist()]
    return {**dict(zip(names, map(str, classes[c.COLOR].values), strict=True)), UNDECIDED: GREY}


def _select_decided(result: xr.DataTree) -> pd.DataFrame:
    """Return the table of particles, those without a class left out; what is undecided is called so."""
    particles = objects_frame(result)
    particles = particles[particles[c.CLASS] > 0]
    names = particles[c.NAME].map(one_line).where(~particles[c.ABSTAINED], UNDECIDED)
    return particles.assign(name=names)


def _fractions(axis: Any, fractions: pd.DataFrame, colors: dict[str, str]) -> None:
    """Shares as found and corrected, each with its 95 % interval."""
    kinds = (("fraction", "low", "high"), ("corrected", "corrected_low", "corrected_high"))
    names = [one_line(name) for name in fractions[c.NAME]]
    is_corrected = c.CORRECTED in fractions and np.isfinite(fractions[c.CORRECTED]).any()
    for n, row in enumerate(fractions.to_dict("records")):
        for (name, low, high), shift in zip(kinds, (-0.12, 0.12), strict=True):
            if name in row and np.isfinite(row[name]):
                ends = [[max(0, row[name] - row[low])], [max(0, row[high] - row[name])]]
                place = n + (shift if is_corrected else 0)
                look = {"color": colors[names[n]], "mfc": colors[names[n]] if name == "fraction" else "white"}
                axis.errorbar(place, row[name], ends, fmt="o", capsize=3, clip_on=False, **look)
    ticks = [f"{name}\n{count}" for name, count in zip(names, fractions[c.COUNT], strict=True)]
    axis.set_xticks(range(len(fractions)), ticks)
    axis.set_xlim(-0.5, len(fractions) - 0.5)
    axis.set_ylim(0, None)
    axis.set_xlabel("class, decided particles")
    what = "filled: found, open: corrected" if is_corrected else "of decided particles"
    axis.set_ylabel(f"share with 95 % interval\n({what})")


def _per_micrograph(axis: Any, micrographs: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    counts = micrographs.loc[micrographs[c.PROBLEM] == "", "n_particles"].to_numpy()
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
        names = [name for name in colors if (particles[c.NAME][np.isfinite(values)] == name).any()]
        parts = [values[(particles[c.NAME] == name).to_numpy() & np.isfinite(values)] for name in names]
        axis.hist(parts, bins=edges, stacked=True, color=[colors[name] for name in names], label=names)
        axis.legend(frameon=False)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel(f"{label}, {known.size} particles")
    axis.set_ylabel("particles")
