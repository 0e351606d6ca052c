"""The Train tab: labelled folders, settings, live curves, and trained models."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import holoviews as hv
import pandas as pd
import panel as pn
import param

from dashboard import theme
from dashboard.components import Listing
from dashboard.kit import Work, button, choice, escape, markup, settings_form
from dashboard.plots import learning_curves as plots
from dashboard.views.charts import chart_pane
from dashboard.views.job_runner import JobRunner
from dashboard.workspace import trained_models
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine import catalogue, pipeline

MAIN: Final = ("n_steps", "minutes", "network", "loss")
WIDE: Final[dict[str, Any]] = {"sizing_mode": "stretch_width", "margin": 0}
FRAMES: Final = trained_models.TrainingSubject("unet", "frames", "mosaic", {"n_frames": 8, "size": 512})
PICTURES: Final = trained_models.TrainingSubject(
    "micrographs", "pictures", "sem", {"n_images": 200, "size": 256}
)


class LabelledFolders:
    """The choice of the labelled folder to learn from; one can be simulated."""

    def __init__(
        self,
        subject: trained_models.TrainingSubject,
        workspace: Workspace,
        work: Work,
        *,
        on_change: Callable[[], None],
    ) -> None:
        self.subject, self.workspace, self.work, self.on_change = subject, workspace, work, on_change
        what = subject.what
        self.folders = choice(
            {}, "train-folder", label=f"folder of labelled {what}", sizing_mode="stretch_width"
        )
        self.simulated = catalogue.find("simulators", subject.simulator)(**subject.simulated)
        self.note = markup("")
        form = settings_form(self.simulated, self.simulated.setting_names())
        make = button(f"simulate {what}", f"simulate-{what}", self._simulate)
        self.form = pn.Column(form, make, self.note, **WIDE)
        self.folders.param.watch(lambda _: on_change(), ["value", "options"])
        self.refresh()

    @property
    def folder(self) -> str:
        """The folder as `training.find_folder` takes it; empty where there is none."""
        return str(self.folders.value or "")

    def refresh(self, chosen: str = "") -> None:
        """Look which folders there are, and choose one."""

        def show(found: dict[str, str]) -> None:
            wanted = chosen or self.folder
            self.folders.options = found
            self.folders.value = wanted if wanted in found.values() else next(iter(found.values()), None)

        self.work.run(lambda: trained_models.list_folders(self.workspace, self.subject), show, key="labelled")

    def _simulate(self) -> None:
        settings = self.simulated.settings()
        self.note.object = '<p class="note">Simulating …</p>'

        def show(folder: str) -> None:
            self.note.object = f'<p class="note" id="simulated">The {self.subject.what} are ready.</p>'
            self.refresh(folder)

        self.work.run(
            lambda: str(trained_models.simulate_examples(self.workspace, self.subject.simulator, settings)),
            show,
            key="simulate",
            failed=lambda: setattr(self.note, "object", ""),
        )


class ModelList:
    """The models that can be applied, and which one is; `show` gets the one that is taken."""

    def __init__(
        self,
        analysis: str,
        session: Session,
        workspace: Workspace,
        work: Work,
        *,
        show: Callable[[trained_models.TrainedModel], None],
    ) -> None:
        self.analysis, self.session, self.workspace, self.work = analysis, session, workspace, work
        self.show = show
        self.table = Listing(
            listener=lambda message: work.post(lambda: self._take(message["id"])),
            empty="No models yet: train one.",
        )
        self.note = markup("")
        self.found: list[trained_models.TrainedModel] = []
        session.param.watch(self._draw, "model")
        self.refresh()

    def refresh(self) -> None:
        """Look which models there are."""

        def show(found: list[trained_models.TrainedModel]) -> None:
            first, self.found = not self.found, found
            self._draw()
            for model in [model for model in found if first and self._is_used(model)]:
                self.show(model)

        self.work.run(lambda: trained_models.list_models(self.workspace, self.analysis), show, key="models")

    def _draw(self, *_: Any) -> None:
        names = list(dict.fromkeys(name for model in self.found for name in model.scores))
        self.table.columns = [
            {"name": "title", "title": "model", "long": True},
            {"name": "judged", "title": "tested on"},
            *({"name": name, "title": name, "number": True} for name in names),
        ]
        self.table.rows = [self._row(model) for model in self.found]
        used = next(
            (model.title for model in self.found if self._is_used(model)),
            self.session.model.name if self.session.model else "",
        )
        said = f"Network: {escape(used)}. Others are under Train." if used else "No network yet: see Train."
        self.note.object = f'<p class="note" id="model">{said}</p>'

    def _is_used(self, model: trained_models.TrainedModel) -> bool:
        return model.folder == self.session.model or (model.is_shipped and self.session.model is None)

    def _row(self, model: trained_models.TrainedModel) -> dict[str, Any]:
        used = self._is_used(model)
        why = "the next run applies this one already" if used else "apply this model in the next run"
        return {
            "id": model.id,
            "title": model.title,
            "judged": model.tested_on,
            **{name: f"{value:.3f}" for name, value in model.scores.items()},
            "actions": [
                {"do": "use", "label": "in use" if used else "use this one", "off": used, "title": why}
            ],
        }

    def _take(self, id: str) -> None:
        model = next(model for model in self.found if model.id == id)
        self.session.model = None if model.is_shipped else model.folder
        self.show(model)


class TrainPanel(param.Parameterized):
    """Training of a network, its curves, and the choice of the model that is applied."""

    rows = param.DataFrame(pd.DataFrame(), doc="Figures of each epoch of the training that is shown.")

    def __init__(
        self, subject: trained_models.TrainingSubject, session: Session, workspace: Workspace, work: Work
    ) -> None:
        super().__init__()
        analysis = subject.analysis
        self.subject, self.analysis, self.workspace = subject, analysis, workspace
        self.settings = catalogue.find("analyses", analysis)()
        fit_only = [n for n in self.settings.setting_names() if n in self.settings.training_settings()]
        self.main = settings_form(self.settings, [n for n in MAIN if n in fit_only])
        self.more = settings_form(self.settings, [n for n in fit_only if n not in MAIN])
        self.runner = JobRunner(workspace, work, on_run=self.start, on_done=self._end, on_look=self._follow)
        self.runner.bar.param.update(label="Start", hint=f"learn from these {subject.what}")
        self.frames = LabelledFolders(subject, workspace, work, on_change=self._ready)
        self.of = markup("")
        self.models = ModelList(analysis, session, workspace, work, show=self._show)
        self.curves = pn.Column(markup(no_curves(subject.what)), sizing_mode="stretch_both", margin=0)
        self._drawn = False
        self.param.watch(self._draw, "rows")
        self._ready()

    def parts(self) -> dict[str, Any]:
        """Return what is set into the page's HTML."""
        return {
            "train_folder": self.frames.folders,
            "train_simulate": self.frames.form,
            "train_main": self.main,
            "train_more": self.more,
            "train_job": self.runner.bar,
            "train_of": self.of,
            "train_curves": self.curves,
            "train_models": self.models.table,
            "model": self.models.note,
        }

    def start(self) -> None:
        """Submit the training that the settings say."""
        folder, given = self.frames.folder, self.settings.settings()
        chosen = {name: value for name, value in given.items() if name in self.settings.training_settings()}
        self.rows, self.of.object = pd.DataFrame(), "<small>this training</small>"
        self.runner.start(
            lambda: pipeline.make_training_recipe(
                self.analysis, trained_models.find_folder(self.workspace, folder), **chosen
            )
        )

    def _show(self, model: trained_models.TrainedModel) -> None:
        """Show how a model learned, unless one learns now."""
        if not self.runner.running.active:
            self.rows, self.of.object = model.history, f"<small>{escape(model.title)}</small>"

    def _ready(self) -> None:
        self.runner.bar.reason = (
            ""
            if self.frames.folder
            else f"No labelled {self.subject.what} in the served folders: simulate some first."
        )

    def _end(self, id: str) -> None:
        self._follow(id)
        self.models.refresh()

    def _follow(self, id: str) -> None:
        rows = trained_models.read_curves(self.workspace, id) if id else pd.DataFrame()
        if len(rows) != len(self.rows):
            self.rows = rows

    def _draw(self, *_: Any) -> None:
        """Make the charts when there is something to show, once; they follow then."""
        if self.rows.empty or self._drawn:
            return
        self._drawn = True
        charts = pn.Row(
            self._chart(plots.plot_loss, "loss"),
            self._chart(partial(_curves, of=self.subject.what), "scores"),
            sizing_mode="stretch_both",
            margin=0,
        )
        self.curves.objects = [charts]

    def _chart(self, draw: Callable[[pd.DataFrame], Any], name: str) -> Any:
        streams = hv.streams.Params.from_params({"rows": self.param.rows})
        options = {
            "yticks": 5,
            "show_legend": name == "scores",
            "legend_position": "bottom_right",
            "legend_opts": theme.LEGEND,
        }
        pane = chart_pane(hv.DynamicMap(draw, streams=streams), options=options)
        pane.css_classes = ["chart", f"train-{name}"]
        return pane


def no_curves(what: str) -> str:
    """Return the text that stands where the curves will be."""
    return (
        f'<p class="empty">Curves appear here while a network learns: choose labelled {what} on the left, or'
        " simulate some, and press Start. “use this one” below shows how a network learned.</p>"
    )


def _curves(rows: pd.DataFrame, *, of: str) -> Any:
    return plots.plot_scores(rows, colors=_colors(rows), of=of)


def _colors(rows: pd.DataFrame) -> dict[str, str]:
    names = [str(n).removeprefix(plots.F1) for n in rows.columns if str(n).startswith(plots.F1)]
    return dict(zip(names, theme.class_colors(len(names)), strict=True))
