"""The Train tab: labelled frames, settings, live curves, and the models that came of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import holoviews as hv
import pandas as pd
import panel as pn
import param

from dashboard.kit import WIDGET_STYLE, Listing, Work, button, markup, settings_form
from dashboard.plots import training as plots
from dashboard.state import training
from dashboard.state.library import Library
from dashboard.theme import class_colors
from dashboard.views.charts import chart_pane
from dashboard.views.job_runner import JobRunner
from engine import catalogue, pipeline

MAIN: Final = ("n_steps", "minutes", "network", "loss")


class TrainPanel(param.Parameterized):
    """Teach a network and choose which one is applied; `use` gets the folder of a model."""

    rows = param.DataFrame(pd.DataFrame(), doc="Figures of each epoch of the training that is shown.")

    def __init__(
        self, analysis: str, simulator: str, library: Library, work: Work, use: Callable[[Path], None]
    ) -> None:
        super().__init__()
        self.analysis, self.library, self.work, self.use = analysis, library, work, use
        self.folder = pn.widgets.TextInput(
            name="folder of labelled frames",
            placeholder="mosaic",
            sizing_mode="stretch_width",
            stylesheets=[WIDGET_STYLE],
            margin=(0, 5, 5, 0),
            css_classes=["train-folder"],
        )
        self.simulated = catalogue.find("simulators", simulator)(n_frames=8, size=512)
        self.simulator = simulator
        self.settings = catalogue.find("analyses", analysis)()
        taught = [n for n in self.settings.setting_names() if n in self.settings.fit_only]
        self.note = markup("")
        self.main = self._main(settings_form(self.settings, [n for n in MAIN if n in taught]))
        self.more = settings_form(self.settings, [n for n in taught if n not in MAIN])
        self.runner = JobRunner(library, work, on_run=self.start, on_done=self._done, on_look=self._follow)
        self.models = Listing(
            listener=lambda message: work.post(lambda: self._take(message["id"])),
            empty="No models yet: train one.",
        )
        self.board = self._board()
        self.chosen = ""
        self.refresh()

    def start(self) -> None:
        """Submit the training that the settings say."""
        text, given = str(self.folder.value or ""), self.settings.settings()
        taught = {name: value for name, value in given.items() if name in self.settings.fit_only}
        self.rows = pd.DataFrame()
        self.runner.start(
            lambda: pipeline.make_lesson(self.analysis, training.folder_of(self.library, text), **taught)
        )

    def suggest(self, folder: str) -> None:
        """Name the folder of the open frame, unless the user named one."""
        if not self.folder.value:
            self.folder.value = folder

    def refresh(self) -> None:
        """Look which models there are."""
        self.work.run(lambda: training.models(self.library, self.analysis), self._list, key="models")

    def _main(self, form: Any) -> Any:
        """What goes in: frames, the main settings."""
        wide = {"sizing_mode": "stretch_width", "margin": 0}
        simulate = settings_form(self.simulated, self.simulated.setting_names())
        make = button("simulate frames", "simulate-frames", self._simulate)
        return pn.Column(self.folder, simulate, make, self.note, form, css_classes=["train-main"], **wide)

    def _board(self) -> Any:
        """What comes out: curves and models."""
        full = {"sizing_mode": "stretch_both", "margin": 0}
        scores = self._chart(lambda rows: plots.curves(rows, colors=_colors(rows)), "scores")
        charts = pn.Row(self._chart(plots.loss, "loss"), scores, **full)
        return pn.Column(charts, self.models, css_classes=["train-board"], **full)

    def _list(self, found: list[training.Trained]) -> None:
        names = list(dict.fromkeys(name for model in found for name in model.f1))
        self.models.columns = [
            {"name": "title", "title": "model", "long": True},
            {"name": "judged", "title": "held out"},
            *({"name": name, "title": f"F1 {name}", "number": True} for name in names),
        ]
        self.models.rows = [
            {
                "id": model.id or "shipped",
                "title": model.title + (" · in use" if model.id == self.chosen else ""),
                "judged": model.judged_on,
                **{name: f"{value:.3f}" for name, value in model.f1.items()},
                "actions": [{"do": "use", "label": "use this one", "off": model.id == self.chosen}],
            }
            for model in found
        ]
        self.found = {model.id or "shipped": model for model in found}

    def _take(self, id: str) -> None:
        model = self.found[id]
        self.chosen = model.id
        self.use(model.folder)
        self.rows = training.history(model.folder)
        self.refresh()

    def _done(self, id: str) -> None:
        self._follow(id)
        self.refresh()

    def _follow(self, id: str) -> None:
        rows = training.curves(self.library, id) if id else pd.DataFrame()
        if len(rows) != len(self.rows):
            self.rows = rows

    def _simulate(self) -> None:
        settings = self.simulated.settings()
        self.note.object = '<p class="note">Simulating …</p>'

        def show(folder: Path) -> None:
            self.folder.value = str(folder)
            self.note.object = f'<p class="note" id="simulated">{settings["n_frames"]} frames are ready.</p>'

        self.work.run(
            lambda: training.simulate(self.library, self.simulator, settings),
            show,
            key="simulate",
            failed=lambda: setattr(self.note, "object", ""),
        )

    def _chart(self, draw: Callable[[pd.DataFrame], Any], name: str) -> Any:
        streams = hv.streams.Params.from_params({"rows": self.param.rows})
        pane = chart_pane(hv.DynamicMap(draw, streams=streams), options={"yticks": 5})
        pane.css_classes = ["chart", f"train-{name}"]
        return pane


def _colors(rows: pd.DataFrame) -> dict[str, str]:
    names = [str(n).removeprefix(plots.F1) for n in rows.columns if str(n).startswith(plots.F1)]
    return dict(zip(names, class_colors(len(names)), strict=True))
