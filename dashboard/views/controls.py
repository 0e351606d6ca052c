"""Settings of the analysis, generated from its parameters, and the bar that runs it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import param

from dashboard.kit import Work, button, markup, number, settings_form
from dashboard.views.job_runner import JobRunner
from dashboard.workspace.cache import EXCLUDE
from dashboard.workspace.datasets import Stack
from dashboard.workspace.editing import own_model
from dashboard.workspace.session import Session
from dashboard.workspace.workspace import Workspace
from engine import catalogue, pipeline
from engine.analysis import find_shipped_model
from engine.recipe import Recipe, Step

MAIN_PRECEDENCE: Final = 0.5
"""Settings whose parameter has this precedence or more stand beside Run, lowest first, others under More."""
SEED_PRECEDENCE: Final = 1.5
NO_MODEL: Final = "No model yet: learn one from labelled pictures under Train."


def main_settings(settings: param.Parameterized, names: Sequence[str]) -> list[str]:
    """Return those of the named settings that stand beside Run, in their order there.

    Parameters
    ----------
    settings
        Settings of an analysis.
    names
        Names of those that are shown.

    Returns
    -------
    list of str, by the precedence of the parameters
    """
    order = {name: settings.param[name].precedence or 0.0 for name in names}
    if "seed" in order:
        order["seed"] = order["seed"] or SEED_PRECEDENCE
    return sorted((name for name in names if order[name] >= MAIN_PRECEDENCE), key=order.__getitem__)


class Controls:
    """Settings and Run; `on_done` gets the id of the result."""

    def __init__(
        self,
        analysis: str,
        session: Session,
        workspace: Workspace,
        work: Work,
        on_done: Callable[[str], None],
        *,
        unit: str = "µm",
        missing: str = "Open a measurement first.",
    ) -> None:
        self.analysis, self.session, self.workspace, self.unit = analysis, session, workspace, unit
        self.missing = missing
        self.settings = catalogue.find("analyses", analysis)()
        taught = self.settings.training_settings() if self.settings.needs_labels else frozenset()
        names = [name for name in self.settings.setting_names() if name not in taught]
        main = main_settings(self.settings, names)
        self.main = settings_form(self.settings, main)
        self.more = settings_form(self.settings, [name for name in names if name not in main])
        self.base: tuple[Step, ...] = ()
        self.excluded: list[Any] = []
        self.keep_inside = False
        self.note = markup("")
        self.forget = button("use all pixels again", "use-all", self._forget)
        self.forget.visible = False
        self.pixel_size = number(f"pixel size ({unit})", "pixel-size")
        self.runner = JobRunner(workspace, work, on_run=self.run, on_done=on_done)
        self.bar = self.runner.bar
        session.param.watch(self._read_stack, "stack")
        session.param.watch(lambda _: self._ready(), "model")
        self._ready()

    def close(self) -> None:
        """Stop looking at the job; it goes on."""
        self.runner.close()

    @property
    def is_running(self) -> bool:
        """True while a run is under way."""
        return self.runner.running.active

    def adopt(self, recipe: Recipe) -> None:
        """Take over the settings of a result, so that they show how it was made."""
        if recipe.analysis == self.analysis:
            known = self.settings.setting_names()
            values = {**recipe.settings, "seed": recipe.seed}
            self.settings.param.update(**{name: values[name] for name in values if name in known})
            self.session.model = own_model(recipe)

    def exclude(self, polygon: list[list[float]], *, keep_inside: bool) -> None:
        """Leave a region out of the next run, or everything else.

        Parameters
        ----------
        polygon
            Corners [x, y] in the units of the coordinates.
        keep_inside
            Leave out everything else instead.
        """
        self.excluded = [*self.excluded, polygon] if keep_inside == self.keep_inside else [polygon]
        self.keep_inside = keep_inside
        self._ready()

    def run(self) -> None:
        """Submit the job that the settings say."""
        stack = self.session.stack
        if stack is None:
            return
        settings, prepare, model = self._run_settings(), self._steps(), self.session.model
        self.runner.start(lambda: _recipe(self.analysis, stack, settings, prepare, model))

    def _run_settings(self) -> dict[str, Any]:
        """Return the settings of the run, without those that only concern training when there is a model."""
        settings: dict[str, Any] = self.settings.settings()
        if not self.settings.needs_labels:
            return settings
        return {
            name: value for name, value in settings.items() if name not in self.settings.training_settings()
        }

    def _read_stack(self, *_: Any) -> None:
        """Take over how the open data were prepared."""
        stack = self.session.stack
        self.base, self.excluded = () if stack is None else stack.steps, []
        sizes = [step["arguments"] for step in self.base if step["name"] == "pixel_size"]
        self.pixel_size.value = (
            float(sizes[-1]["size"]) if sizes and sizes[-1].get("unit", "µm") == self.unit else None
        )
        self._ready()

    def _forget(self) -> None:
        self.base = tuple(step for step in self.base if step["name"] != EXCLUDE)
        self.excluded = []
        self._ready()

    def _ready(self) -> None:
        self.bar.reason = self._reason()
        n = sum(len(step["arguments"]["polygons"]) for step in self._steps() if step["name"] == EXCLUDE)
        self.forget.visible = n > 0
        what = "only inside" if self.keep_inside else "without"
        self.note.object = (
            f'<p class="note" id="masked">Runs {what} {n} region{"s" * (n > 1)}.</p>' if n else ""
        )

    def _reason(self) -> str:
        """Why Run is not possible now; empty where it is."""
        if self.session.stack is None:
            return self.missing
        needs_model = self.settings.needs_labels and self.session.model is None
        return NO_MODEL if needs_model and find_shipped_model(self.analysis) is None else ""

    def _steps(self) -> tuple[Step, ...]:
        """Return the steps that prepare the images: as they are shown, then what was set since."""
        steps = list(self.base)
        if self.excluded:
            arguments = {"polygons": self.excluded, "keep_inside": self.keep_inside}
            steps.append({"name": EXCLUDE, "arguments": arguments})
        size = {"size": self.pixel_size.value, "unit": self.unit}
        known = [step["arguments"] for step in steps if step["name"] == "pixel_size"]
        if self.pixel_size.value and (not known or known[-1] != size):
            steps.append({"name": "pixel_size", "arguments": size})
        return tuple(steps)


def _recipe(
    analysis: str, stack: Stack, settings: dict[str, Any], prepare: tuple[Step, ...], model: Path | None
) -> Recipe:
    recipe = pipeline.make_recipe(analysis, stack.source, model=model, **settings)
    return replace(recipe, prepare=prepare)
