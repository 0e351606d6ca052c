"""Settings of the analysis, generated from its parameters, and the bar that runs it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import panel as pn

from dashboard.kit import JobBar, Work, button, markup, number, settings_form
from dashboard.state.jobs import Running
from dashboard.state.library import EXCLUDE, Library, Stack
from dashboard.state.session import Session
from engine import catalogue, pipeline
from engine.recipe import Recipe, Step

MAIN: Final = ("n_clusters", "seed", "features", "missing")
POLL_MS: Final = 200


class Controls:
    """Settings and Run; `on_done` gets the id of the result."""

    def __init__(
        self,
        analysis: str,
        session: Session,
        library: Library,
        work: Work,
        on_done: Callable[[str], None],
    ) -> None:
        self.analysis, self.session, self.library, self.work = analysis, session, library, work
        self.on_done = on_done
        self.settings = catalogue.find("analyses", analysis)()
        names = self.settings.setting_names()
        main = [name for name in MAIN if name in names]
        self.main = settings_form(self.settings, main)
        self.more = settings_form(self.settings, [name for name in names if name not in main])
        self.base: tuple[Step, ...] = ()
        self.excluded: list[Any] = []
        self.keep_inside = False
        self.note = markup("")
        self.forget = button("use all pixels again", "use-all", self._forget)
        self.forget.visible = False
        self.pixel_size = number("pixel size (µm)", "pixel-size")
        self.running = Running(library)
        self.bar = JobBar(listener=lambda message: work.post(lambda: self._heard(message)))
        self.running.param.watch(self._show, ["state", "share", "doing", "left"])
        session.param.watch(self._opened, "stack")
        self._poll: Any = None
        self._ready()

    def close(self) -> None:
        """Stop looking at the job; it goes on."""
        if self._poll is not None:
            self._poll.stop()

    def adopt(self, recipe: Recipe) -> None:
        """Take over the settings of a result, so that they show how it was made."""
        if recipe.analysis == self.analysis:
            known = self.settings.setting_names()
            values = {**recipe.settings, "seed": recipe.seed}
            self.settings.param.update(**{name: values[name] for name in values if name in known})

    def exclude(self, polygon: list[list[float]], *, keep_inside: bool) -> None:
        """Leave a region out of the next run, or everything else."""
        self.excluded = [*self.excluded, polygon] if keep_inside == self.keep_inside else [polygon]
        self.keep_inside = keep_inside
        self._ready()

    def _opened(self, *_: Any) -> None:
        """Take over how the open data were prepared."""
        stack = self.session.stack
        self.base, self.excluded = () if stack is None else stack.steps, []
        sizes = [step["arguments"] for step in self.base if step["name"] == "pixel_size"]
        self.pixel_size.value = (
            float(sizes[-1]["size"]) if sizes and sizes[-1].get("unit", "µm") == "µm" else None
        )
        self._ready()

    def _forget(self) -> None:
        self.base = tuple(step for step in self.base if step["name"] != EXCLUDE)
        self.excluded = []
        self._ready()

    def _ready(self) -> None:
        self.bar.reason = "Open a measurement first." if self.session.stack is None else ""
        n = sum(len(step["arguments"]["polygons"]) for step in self._steps() if step["name"] == EXCLUDE)
        self.forget.visible = n > 0
        what = "only inside" if self.keep_inside else "without"
        self.note.object = (
            f'<p class="note" id="masked">Runs {what} {n} region{"s" * (n > 1)}.</p>' if n else ""
        )

    def _heard(self, message: Any) -> None:
        if message["do"] == "run":
            self.run()
        elif self.running.active:
            self.work.run(self.running.cancel, lambda _: None, key="cancel")

    def run(self) -> None:
        """Submit the job that the settings say."""
        stack = self.session.stack
        if stack is None or self.running.active:
            return
        settings, prepare = self.settings.settings(), self._steps()
        self.running.param.update(state="waiting", share=0.0, doing="starting", left="", error="")
        self.work.run(
            lambda: self.running.submit(_recipe(self.analysis, stack, settings, prepare)),
            self._started,
            key="submit",
            failed=lambda: self.running.param.update(state="failed"),
        )

    def _steps(self) -> tuple[Step, ...]:
        """How the next run prepares the images: as they are shown, then what was set since."""
        steps = list(self.base)
        if self.excluded:
            arguments = {"polygons": self.excluded, "keep_inside": self.keep_inside}
            steps.append({"name": EXCLUDE, "arguments": arguments})
        size = {"size": self.pixel_size.value, "unit": "µm"}
        known = [step["arguments"] for step in steps if step["name"] == "pixel_size"]
        if self.pixel_size.value and (not known or known[-1] != size):
            steps.append({"name": "pixel_size", "arguments": size})
        return tuple(steps)

    def _started(self, job: Any) -> None:
        self.running.take(job)
        if self._poll is None:
            self._poll = pn.state.add_periodic_callback(self._look, period=POLL_MS, start=False)
        if self.running.active:
            self._poll.start()
        else:
            self._ended()

    def _look(self) -> None:
        self.work.guard(self.running.look)
        if not self.running.active:
            self._poll.stop()
            self._ended()

    def _ended(self) -> None:
        if self.running.state == "done":
            self.on_done(self.running.id)
        elif self.running.error:
            self.work.tell(self.running.error, "error")

    def _show(self, *_: Any) -> None:
        job = self.running
        notes = {
            "done": "Done.",
            "cancelled": "Cancelled; nothing was kept.",
            "failed": "Failed; the last good view stays.",
            "interrupted": "Interrupted; run it again.",
        }
        self.bar.param.update(
            running=job.active, share=job.share, doing=job.doing, left=job.left, note=notes.get(job.state, "")
        )


def _recipe(analysis: str, stack: Stack, settings: dict[str, Any], prepare: tuple[Step, ...]) -> Recipe:
    recipe = pipeline.make_recipe(analysis, stack.source, **settings)
    return replace(recipe, prepare=prepare)
