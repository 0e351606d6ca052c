"""The job that a page waits for: submit it, read its status, ask for it to be cancelled."""

from typing import Any, Final

import param

from dashboard.format import format_time_left
from dashboard.workspace.workspace import Workspace
from engine.recipe import Recipe
from engine.runtime import jobs

ACTIVE: Final = ("waiting", "running")


class RunningJob(param.Parameterized):
    """The job that a page waits for, or none."""

    id = param.String("")
    state = param.String("")
    share = param.Number(0.0)
    doing = param.String("")
    left = param.String("")
    error = param.String("")

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    @property
    def active(self) -> bool:
        """True while it waits or runs."""
        return self.state in ACTIVE

    def submit(self, recipe: Recipe) -> Any:
        """Submit a job; it goes on when the page is closed. Takes a moment: call it in a thread."""
        return self._workspace.submit(recipe)

    def show(self, job: Any) -> None:
        """Show the status of a job."""
        self.param.update(
            id=job.id,
            state=job.state,
            share=float(job.progress),
            doing=job.doing or ("waiting for a free place" if job.state == "waiting" else ""),
            left=format_time_left(job.left),
            error=job.error or "",
        )

    def refresh(self) -> None:
        """Read its status now."""
        self.show(jobs.show(self.id, self._workspace.home))

    def cancel(self) -> None:
        """Ask for it to be cancelled; waits up to five seconds: call it in a thread."""
        jobs.cancel(self.id, self._workspace.home)
