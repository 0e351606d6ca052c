"""The Micrographs page: pictures sorted into classes, what speaks for each answer, and correcting them."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.components import Tabs
from dashboard.kit import UNSEEN_LABEL, WIDGET_STYLE, button, setting
from dashboard.pages.base import Page, PageContext
from dashboard.pages.workbench import LABEL_OF_ZERO, Workbench
from dashboard.workspace.workspace import Result, Stack
from dashboard.pages.nanoparticles.state import file_names
from dashboard.pages.image_classes.state import ImageSelection, find_changed_images, class_names, open_image_folder
from dashboard.pages.image_classes.prediction_card import PredictionCard
from dashboard.pages.image_classes.drop_zone import ImageDropZone
from dashboard.pages.image_classes.cards import ClassesCard, TruthCard
from dashboard.pages.image_classes.gallery import ImageGallery, ImageTable
from dashboard.views.train_panel import PICTURES, TrainPanel
from engine.recipe import Step

TABS: Final = {"frame": "Classify", "train": "Train"}
VIEWS: Final = {"gallery": "Gallery", "table": "Table"}
KEYS: Final = (
    '<div class="status"><span><b>1</b>–<b>9</b>, <b>0</b> give the chosen picture a class and go to the next'
    " in doubt</span><span><b>N</b> <b>P</b> next, previous</span><span><b>Ctrl Z</b> undo</span></div>"
)

BODY: Final = """
<div class="maps" id="micrographs">
  <section class="rail" aria-label="what goes in">
    <div class="card"><h2>Pictures<small>{{ embed(roots.change) }}</small></h2>{{ embed(roots.data) }}
      {{ embed(roots.drop) }}</div>
    <div class="card tabbed" id="run-card">{{ embed(roots.tabs) }}
      <div class="of-frame">{{ embed(roots.settings) }}{{ embed(roots.job) }}{{ embed(roots.model) }}</div>
      <div class="of-train" id="train">{{ embed(roots.train_folder) }}
        <details id="simulate"><summary>simulate labelled pictures</summary>
          {{ embed(roots.train_simulate) }}</details>
        {{ embed(roots.train_main) }}
        <details><summary>more</summary>{{ embed(roots.train_more) }}</details>
        {{ embed(roots.train_job) }}</div></div>
    <div class="card of-frame"><h2>Export<small>{{ embed(roots.code) }}</small></h2>
      {{ embed(roots.export) }}</div>
  </section>
  <section class="centre" aria-label="pictures">
    <div class="card of-frame" id="answer"><h2>Answer<small>
      {{ embed(roots.give) }}{{ embed(roots.steps) }}</small></h2>{{ embed(roots.answer) }}</div>
    <div class="card bar of-frame">{{ embed(roots.views) }}<span class="gap"></span>
      {{ embed(roots.filter) }}</div>
    <div class="card of-frame" id="pictures"><div class="as-gallery">{{ embed(roots.gallery) }}</div>
      <div class="as-table">{{ embed(roots.table) }}</div></div>
    <div class="card board of-train" id="board">
      <h2>How it learns<small>{{ embed(roots.train_of) }}</small></h2>
      {{ embed(roots.train_curves) }}
      <h2>Models<small>judged on pictures held out; 1 is faultless</small></h2>
      {{ embed(roots.train_models) }}</div>
  </section>
  <section class="right" aria-label="what came out">
    <div class="card" id="shares"><h2>Classes<small>{{ embed(roots.retrain) }}</small></h2>
      {{ embed(roots.shares) }}{{ embed(roots.why) }}</div>
    <div class="card" id="truth"><h2>Labels and answers</h2>{{ embed(roots.matrix) }}</div>
    <div class="card" id="judged"><h2>How good the model is<small>pictures held out</small></h2>
      {{ embed(roots.judged) }}</div>
  </section>
  <footer class="status">{{ embed(roots.status) }}{{ embed(roots.history) }}</footer>
