"""The Micrographs page: pictures sorted into classes, what speaks for each answer, and correcting them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.components import Tabs
from dashboard.kit import UNSEEN_LABEL, WIDGET_STYLE, button, setting
from dashboard.pages.base import Page, PageContext
from dashboard.pages.image_classes.cards import ClassesCard, TruthCard
from dashboard.pages.image_classes.drop_zone import ImageDropZone
from dashboard.pages.image_classes.gallery import ImageGallery, ImageTable
from dashboard.pages.image_classes.prediction_card import PredictionCard
from dashboard.pages.image_classes.state import ImageSelection, class_names, find_changed_images
from dashboard.pages.workbench import LABEL_OF_ZERO, Workbench
from dashboard.views.gallery import next_in_doubt
from dashboard.views.train_panel import PICTURES, TrainPanel
from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.image_collection import file_names, open_image_folder

ANALYSIS: Final = "micrographs"
TABS: Final = {"frame": "Classify", "train": "Train"}
VIEWS: Final = {"gallery": "Gallery", "table": "Table"}
KEYS: Final = (
    '<div class="status"><span><b>1</b>–<b>9</b>, <b>0</b> give the chosen picture a class and go to the next'
    " in doubt</span><span><b>N</b> <b>P</b> next, previous</span><span><b>Ctrl Z</b> undo</span></div>"
)


class ImageClassesPage:
    """The parts of one tab and how they act on each other."""

    def __init__(self, context: PageContext) -> None:
        self.bench = Workbench(
            context,
            ANALYSIS,
            read=self._read_query,
            write=self._write_query,
            press=self._press,
            unit="nm",
            missing="Open a folder of pictures first, or drop some.",
        )
        self.session = context.session
        session, workspace, work = context.session, context.workspace, context.work
        self.pictures = ImageSelection()
        self.gallery = ImageGallery(session, self.pictures, work)
        self.table = ImageTable(session, self.pictures, work, self.gallery)
        self.card = PredictionCard(session, self.pictures, work, give=self._relabel)
        self.shares = ClassesCard(session, self.pictures, work, retrain=self._retrain)
        self.truth = TruthCard(session, self.pictures, work, show=self.gallery.show_only)
        self.drop = ImageDropZone(workspace, work, on_done=self._classify_upload)
        self.train = TrainPanel(PICTURES, session, workspace, work)
        self.bench.export.bar.format = "html"
        self.bench.controls.bar.hint = "say what each of these pictures shows"
        self.bench.status.text.object = KEYS
        self.bench.url.watch("object_id")
        self.bench.data.after_result.append(self._choose_first)
        context.closing.extend([self.train.runner.close, self.drop.close])

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        steps = pn.Row(
            button("‹ P", "picture-before", lambda: self.gallery.step(-1), margin=(0, 2, 0, 4)),
            button("N ›", "picture-after", lambda: self.gallery.step(1), margin=0),
            margin=0,
        )
        own = {
            "tabs": Tabs(names=TABS, value="frame", of="micrographs"),
            "views": Tabs(
                names=VIEWS,
                value="gallery",
                of="pictures",
                css_classes=["bare"],
                sizing_mode="fixed",
                width=150,
            ),
            "drop": self.drop.zone,
            "answer": self.card.root,
            "give": self.card.classes,
            "steps": steps,
            "filter": pn.Row(
                _make_compact_setting(self.pictures, "kind"),
                _make_compact_setting(self.pictures, "state"),
                margin=0,
            ),
            "gallery": self.gallery.gallery,
            "table": self.table.table,
            "shares": self.shares.shares,
            "retrain": self.shares.retrain,
            "why": self.shares.note,
            "matrix": self.truth.matrix,
            "metrics": self.truth.metrics,
        }
        return self.bench.parts() | own | self.train.parts()

    def _choose_first(self, result: Result) -> None:
        """Choose the picture that is most in doubt, unless one is chosen."""
        del result
        if not self.session.object_id:
            self.session.object_id = int(next(iter(self.pictures.shown["object"]), 0))

    def _read_query(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the chosen picture from the URL."""
        names = file_names(stack)
        if query.get("image") in names:
            self.session.object_id = names.index(query["image"]) + 1

    def _write_query(self, stack: Stack) -> dict[str, str]:
        """Return the chosen picture."""
        names, number = file_names(stack), self.session.object_id
        return {"image": names[number - 1]} if 0 < number <= len(names) else {}

    def _press(self, key: str) -> bool:
        """Go on by N and P; give the chosen picture a class by 1 to 9 and 0."""
        if key in ("n", "p"):
            self.gallery.step(1 if key == "n" else -1)
            return True
        if not key.isdigit() or not self.session.object_id:
            return False
        self._relabel(int(key) or LABEL_OF_ZERO)
        return True

    # ------------------------------------------------------------ uploads
    def _classify_upload(self, address: str) -> None:
        """Open pictures that were dropped and run at once."""
        bench, context = self.bench, self.bench.context

        def show(stack: Stack) -> None:
            bench.url.ready = True
            bench.data.show_stack(stack)
            if bench.controls.is_running:
                context.tell("A run is under way; press Run for the dropped pictures when it has ended.")
            elif bench.controls.bar.reason:
                context.tell(bench.controls.bar.reason, "error")
            else:
                bench.controls.run()

        context.work.run(
            lambda: open_image_folder(context.workspace, address),
            show,
            key="open",
            failed=bench.data.show_nothing,
        )

    # ------------------------------------------------------------ classes from a person
    def _relabel(self, label: int) -> None:
        """Give the chosen picture a class and go on to the next in doubt."""
        result = self.session.result
        if result is None or label not in class_names(result) or not self.session.object_id:
            return
        after = next_in_doubt(self.gallery.objects, self.session.object_id)
        self.bench.classes.edit("relabel_images", images=[self.session.object_id - 1], label=label)
        if after:
            self.gallery.choose(after)

    def _retrain(self) -> None:
        """Learn from what was reviewed, and show what changed."""

        def report() -> None:
            numbers = find_changed_images(self.session.earlier[-1], self.session.result)
            self.bench.context.tell(f"Judged again: {len(numbers)} pictures changed their class.", "success")
            self.gallery.show_only(numbers, "pictures that changed their class")

        self.bench.classes.edit("retrain", done=report)


def _make_compact_setting(pictures: ImageSelection, name: str) -> Any:
    unseen = {"stylesheets": [WIDGET_STYLE, UNSEEN_LABEL], "sizing_mode": "fixed", "width": 168}
    return setting(pictures, name, **unseen)


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    page = ImageClassesPage(context)
    pn.state.onload(page.bench.data.start)
    return page.parts()


PAGE: Final = Page(
    slug="micrographs", title="Micrographs", layout="micrographs.html", build=build, analysis=ANALYSIS
)
