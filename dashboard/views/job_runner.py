"""Run, progress and Cancel of one job that a page waits for; the job goes on without the page."""

from collections.abc import Callable
from typing import Any, Final

import panel as pn

from dashboard.components import JobBar
from dashboard.kit import Work
from dashboard.workspace.running_job import RunningJob
from dashboard.workspace.workspace import Workspace
from engine.recipe import Recipe

POLL_MS: Final = 200
NOTES: Final = {
    "done": "Done.",
    "cancelled": "Cancelled; nothing was kept.",
    "failed": "Failed; the last good view stays.",
    "interrupted": "Interrupted; run it again.",
}


class JobRunner:
    """The bar of a job; `on_run` is called for Run, `on_done` with the job's id, `on_look` at every look."""

    def __init__(
        self,
        workspace: Workspace,
        work: Work,
        *,
        on_run: Callable[[], None],
        on_done: Callable[[str], None],
        on_look: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.work, self.on_run, self.on_done, self.on_look = work, on_run, on_done, on_look
        self.running = RunningJob(workspace)
        self.bar = JobBar(listener=lambda message: work.post(lambda: self._receive(message)))
        self.running.param.watch(self._show, ["state", "share", "doing", "left"])
        self._poll: Any = None
        self.unwanted = False
        """Whether the job that is being submitted is to be cancelled."""

    def close(self) -> None:
        """Stop looking at the job; it goes on."""
        if self._poll is not None:
            self._poll.stop()

    def start(self, make: Callable[[], Recipe]) -> None:
        """Submit the job of a recipe, which is made in a thread; nothing while one is under way."""
        if self.running.active:
            return
        self.unwanted = False
        self.running.param.update(id="", state="waiting", share=0.0, doing="starting", left="", error="")
        self.work.run(
            lambda: self.running.submit(make()),
            self._follow_job,
            key="submit",
            failed=lambda: self.running.param.update(state="failed"),
        )

    def _receive(self, message: Any) -> None:
        if message["do"] == "run":
            self.on_run()
        elif self.running.active:
            self._cancel()

    def _cancel(self) -> None:
        """Cancel the job; one that is being submitted as soon as it is there."""
        self.unwanted = not self.running.id
        if self.running.id:
            self.work.run(self.running.cancel, lambda _: None, key="cancel")

    def _follow_job(self, job: Any) -> None:
        self.running.show(job)
        if self.unwanted:
            self._cancel()
        if self._poll is None:
            self._poll = pn.state.add_periodic_callback(self._look, period=POLL_MS, start=False)
        if self.running.active:
            self._poll.start()
        else:
            self._finish_job()

    def _look(self) -> None:
        self.work.guard(self.running.refresh)
        self.work.guard(lambda: self.on_look(self.running.id))
        if not self.running.active:
            self._poll.stop()
            self._finish_job()

    def _finish_job(self) -> None:
        if self.running.state == "done":
            self.on_done(self.running.id)
        elif self.running.error:
            self.work.tell(self.running.error, "error")

    def _show(self, *_: Any) -> None:
        job = self.running
        self.bar.param.update(
            running=job.active,
            share=job.share,
            doing=job.doing,
            left=job.left,
            note=NOTES.get(job.state, ""),
        )
