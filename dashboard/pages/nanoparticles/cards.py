"""Cards: the particle under the cursor or the chosen one, fractions, agreement with the model."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from dashboard import theme
from dashboard.components import Matrix, Shares
from dashboard.kit import Work, button, escape, markup, png_source
from dashboard.pages.nanoparticles.plots import plot_spectrum
from dashboard.pages.nanoparticles.state import (
    compare_with_model,
    describe_corrected_fractions,
    fraction_rows,
    grey_range,
    micrograph_rows,
    read_crop,
)
from dashboard.workspace.datasets import Stack
from dashboard.workspace.object_table import ObjectSelection
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine.nanoparticles.crops import grey
from engine.nanoparticles.tables import JUDGED
from engine.schema import columns as c

HINT: Final = '<p class="empty">Move over a particle, or click one; N and P go on, 1–4 give it a class.</p>'
SIDE: Final = 122
"""Edge of the pictures on screen."""


class ParticleCard:
    """A particle close up, its spectrum with the measured peaks, and its numbers."""

    def __init__(self, session: Session, objects: ObjectSelection, workspace: Workspace, work: Work) -> None:
        self.session, self.objects, self.workspace, self.work = session, objects, workspace, work
        self.root = markup(HINT)
        self.shown = 0
        session.param.watch(lambda event: self.show(event.new), "object_id")
        objects.param.watch(lambda _: self.show(self.shown, anew=True), "every")

    def show(self, number: int, *, anew: bool = False) -> None:
        """Show a particle; 0: the chosen one, if any."""
        number = number or self.session.object_id
        stack, row = self.session.stack, self.objects.row(number)
        if row is None or stack is None:
            self.shown, self.root.object = 0, HINT
        elif number != self.shown or anew:
            self.shown = number
            units = self._units()
            self.work.run(
                lambda: card_html(self.workspace, stack, row, units),
                lambda html: setattr(self.root, "object", html),
                key="particle",
            )

    def _units(self) -> str:
        result = self.session.result
        return "px" if result is None else str(result.objects[c.RADIUS].attrs.get("units", "px"))


def card_html(workspace: Workspace, stack: Stack, row: dict[str, Any], units: str) -> str:
    """Return pictures and numbers of a particle as HTML; reads its micrograph: call it in a thread.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    stack
        The opened data.
    row
        Row of the table of objects or images.
    units
        Unit of lengths.

    Returns
    -------
    str
        HTML of the card.
    """
    values = read_crop(workspace, stack, row)
    image = png_source(grey(values, grey_range(workspace, stack, int(row["image"]))))
    facts = [
        f"{row[c.NAME]} ({row['confidence']:.2f})" + (" ✓ reviewed" if row[c.REVIEWED] else ""),
        f"⌀ {2 * row[c.RADIUS]:.3g} {units}",
        *_lattice_facts(row, units),
        *(["touches the edge"] if row[c.TOUCHES_EDGE] else []),
    ]
    lines = "".join(f"<p>{escape(fact)}</p>" for fact in facts)
    return (
        f"<div class='particle' id='particle-card' data-object='{row['object']}'>"
        f"<figure><img src='{image}' alt='particle {row['object']}'>"
        f"<figcaption>{row['object']}</figcaption></figure>"
        f"<figure><img id='fft' src='{png_source(plot_spectrum(values))}' alt='spectrum of the particle'>"
        f"{_peaks(row, _pixel(row))}<figcaption>FFT</figcaption></figure><div>{lines}</div></div>"
    )


def _lattice_facts(row: dict[str, Any], units: str) -> list[str]:
    if not row[c.RESOLVED]:
        return ["no lattice resolved"]
    facts = [
        f"d {row[c.SPACING]:.4g} ± {row[c.SPACING_ERROR]:.1g} {units}",
        f"at {row[c.DIRECTION]:.1f} ± {row[c.DIRECTION_ERROR]:.1g}°",
    ]
    if np.isfinite(row[c.SPACING_2]):
        facts.append(f"d₂ {row[c.SPACING_2]:.4g} {units} at {row[c.DIRECTION_2]:.1f}°")
    return facts


def _pixel(row: dict[str, Any]) -> float:
    """Edge of a pixel in the units of the particle's radius."""
    return float(row[c.RADIUS] / np.sqrt(row[c.AREA] / np.pi))


