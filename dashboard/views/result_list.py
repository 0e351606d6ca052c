"""Table of stored results: search, open, delete, and what they take on disk."""

import shutil
from typing import Any, Final
from urllib.parse import urlencode

import panel as pn

from dashboard.components import Listing
from dashboard.format import format_bytes, format_time
from dashboard.kit import WIDGET_STYLE, Work, button, escape, markup
from dashboard.workspace.workspace import Workspace
from engine import catalogue
from engine.errors import MapstackError
from engine.recipe import MODEL
from engine.runtime import jobs
from engine.runtime.job_files import bytes_in

COLUMNS: Final = [
    {"name": "data", "title": "data", "long": True},
    {"name": "what", "title": "what", "long": True},
    {"name": "owner", "title": "who"},
    {"name": "since", "title": "made"},
    {"name": "size", "title": "size", "number": True},
]


class ResultList:
    """Table of stored results and what they take on disk."""

    def __init__(self, workspace: Workspace, work: Work, *, limit: int | None = None) -> None:
        self.workspace, self.work, self.limit = workspace, work, limit
        self.listing = Listing(
            columns=COLUMNS,
            listener=lambda message: work.post(lambda: self._delete(message["id"])),
            empty="No results yet: open data on the Maps page and press Run.",
        )
        self.search = pn.widgets.TextInput(
            placeholder="search data, settings, who",
            width=300,
            stylesheets=[WIDGET_STYLE],
            margin=(0, 0, 10, 0),
        )
        self.search.param.watch(lambda _: self._show(), "value_input")
        self.text = markup("")
        self.clean = button("delete old caches and exports", "clean-up", self._clean)
        self.disk = pn.Column(self.text, self.clean, sizing_mode="stretch_width", margin=0)
        self.rows: list[dict[str, Any]] = []
        self.refresh()

    def refresh(self) -> None:
        """Look what is stored."""
        workspace = self.workspace

        def show(found: tuple[list[dict[str, Any]], str]) -> None:
            self.rows, self.text.object = found
            self._show()

        self.work.run(lambda: (_rows(workspace), _disk(workspace)), show, key="results")

    def _show(self) -> None:
        words = self.search.value_input.lower().split()
        found = [row for row in self.rows if all(word in row["search"] for word in words)]
        self.listing.rows = found[: self.limit]

    def _delete(self, id: str) -> None:
        home = self.workspace.home
        self.work.run(lambda: jobs.remove(id, home), lambda _: self.refresh(), key=f"delete-{id}")

    def _clean(self) -> None:
        workspace = self.workspace

        def work() -> None:
            for folder in workspace.list_leftovers():
                shutil.rmtree(folder, ignore_errors=True)

        self.work.run(work, lambda _: self.refresh(), key="clean")


def _rows(workspace: Workspace) -> list[dict[str, Any]]:
    done = [job for job in workspace.list_jobs() if job.state == "done"]
    return [_row(job, workspace) for job in done if job.recipe is None or job.recipe.output != MODEL]


def _row(job: Any, workspace: Workspace) -> dict[str, Any]:
    recipe, link = job.recipe, link_to(job, workspace)
    n = recipe.settings.get("n_clusters") if recipe is not None else None
    row = {
        "id": job.id,
        "data": "" if recipe is None else str(recipe.source or "").rsplit("/", 1)[-1],
        "what": "" if recipe is None else f"{recipe.analysis}{f' into {n} classes' if n else ''}",
        "owner": job.owner,
        "since": format_time(job.created),
        "size": format_bytes(jobs.size(job.id, workspace.home)),
        "actions": [
            *([{"href": link, "label": "open"}] if link else []),
            {"do": "delete", "label": "delete", "title": "delete this result"},
        ],
    }
    if recipe is not None and recipe.edits:
        row["what"] += ", " + ", ".join(edit["name"] for edit in recipe.edits)
    return {**row, "search": " ".join(str(row[name]) for name in ("data", "what", "owner")).lower()}


def link_to(job: Any, workspace: Workspace) -> str:
    """Address of the page that shows a result; empty for models, without a page, and for data not served.

    Parameters
    ----------
    job
        The job of the result.
    workspace
        Where addresses are looked up, and whose jobs and cache are used.

    Returns
    -------
    str
        Address with query, or an empty text.
    """
    if job.recipe is None or job.recipe.source is None or job.recipe.output == MODEL:
        return ""
    try:
        page = catalogue.find("analyses", job.recipe.analysis).page
        address = workspace.find_address(job.recipe.source)
    except MapstackError:
        return ""
    return f"/{page}?" + urlencode({"data": address, "result": job.id})


def _disk(workspace: Workspace) -> str:
    used = {name: bytes_in(workspace.home / name) for name in ("results", "views", "exports", "drops")}
    free = shutil.disk_usage(workspace.home).free
    return (
        f"<p class='note' id='disk'>Results take {escape(format_bytes(used['results']))}, caches for viewing"
        f" {escape(format_bytes(used['views']))}, exports {escape(format_bytes(used['exports']))},"
        f" dropped pictures {escape(format_bytes(used['drops']))};"
        f" {escape(format_bytes(free))} are free.</p>"
    )
