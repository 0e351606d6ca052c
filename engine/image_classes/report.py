"""Classified pictures as a figure for a paper, and as a report that stands alone."""

import base64
import html
import io
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from engine.analysis import model_of
from engine.export.provenance import one_line, stem
from engine.export.sheets import html_figure, html_table, letter_axes, name_model, report_page, save_figure
from engine.export.tables import classes_frame, images_frame
from engine.palette import OKABE_ITO
from engine.recipe import Recipe, mapstack_version
from engine.schema import CLASSES, CONFIDENCE, IMAGE_TABLE, PICTURES, table
from engine.schema import columns as c

GREY: Final = OKABE_ITO[-1]
N_BINS: Final = 20
N_SHOWN: Final = 12
"""Pictures of a class that the report shows, the surest first; and of those without an answer."""
COLUMNS: Final = ("file", "name", "said", CONFIDENCE, "novelty", "pixel_size")
MOST_ROWS: Final = 500
"""Rows of the table of pictures; all are in the csv."""


def write_figure(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write how many pictures are of each class, how sure, and how good the model is, PNG and PDF.

    Parameters
    ----------
    result : DataTree
        The result.
    folder : Path
        The folder.
    images : Dataset, dims ([spectral,] y, x), optional
        The images.
    """
    return save_figure(result, folder, _draw, images=images)


def write_html(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
    """Write a report: figure, classes, how good the model is, pictures of each class, table, methods.

    Parameters
    ----------
    result : DataTree
        The result.
    folder : Path
        The folder.
    images : Dataset, dims ([spectral,] y, x), optional
        The images.
    """
    title = stem(result, images)
    frame = _images_frame(result)
    body = [
        f"<h1>Pictures of {html.escape(title)}</h1>",
        html_figure(result, _draw, alt="pictures of each class, confidence, errors"),
        f"<h2>Classes</h2>{html_table(classes_frame(result).drop(columns=['label', 'color']))}",
        f"<h2>How good the model is</h2>{_describe_scores(result)}",
        f"<h2>Pictures</h2>{_galleries(result, frame)}{html_table(_short_table(frame))}",
        f"<h2>Methods</h2><p>{html.escape(_methods(result, frame))}</p>",
    ]
    return [report_page(result, folder, title=title, body=body)]


def _images_frame(result: xr.DataTree) -> pd.DataFrame:
    """Return the table of pictures with `said`: an answer, not sure, unlike anything seen, or by a person."""
    frame = images_frame(result)
    said = np.where(frame[c.ABSTAINED], "not sure", "answer")
    said = np.where(frame[c.UNLIKE] & frame[c.ABSTAINED], "unlike anything seen", said)
    return frame.assign(said=np.where(frame[c.REVIEWED], "by a person", said))


def _short_table(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(CONFIDENCE).head(MOST_ROWS)[list(COLUMNS)]


def _describe_scores(result: xr.DataTree) -> str:
    model = dict(model_of(result).metadata)
    rows = pd.DataFrame(json.loads(str(result.attrs.get("judged", "[]"))))
    figures = {
        "accuracy": "accuracy",
        "majority": "of always saying the commonest class",
        "calibration_error": "expected calibration error",
    }
    said = ", ".join(f"{words} {_number(model, name)}" for name, words in figures.items())
    how = f"{_counts(model)}; {name_model(model_of(result))}"
    apart = [{**one, "classes": ", ".join(one["classes"])} for one in model.get("unscored", [])]
    further = {"Most confused": model.get("confused"), "Not scored, for they are nowhere else": apart}
    tables = [f"<p>{what}:</p>{html_table(pd.DataFrame(found))}" for what, found in further.items() if found]
    head = f"<p>By {html.escape(str(model.get('judged_on')))} ({html.escape(how)}): {said}.</p>"
    return head + html_table(rows) + "".join(tables)


def _counts(model: dict[str, Any]) -> str:
    learned, checked, judged = model.get("n_pictures", ["?"] * 3)
    return f"{learned} pictures learned from, {checked} to choose by, {judged} to judge"


def _number(model: dict[str, Any], name: str) -> str:
    return f"{model[name]:.3f}" if name in model else "not known"


def _galleries(result: xr.DataTree, frame: pd.DataFrame) -> str:
    """Small pictures of each class, the surest first, and of those without an answer."""
    thumbnails = table(result, PICTURES)[c.THUMBNAIL]
    decided = ~frame[c.ABSTAINED]
    groups = {
        name: frame[decided & (frame[c.NAME] == name)] for name in table(result, CLASSES)[c.NAME].values
    }
    groups["no answer"] = frame[frame[c.ABSTAINED]]
    parts = []
    for name, rows in groups.items():
        chosen = rows.sort_values(CONFIDENCE, ascending=False).head(N_SHOWN).index
        if len(chosen):
            shown = "".join(_picture(np.asarray(thumbnails[n]), frame[c.FILE][n]) for n in chosen)
            parts.append(f"<p>{html.escape(str(name))}, {len(rows)}</p><p>{shown}</p>")
    return "".join(parts)


def _picture(grey: np.ndarray, title: str) -> str:
    from PIL import Image

    stored = io.BytesIO()
    Image.fromarray(grey).save(stored, "PNG")
    source = base64.b64encode(stored.getvalue()).decode()
    return (
        f"<img title='{html.escape(title)}' alt='' src='data:image/png;base64,{source}' style='margin:2px'>"
    )


def _methods(result: xr.DataTree, frame: pd.DataFrame) -> str:
    recipe = Recipe.from_json(str(result.attrs["recipe"]))
    model, settings = dict(model_of(result).metadata), dict(model_of(result).settings)
    settings.update(recipe.settings)
    counts = ", ".join(f"{name}: {count}" for name, count in frame["said"].value_counts().items())
    versions = ", ".join(f"{name} {version}" for name, version in recipe.versions.items())
    shown = ", ".join(f"{name} = {value}" for name, value in settings.items())
    bars = "with" if settings.get("databar") else "without"
    sentences = (
        (
            f"{len(frame)} pictures were classified by the network {settings.get('network')}"
            f" ({model.get('n_weights')} weights) on squares of {settings.get('edge')} pixels {bars} data"
            " bars."
        ),
        (
            "Confidences are scaled by a temperature (Guo et al., ICML 2017); there is no answer below the"
            f" confidence that keeps the error of held-out pictures at {settings.get('error')}, nor for"
            " pictures further from the known ones than 98 % of the held-out ones (Mahalanobis distance to"
            " the fifth neighbour)."
        ),
        f"{counts}.",
        (
            "Pictures of one original are on one side of a split, and so are copies of each other"
            f" ({model.get('n_copied', 0)} pictures)."
        ),
        f"Settings: {shown}; seed = {recipe.seed}. Software: Mapstack {mapstack_version()}, {versions}.",
    )
    return " ".join(sentences)


def _draw(result: xr.DataTree, figure: Any) -> None:
    frame, classes = _images_frame(result), classes_frame(result)
    colors = dict(zip(classes[c.NAME], classes[c.COLOR], strict=True))
    parts = [
        lambda axis: _draw_counts(axis, frame, colors),
        lambda axis: _draw_confidence(axis, frame),
        lambda axis: _draw_confusion(axis, result, frame),
        lambda axis: _draw_risk(axis, result),
    ]
    letter_axes(figure.subplots(2, 2).ravel(), parts)


def _draw_counts(axis: Any, frame: pd.DataFrame, colors: dict[str, str]) -> None:
    counts = frame[~frame[c.ABSTAINED]][c.NAME].value_counts()
    names = list(colors)
    axis.barh([one_line(n) for n in names], [counts.get(n, 0) for n in names], color=list(colors.values()))
    axis.barh("no answer", int(frame[c.ABSTAINED].sum()), color=GREY)
    axis.invert_yaxis()
    axis.set_xlabel(f"pictures ({len(frame)})")


def _draw_confidence(axis: Any, frame: pd.DataFrame) -> None:
    parts = [frame[frame[c.ABSTAINED] == away][CONFIDENCE] for away in (False, True)]
    bins = np.linspace(0, 1, N_BINS + 1)
    axis.hist(parts, bins=bins, stacked=True, color=[OKABE_ITO[0], GREY], label=["answer", "no answer"])
    axis.legend(frameon=False)
    axis.set_xlabel("confidence: best minus second probability")
    axis.set_ylabel("pictures")


def _draw_confusion(axis: Any, result: xr.DataTree, frame: pd.DataFrame) -> None:
    """Told classes against those found, where the pictures came with one."""
    classes = classes_frame(result)
    truth = table(result, IMAGE_TABLE)[c.TRUTH].values
    known = truth > 0
    names = [one_line(name) for name in classes[c.NAME]]
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (truth[known] - 1, frame[c.CLASS].to_numpy()[known] - 1), 1)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axis.imshow(shares, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    axis.set_yticks(range(len(names)), names, fontsize=6)
    axis.set_xticks(range(len(names)), names, fontsize=6, rotation=90)
    axis.set_xlabel(
        f"found; {int(known.sum())} pictures came with a class" if known.any() else "no class told"
    )


def _draw_risk(axis: Any, result: xr.DataTree) -> None:
    coverage, risk = dict(model_of(result).metadata).get("risk_coverage", [[], []])
    axis.plot(coverage, risk, color=OKABE_ITO[0])
    axis.set_xlim(0, 1)
    axis.set_ylim(0, None)
    axis.set_xlabel("share of held-out pictures with an answer")
    axis.set_ylabel("share of wrong answers")