def _peaks(row: dict[str, Any], size: float) -> str:
    """Circles round the measured peaks in the spectrum, which reaches to half a cycle a pixel."""
    circles = []
    for spacing, angle in ((row[c.SPACING], row[c.DIRECTION]), (row[c.SPACING_2], row[c.DIRECTION_2])):
        if not np.isfinite(spacing):
            continue
        turn, far = np.deg2rad(angle), SIDE * size / spacing
        for sign in (-1, 1):
            x, y = SIDE / 2 + sign * far * np.cos(turn), SIDE / 2 + sign * far * np.sin(turn)
            circles.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='7'/>")
    style = f"fill='none' stroke='{theme.PEAK_RING}' stroke-width='1.5'"
    return f"<svg viewBox='0 0 {SIDE} {SIDE}' {style}>{''.join(circles)}</svg>"


class SharesCard:
    """Fractions of the population with intervals."""

    def __init__(self, session: Session, objects: ObjectSelection, work: Work) -> None:
        self.session, self.objects = session, objects
        self.shares = Shares(
            listener=lambda message: work.post(lambda: self._select(int(message["label"]))),
            empty="After Run: which share of the particles is of which class, and how sure that is.",
        )
        session.param.watch(self._draw, "result")
        session.param.watch(lambda event: setattr(self.shares, "selected", list(event.new)), "selected")

    def _select(self, label: int) -> None:
        if label == 0:
            self.objects.kind = JUDGED[-1]
        else:
            self.session.select([] if self.session.selected == [label] else [label])

    def _draw(self, *_: Any) -> None:
        result = self.session.result
        rows, table = fraction_rows(result), micrograph_rows(result)
        note = ""
        if result is not None and result.objects is not None and len(table):
            unsure = int(result.objects[c.ABSTAINED].values.sum())
            note = f"{int(table[c.N_PARTICLES].sum())} particles in {len(table)} micrographs" + (
                f", {unsure} undecided" if unsure else ""
            )
        corrected = describe_corrected_fractions(result)
        self.shares.param.update(rows=rows, note=f"{note}; {corrected}" if corrected else note)


class AgreementCard:
    """Confusion matrix of what people and the model say, and Retrain; `open` shows particles by number."""

    def __init__(
        self,
        session: Session,
        work: Work,
        *,
        show: Callable[[list[int], str], None],
        retrain: Callable[[], None],
    ) -> None:
        self.session, self.show = session, show
        self.matrix = Matrix(
            names=list(JUDGED),
            listener=lambda message: work.post(lambda: self._open(message)),
            empty="Give particles a class, or confirm it, with the keys 1–4: here stands how often the model"
            " said the same.",
        )
        self.retrain = button("retrain", "retrain", retrain, margin=0)
        session.param.watch(self._draw, "result")
        self._draw()

    def _open(self, message: Any) -> None:
        truth, found = int(message["truth"]), int(message["found"])
        self.matrix.chosen = [truth, found]
        numbers = compare_with_model(self.session.result).get((truth, found), [])
        self.show(numbers, f"that you call {JUDGED[truth]} and the model {JUDGED[found]}")

    def _draw(self, *_: Any) -> None:
        cells = compare_with_model(self.session.result)
        total = sum(map(len, cells.values()))
        counts = [[len(cells.get((t, f), [])) for f in range(len(JUDGED))] for t in range(len(JUDGED))]
        right = sum(len(numbers) for (truth, found), numbers in cells.items() if truth == found)
        self.retrain.disabled = total < 2
        self.matrix.param.update(
            counts=counts if total else [],
            chosen=[],
            note=f"The model, asked without knowing your answer, agrees on {right} of {total}."
            if total
            else "",
        )
