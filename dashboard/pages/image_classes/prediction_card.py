"""The prediction for one picture: class, probability, evidence, similar pictures."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from dashboard.kit import Work, choice, escape, markup, png_source
from dashboard.pages.image_classes.plots import paint_evidence, paint_parts
from dashboard.pages.image_classes.state import (
    ImageSelection,
    PartsMap,
    Prediction,
    class_names,
    explain_image,
)
from dashboard.workspace.session import Session
from engine.schema import columns as c

HINT: Final = (
    '<p class="empty">Drop pictures anywhere on this page, or open a folder of them and press Run. The answer'
    " for the chosen picture stands here.</p>"
)
CHOOSE: Final = '<p class="empty">Choose a picture below: its answer stands here.</p>'
GIVE: Final = "give it a class …"
N_SAID: Final = 3
"""Classes of parts that are named, the most frequent."""
ASKING: Final = "no class to give yet"


class PredictionCard:
    """The chosen picture; `give` is called with the label that a person says it has."""

    def __init__(
        self, session: Session, pictures: ImageSelection, work: Work, *, give: Callable[[int], None]
    ) -> None:
        self.session, self.pictures, self.work, self.give = session, pictures, work, give
        self.root = markup(HINT)
        self.classes = choice({ASKING: 0}, "give-class", label="class to give the chosen picture", width=180)
        self.classes.param.watch(self._give, "value")
        session.param.watch(self._show, "object_id")
        pictures.param.watch(self._show, "every")
        session.param.watch(self._offer, ["result", "object_id"])
        self._offer()

    def _offer(self, *_: Any) -> None:
        result = self.session.result
        names = {} if result is None or not self.session.object_id else class_names(result)
        options = {GIVE if names else ASKING: 0, **{name: label for label, name in names.items()}}
        self.classes.param.update(options=options, value=0, disabled=not names)

    def _give(self, event: Any) -> None:
        if event.new:
            self.classes.value = 0
            self.give(int(event.new))

    def _show(self, *_: Any) -> None:
        stack, result = self.session.stack, self.session.result
        row = self.pictures.row(self.session.object_id)
        if row is None or stack is None or result is None:
            self.root.object = HINT if result is None else CHOOSE
            return
        number = self.session.object_id

        def show(html: str) -> None:
            if self.session.object_id == number and self.session.result is result:
                self.root.object = html

        self.work.run(lambda: prediction_html(explain_image(stack, result, row)), show, key="answer")


def prediction_html(prediction: Prediction) -> str:
    """Return the HTML of the card of a picture."""
    row = prediction.row
    has_evidence = np.isfinite(prediction.evidence).all()
    beside = paint_evidence(prediction.picture, prediction.evidence)
    caption = (
        "<i class='for'></i>speaks for this class <i class='against'></i>against it"
        if has_evidence
        else "this network does not tell what speaks for a class"
    )
    kind = "answer mapped" if prediction.parts else "answer"
    return (
        f"<div class='{kind}' data-object='{int(row['object'])}' data-file='{escape(row[c.FILE])}'>"
        f"<figure><img id='answer-picture' src='{png_source(prediction.picture)}'"
        f" alt='{escape(row[c.FILE])}'>"
        f"<figcaption title='{escape(row[c.FILE])}'>{escape(row[c.FILE])}</figcaption></figure>"
        f"<figure><img id='answer-evidence' src='{png_source(beside)}' alt='what speaks for the class'>"
        f"<figcaption>{caption}</figcaption></figure>"
        f"{_map(prediction.parts)}"
        f"<div class='said'>{_headline(row)}{_bars(row)}{_details(row)}"
        f"{_reference_images(prediction)}</div></div>"
    )


def _map(parts: PartsMap | None) -> str:
    """Return the map of what the parts of a large picture show."""
    if parts is None:
        return ""
    painted = paint_parts(parts.picture, parts.colors, parts.top, parts.left, parts.tile)
    most = sorted((-n, name) for name, n in parts.counts.items() if n)[:N_SAID]
    said = ", ".join(f"{name} {-n}" for n, name in most) or "none with an answer"
    return (
        f"<figure><img id='answer-map' src='{png_source(painted)}' alt='what its parts show'>"
        f"<figcaption title='{escape(said)}'>parts: {escape(said)}</figcaption></figure>"
    )


def _headline(row: Mapping[str, Any]) -> str:
    name = escape(row[c.NAME])
    dot = f"<i class='dot' style='background:{escape(row[c.COLOR])}'></i>"
    if row[c.REVIEWED]:
        return f"<h3 id='answer-class'>{dot}{name}</h3><p class='note'>✓ class given by a person</p>"
    if row[c.UNLIKE]:
        return (
            "<h3 id='answer-class' class='unlike'>Unlike anything seen</h3>"
            f"<p class='note'>The model learned from no picture like this one; nearest: {name}.</p>"
        )
    if row[c.ABSTAINED]:
        return (
            "<h3 id='answer-class' class='unsure'>Not sure</h3>"
            f"<p class='note'>{name} or {escape(row['second_name'])}?</p>"
        )
    return f"<h3 id='answer-class'>{dot}{name}</h3>"


def _bars(row: Mapping[str, Any]) -> str:
    """Return the probability of the class; of the two best where the model is not sure."""
    if row[c.REVIEWED]:
        return ""
    shown = [(row[c.NAME], row["first_share"])]
    if row[c.ABSTAINED]:
        shown.append((row["second_name"], row["second_share"]))
    lines = "".join(
        f"<span>{escape(name)}</span><span class='share'><i style='width:{100 * share:.0f}%'></i></span>"
        f"<b>{100 * share:.0f} %</b>"
        for name, share in shown
        if np.isfinite(share)
    )
    return f"<div class='bars' title='probability'>{lines}</div>"


def _details(row: Mapping[str, Any]) -> str:
    size = float(row[c.PIXEL_SIZE])
    facts = [f"pixel {size:.4g} nm" if np.isfinite(size) else "pixel size unknown"]
    if np.isfinite(row[c.NOVELTY]):
        facts.append(f"novelty {row[c.NOVELTY]:.2f} of 1")
    if row["truth_name"]:
        right = row[c.TRUTH] == row[c.CLASS]
        facts.append(f"labelled {row['truth_name']}{' ✓' if right else ''}")
    return f"<p class='facts'>{' · '.join(map(escape, facts))}</p>"


def _reference_images(prediction: Prediction) -> str:
    if not prediction.similar:
        return ""
    tiles = "".join(
        f"<figure title='{escape(reference.file)}: {escape(reference.name)}'"
        f" style='--class:{escape(reference.color)}'>"
        f"<img src='{png_source(reference.thumbnail)}' alt='{escape(reference.name)}'>"
        f"<figcaption>{escape(reference.name)}</figcaption></figure>"
        for reference in prediction.similar
    )
    return f"<p class='note'>Most alike, of those it learned from</p><div class='alike'>{tiles}</div>"
