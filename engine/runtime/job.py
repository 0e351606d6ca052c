"""A job as others see it, read from its files."""

import functools
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from engine.errors import InputError
from engine.recipe import Recipe
from engine.runtime import journal
from engine.runtime.job_files import JobFiles
from engine.runtime.journal import DONE, ENDED, FAILED, RUNNING, Progress

_SETTLED: Final = 1_000_000_000
"""Nanoseconds after which a folder's time of change can be trusted: clocks of file systems are coarse."""


@dataclass(frozen=True)
class Job:
    """State of a job at the moment it was read."""

    id: str
    state: str
    """One of waiting, running, done, failed, cancelled, interrupted."""
    progress: float
    """Share done, 0 to 1."""
    doing: str
    left: float | None
    """Seconds left, None while unknown."""
    recipe: Recipe | None
    """None where its file is damaged."""
    result: Path | None
    """The stored result, or the model's folder, once it is done."""
    error: str | None
    """One sentence: why it failed or was interrupted."""
    created: str
    started: str | None
    ended: str | None
    owner: str
    pid: int | None
    """The process that works on it, while it runs."""
    log: Path

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON can hold them."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            **document,
            "recipe": None if self.recipe is None else asdict(self.recipe),
            "result": None if self.result is None else str(self.result),
            "log": str(self.log),
        }


def look(here: JobFiles) -> Job:
    """Return a job; files of one that ended and did not change since are not read again."""
    try:
        changed = here.folder.stat().st_mtime_ns
    except OSError:
        changed = time.time_ns()
    if time.time_ns() - changed < _SETTLED:
        return _read(here)
    job = _remember_finished(here, changed)
    still_so = job.state in ENDED and (job.result is None or job.result.is_dir())
    return job if still_so else _read(here)


@functools.lru_cache(maxsize=4096)
def _remember_finished(here: JobFiles, changed: int) -> Job:  # noqa: ARG001  (a part of the key)
    return _read(here)


def _read(here: JobFiles) -> Job:
    state = journal.read(here)
    progress = journal.read_progress(here) if state.state == RUNNING else Progress()
    recipe = None
    try:
        recipe = recipe_of(here)
    except InputError as error:
        if state.state != DONE:
            state = replace(state, state=FAILED, error=state.error or str(error))
    process = (state.worker or state.guardian) if state.state == RUNNING else None
    return Job(
        id=here.id,
        state=state.state,
        progress=1.0 if state.state == DONE else progress.share,
        doing=progress.doing,
        left=progress.left,
        recipe=recipe,
        result=here.outcome if state.state == DONE else None,
        error=state.error,
        created=state.created,
        started=state.started,
        ended=state.ended,
        owner=state.owner,
        pid=None if process is None else process.pid,
        log=here.log,
    )


def recipe_of(here: JobFiles) -> Recipe:
    """Return what a job is to do.

    Raises
    ------
    InputError
        If its file is damaged.
    """
    try:
        return Recipe.from_json(here.recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            f"the recipe of job {here.id} cannot be read ({here.recipe}); submit it again or remove the job"
        ) from None
