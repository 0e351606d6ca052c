"""The Jobs page: jobs of everybody who uses this server, by state."""

from collections.abc import Mapping
from typing import Any, Final

import panel as pn

from dashboard.components import Listing
from dashboard.format import format_time, format_time_left
from dashboard.pages.base import Page, PageContext
from dashboard.views.result_list import link_to
from engine.recipe import MODEL
from engine.runtime import jobs

COLUMNS: Final = [
    {"name": "state", "title": "state"},
    {"name": "what", "title": "what", "long": True},
    {"name": "data", "title": "data", "long": True},
    {"name": "owner", "title": "who"},
    {"name": "since", "title": "since"},
    {"name": "progress", "title": "done", "number": True},
    {"name": "note", "title": "", "long": True},
]
REFRESH_MS: Final = 1000


class JobList:
    """Table of all jobs, read again every second."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.listing = Listing(
            columns=COLUMNS,
            listener=lambda message: context.work.post(lambda: self._act(message)),
            empty="No jobs yet: open data on the Maps page and press Run.",
        )
        self.refresh()

    def refresh(self) -> None:
        """Read the status of all jobs."""
        workspace = self.context.workspace

        def show(rows: list[dict[str, Any]]) -> None:
            if rows != self.listing.rows:
                self.listing.rows = rows

        self.context.work.run(
            lambda: [_row(job, self.context) for job in workspace.list_jobs()], show, key="jobs"
        )

    def _act(self, message: Any) -> None:
        workspace = self.context.workspace
        act = {
            "cancel": lambda: jobs.cancel(message["id"], workspace.home),
            "resume": lambda: jobs.resume(message["id"], workspace.home, pool=workspace.pool),
            "delete": lambda: jobs.remove(message["id"], workspace.home),
        }[message["do"]]
        self.context.work.run(act, lambda _: self.refresh(), key=f"{message['do']}-{message['id']}")


def _row(job: Any, context: PageContext) -> dict[str, Any]:
    recipe = job.recipe
    link = link_to(job, context.workspace)
    actions: list[dict[str, Any]] = []
    if job.state in ("running", "waiting"):
        actions.append({"do": "cancel", "label": "cancel"})
    elif job.state in ("failed", "cancelled", "interrupted"):
        actions.append({"do": "resume", "label": "run again"})
    if job.state == "done" and link:
        actions.append({"href": link, "label": "open"})
    if job.state not in ("running", "waiting"):
        actions.append({"do": "delete", "label": "delete", "title": "delete the job and its result"})
    return {
        "id": job.id,
        "state": job.state,
        "what": "" if recipe is None else _describe(recipe),
        "data": "" if recipe is None else str(recipe.source or "").rsplit("/", 1)[-1],
        "owner": job.owner,
        "since": format_time(job.created),
        "progress": f"{job.progress:.0%}",
        "note": job.error or " · ".join(part for part in (job.doing, format_time_left(job.left)) if part),
        "actions": actions,
    }


def _describe(recipe: Any) -> str:
    if recipe.output == MODEL:
        return f"train {recipe.analysis}, {recipe.settings.get('n_steps')} steps"
    n = recipe.settings.get("n_clusters")
    edits = f", {len(recipe.edits)} edits" if recipe.edits else ""
    return f"{recipe.analysis}{f' into {n} classes' if n else ''}{edits}"


def build(context: PageContext) -> Mapping[str, Any]:
    """Make the parts of one tab."""
    page = JobList(context)
    poll = pn.state.add_periodic_callback(page.refresh, period=REFRESH_MS)
    context.closing.append(poll.stop)
    return {"listing": page.listing}


PAGE: Final = Page(slug="jobs", title="Jobs", layout="job_list.html", build=build)
