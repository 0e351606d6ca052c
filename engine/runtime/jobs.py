"""Jobs: a recipe in, a result out, with progress, cancel, and a clear state after any crash.

    job = submit(recipe)             # the same recipe on the same data is one job, and computed once
    job = wait(job.id)
    engine.load(job.result)

Everything about a job lies in its home, on disk (`journal`). The command line, the dashboard and Python use
the same jobs. The work is done in a process of its own (`guardian`), or by whoever calls `work`.
"""

import builtins
import getpass
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import platformdirs

from engine import catalogue
from engine.errors import InputError
from engine.recipe import Recipe
from engine.runtime import journal, launch, worker
from engine.runtime.job import Job, look, recipe_of
from engine.runtime.job_files import JobFiles, clean, place, places
from engine.runtime.job_files import remove as remove_files
from engine.runtime.job_files import size as size_of
from engine.runtime.journal import (
    CANCELLED,
    DONE,
    ENDED,
    INTERRUPTED,
    RUNNING,
    WAITING,
    Ending,
    Progress,
    State,
)
from engine.runtime.launch import Pool
from engine.runtime.processes import kill, this_process

__all__ = [
    "Job",
    "Pool",
    "cancel",
    "default_home",
    "list",
    "remove",
    "request_cancel",
    "resume",
    "show",
    "size",
    "start_waiting",
    "submit",
    "wait",
    "work",
]

DIGEST: Final = "engine.readers:digest"
POLL: Final = 0.1
"""Seconds between two looks at a job that is waited for."""

CANCEL_PATIENCE: Final = 4.0
"""Seconds until the processes of a cancelled job are killed from outside; their guardian does it earlier."""


def default_home() -> Path:
    """Return the folder of jobs and results: `$MAPSTACK_HOME`, else the user's data folder."""
    return Path(os.environ.get("MAPSTACK_HOME") or platformdirs.user_data_dir("mapstack"))


def submit(
    recipe: Recipe,
    *,
    home: str | Path | None = None,
    start: bool = True,
    owner: str | None = None,
    pool: Pool | None = None,
) -> Job:
    """Make a job of a recipe, or return the one that there is for the same recipe on the same data.

    One that failed, was cancelled or interrupted is tried again.

    Parameters
    ----------
    recipe
        With its source's digest, or with a source of which the digest can be taken.
    home
        Folder of jobs and results.
    start
        Start a process for it, now or as soon as fewer than `$MAPSTACK_MAX_JOBS` run; False leaves the work
        to the caller, who calls `work`.
    owner
        Who submits; the user of this process where not given.
    pool
        Where to take the process from.

    Raises
    ------
    InputError
        If the recipe has neither a source nor a digest.
    FileError
        If the source cannot be read or the home cannot be written.
    """
    recipe = _with_digest(recipe)
    here = JobFiles(_home(home), _identity(recipe))
    owner = _user() if owner is None else owner
    with journal.lock_journal(here.home):
        before = journal.read(here) if here.folder.is_dir() else None
        if before is None or before.state not in (RUNNING, DONE):
            journal.create(here, recipe.to_json(), _submit_once(here, before, owner=owner, start=start))
    if start:
        launch.start_waiting(here.home, pool=pool)
    return show(here.id, here.home)


def resume(id: str, home: str | Path | None = None, *, pool: Pool | None = None) -> Job:
    """Start a job again, from its beginning, that failed, was cancelled, interrupted or never started.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    pool
        Worker processes that stand ready; without one a process is started.

    Raises
    ------
    InputError
        If the job's recipe is damaged.
    """
    here = place(_home(home), id)
    recipe_of(here)
    with journal.lock_journal(here.home):
        state = journal.read(here)
        if state.state not in (RUNNING, DONE):
            journal.write(here, State(WAITING, journal.now(), owner=state.owner, queued=True))
    launch.start_waiting(here.home, pool=pool)
    return show(id, here.home)


def start_waiting(home: str | Path | None = None, *, pool: Pool | None = None) -> None:
    """Start what waits, up to the limit, and clean up after jobs that died; for a server, now and then.

    Parameters
    ----------
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    pool
        Worker processes that stand ready; without one a process is started.
    """
    launch.start_waiting(_home(home), pool=pool)


