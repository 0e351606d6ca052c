"""Cards: pictures of each class, the confusion matrix of labels and answers, metrics of the model."""

from collections.abc import Callable
from typing import Any, Final

from dashboard.components import Listing, Matrix, Shares
from dashboard.kit import Work, button, markup
from dashboard.pages.image_classes.state import (
    ImageSelection,
    class_names,
    count_rows,
    group_by_truth,
    metric_rows,
)
from dashboard.workspace.session import Session

LEAST_REVIEWED: Final = 2
"""Pictures that a person must have given a class before the others are classified again."""
METRICS: Final = [
    {"name": "name", "title": "class"},
    {"name": "precision", "title": "precision", "number": True},
    {"name": "recall", "title": "recall", "number": True},
    {"name": "f1", "title": "F1 (95 %)", "number": True},
    {"name": "support", "title": "n", "number": True},
]


class ClassesCard:
    """Classes with their pictures and the key that gives each; `retrain` classifies the others again."""

    def __init__(
        self, session: Session, pictures: ImageSelection, work: Work, *, retrain: Callable[[], None]
    ) -> None:
        self.session, self.pictures = session, pictures
        self.shares = Shares(
            listener=lambda message: work.post(lambda: self._select(int(message["label"]))),
            empty="After Run: how many pictures are of which class.",
        )
        self.retrain = button("judge the others again", "retrain", retrain, margin=0)
        self.note = markup("")
        pictures.param.watch(self._draw, "every")
        session.param.watch(lambda event: setattr(self.shares, "selected", list(event.new)), "selected")
        self._draw()

    def _select(self, label: int) -> None:
        self.session.select([] if self.session.selected == [label] else [label])

    def _draw(self, *_: Any) -> None:
        rows = self.pictures.every
        unsure, unlike, reviewed = (
            int(rows[name].astype(bool).sum()) for name in ("abstained", "unlike", "reviewed")
        )
        counts_of_states = {"not sure": unsure - unlike, "unlike anything seen": unlike, "reviewed": reviewed}
        parts = [f"{n} {what}" for what, n in counts_of_states.items() if n > 0]
        note = ", ".join([f"{len(rows)} picture{'s' * (len(rows) != 1)}", *parts])
        self.shares.param.update(rows=count_rows(self.session.result, rows), note=note if len(rows) else "")
        few = reviewed < LEAST_REVIEWED
        self.retrain.disabled = few
        why = "" if len(rows) else "Press Run first: "
        self.note.object = (
            f'<p class="note" id="retrain-why">{why}“judge the others again” learns from what you say; give'
            f" {LEAST_REVIEWED} or more pictures a class with the keys.</p>"
            if few
            else ""
        )


class TruthCard:
    """Confusion matrix of labels and answers; `show` gets the pictures of a cell."""

    def __init__(
        self,
        session: Session,
        pictures: ImageSelection,
        work: Work,
        *,
        show: Callable[[list[int], str], None],
    ) -> None:
        self.session, self.pictures, self.show = session, pictures, show
        self.labels: list[int] = []
        self.matrix = Matrix(
            what="pictures",
            corner="label ↓ answer →",
            rows_are="labelled",
            columns_are="answered",
            numbered=True,
            listener=lambda message: work.post(lambda: self._open(message)),
            empty="Where pictures come with a class (a folder a class, or labels.csv), here stands how often"
            " the answer is the same.",
        )
        self.metrics = Listing(
            css_classes=["bare"],
            columns=METRICS,
            empty="After Run: how good the model is, class by class, on pictures held out when it learned.",
        )
        pictures.param.watch(self._draw, "every")

    def _open(self, message: Any) -> None:
        truth, found = int(message["truth"]), int(message["found"])
        self.matrix.chosen = [truth, found]
        numbers = group_by_truth(self.pictures.every).get((self.labels[truth], self.labels[found]), [])
        names = self.matrix.names
        self.show(numbers, f"labelled {names[truth]} and answered {names[found]}")

    def _draw(self, *_: Any) -> None:
        result = self.session.result
        names = {} if result is None else class_names(result)
        found, self.labels = group_by_truth(self.pictures.every), list(names)
        total = sum(map(len, found.values()))
        right = sum(len(numbers) for (truth, label), numbers in found.items() if truth == label)
        counts = [[len(found.get((t, f), [])) for f in names] for t in names] if total else []
        self.matrix.param.update(
            names=list(names.values()),
            counts=counts,
            chosen=[],
            note=f"{right} of {total} labelled pictures were answered as labelled." if total else "",
        )
        self.metrics.rows = metric_rows(result)