</div>
<div class="hidden-root">{{ embed(roots.keys) }}{{ embed(roots.browser) }}</div>
"""


class ImageClassesPage(Workbench):
    """All parts of one visit and how they hang together."""

    analysis = "micrographs"
    unit = "nm"
    missing = "Open a folder of pictures first, or drop some."

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        session, workspace, work = self.session, context.workspace, context.work
        self.pictures = ImageSelection()
        self.gallery = ImageGallery(session, self.pictures, work)
        self.table = ImageTable(session, self.pictures, work, self.gallery)
        self.card = PredictionCard(session, self.pictures, work, give=self._relabel)
        self.shares = ClassesCard(session, self.pictures, work, retrain=self._retrain)
        self.truth = TruthCard(session, self.pictures, work, show=self.gallery.show_only)
        self.drop = ImageDropZone(workspace, work, on_done=self._dropped)
        self.train = TrainPanel(PICTURES, session, workspace, work)
        self.export.bar.format = "html"
        self.controls.bar.hint = "say what each of these pictures shows"
        self.status.text.object = KEYS
        session.param.watch(self.write_url, ["stack", "result", "selected", "object_id"])
        context.closing.extend([self.train.runner.close, self.drop.close])

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        steps = pn.Row(
            button("‹ P", "picture-before", lambda: self.gallery.step(-1), margin=(0, 2, 0, 4)),
            button("N ›", "picture-after", lambda: self.gallery.step(1), margin=0),
            margin=0,
        )
        parts = super().parts() | {
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
            "settings": self.controls.main,
            "answer": self.card.root,
            "give": self.card.classes,
            "steps": steps,
            "filter": pn.Row(_unseen(self.pictures, "kind"), _unseen(self.pictures, "state"), margin=0),
            "gallery": self.gallery.gallery,
            "table": self.table.table,
            "shares": self.shares.shares,
            "retrain": self.shares.retrain,
            "why": self.shares.note,
            "matrix": self.truth.matrix,
            "judged": self.truth.judged,
        }
        del parts["classes"]
        return parts | self.train.parts()

    def load(self, address: str, steps: tuple[Step, ...]) -> Stack:
        """Open a picture or a folder of them."""
        return open_image_folder(self.context.workspace, address, steps)

    def segmented(self, result: Result) -> None:
        """Show a result, and of it the picture that is most in doubt, unless one is chosen."""
        super().segmented(result)
        if not self.session.object_id:
            self.session.object_id = int(next(iter(self.pictures.shown["object"]), 0))

    def restore(self, query: Mapping[str, str], stack: Stack) -> None:
        """Take the chosen picture from the URL."""
        super().restore(query, stack)
        names = file_names(stack)
        if query.get("image") in names:
            self.session.object_id = names.index(query["image"]) + 1

    def query(self, stack: Stack) -> dict[str, str]:
        """The chosen picture."""
        names, number = file_names(stack), self.session.object_id
        return {"image": names[number - 1]} if 0 < number <= len(names) else {}

    def press(self, key: str) -> None:
        """1–9 and 0 give the chosen picture a class, N and P go on; the rest as on every page."""
        if key in ("n", "p"):
            self.gallery.step(1 if key == "n" else -1)
        elif key.isdigit() and self.session.object_id:
            self._relabel(int(key) or LABEL_OF_ZERO)
        else:
            super().press(key)

    # ------------------------------------------------------------ dropped pictures
    def _dropped(self, address: str) -> None:
        """Open what was dropped and answer at once."""

        def show(stack: Stack) -> None:
            self.ready = True
            self.opened(stack)
            if self.controls.runner.running.active:
                self.context.tell("A run is under way; press Run for the dropped pictures when it has ended.")
            elif self.controls.bar.reason:
                self.context.tell(self.controls.bar.reason, "error")
            else:
                self.controls.run()

        self.work.run(lambda: self.load(address, ()), show, key="open", failed=self._nothing)

    # ------------------------------------------------------------ classes from a person
    def _relabel(self, label: int) -> None:
        """Give the chosen picture a class and go on to the next in doubt."""
        result = self.session.result
        if result is None or label not in class_names(result) or not self.session.object_id:
            return
        after = self.gallery.next_in_doubt()
        self.classes.edit("relabel_images", images=[self.session.object_id - 1], label=label)
        if after:
            self.gallery.choose(after)

    def _retrain(self) -> None:
        """Learn from what was reviewed, and show what changed."""

        def done() -> None:
            numbers = find_changed_images(self.session.earlier[-1], self.session.result)
            self.context.tell(f"Judged again: {len(numbers)} pictures changed their class.", "success")
            self.gallery.show_only(numbers, "pictures that changed their class")

        self.classes.edit("retrain", done=done)


def _unseen(pictures: ImageSelection, name: str) -> Any:
    unseen = {"stylesheets": [WIDGET_STYLE, UNSEEN_LABEL], "sizing_mode": "fixed", "width": 168}
    return setting(pictures, name, **unseen)


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one visit."""
    page = ImageClassesPage(context)
    pn.state.onload(page.start)
    return page.parts()


PAGE: Final = Page(slug="micrographs", title="Micrographs", body=BODY, build=build)