def work(
    id: str,
    home: str | Path | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> Job:
    """Do a waiting job in this process; if another process does it, wait for that one.

    Parameters
    ----------
    id
        Of a job that was submitted with `start=False`.
    home
        Folder of jobs and results.
    on_progress
        Called a few times a second with the progress; it may raise `CancelledError`.
    """
    here = place(_home(home), id)
    me = this_process()
    with journal.lock_journal(here.home):
        state = journal.read(here)
        mine = state.state == WAITING
        if mine:
            journal.claim(here, state, guardian=me, worker=me)
    if mine:
        worker.work(here, on_progress=on_progress)
    return wait(id, here.home, on_progress=on_progress)


def wait(
    id: str,
    home: str | Path | None = None,
    *,
    timeout: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Job:
    """Return the job once it has ended, or as it stands after `timeout` seconds.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    timeout : float, optional
        Seconds; without a limit if not given.
    on_progress
        Called with each new progress.
    """
    here = place(_home(home), id)
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    told = None
    while True:
        job = show(id, here.home)
        progress = Progress(job.progress, job.doing, job.left)
        if on_progress is not None and job.state == RUNNING and progress != told:
            on_progress(progress)
            told = progress
        left = deadline - time.monotonic()
        if job.state in ENDED or left <= 0:
            return job
        time.sleep(min(POLL, left))


def show(id: str, home: str | Path | None = None) -> Job:
    """Return one job as it stands now.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    """
    return look(place(_home(home), id))


def list(home: str | Path | None = None) -> "builtins.list[Job]":  # noqa: A001
    """Return all jobs as they stand now, the newest first; a damaged one is there as failed."""
    return sorted(map(look, places(_home(home))), key=lambda job: job.created, reverse=True)


def request_cancel(id: str, home: str | Path | None = None) -> Job:
    """Ask for a job to be cancelled and return at once; it will be within five seconds.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    """
    here = place(_home(home), id)
    with journal.lock_journal(here.home):
        state = journal.read(here)
        if state.state == RUNNING:
            here.token.touch()
        elif state.state in (WAITING, INTERRUPTED):
            clean(here)
            journal.end(here, state, Ending(CANCELLED))
    return show(id, here.home)


def cancel(id: str, home: str | Path | None = None) -> Job:
    """Cancel a job and wait until it is; nothing of its work remains. A job that has ended stays as it is.

    A job that another program does in its own process (`work`) is asked, but that program is not killed.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    """
    here = place(_home(home), id)
    request_cancel(id, here.home)
    if wait(id, here.home, timeout=CANCEL_PATIENCE).state == RUNNING:
        with journal.lock_journal(here.home):
            state = journal.read(here)
            if state.state == RUNNING and state.guardian != state.worker:
                kill(state.guardian, state.worker)
                journal.settle(here, state, error=journal.GONE)
    return show(id, here.home)


def remove(id: str, home: str | Path | None = None) -> None:
    """Delete a job and its result.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.

    Raises
    ------
    InputError
        If it is running.
    FileError
        If its files cannot be deleted.
    """
    here = place(_home(home), id)
    with journal.lock_journal(here.home):
        if journal.read(here).state == RUNNING:
            raise InputError(f"job {id} is running; cancel it before you remove it")
        remove_files(here)


def size(id: str, home: str | Path | None = None) -> int:
    """Return the bytes on disk of a job and its result.

    Parameters
    ----------
    id : str
        Id of the job.
    home : Path, optional
        Folder of jobs and results; the user's own if not given.
    """
    return size_of(place(_home(home), id))


def _submit_once(here: JobFiles, before: State | None, *, owner: str, start: bool) -> State:
    """State of a job that is submitted now: already done where the result is there, in line where it was."""
    if here.outcome.is_dir():
        return State(DONE, journal.now(), owner=owner, ended=journal.now())
    if before is not None and before.state == WAITING:
        return replace(before, queued=start or before.queued)
    return State(WAITING, journal.now(), owner=owner, queued=start)


def _with_digest(recipe: Recipe) -> Recipe:
    if recipe.digest is not None:
        return recipe
    if recipe.source is None:
        raise InputError("the recipe's images were in memory, not in a file; save them and open the file")
    return replace(recipe, digest=catalogue.load(DIGEST)(recipe.source))


def _identity(recipe: Recipe) -> str:
    text = json.dumps(recipe.identity(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _home(home: str | Path | None) -> Path:
    return (default_home() if home is None else Path(home)).absolute()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container without a name for this user
        return str(os.getuid())
