"""The jobs' journal on disk: how each job stands, true even after a crash.

A job's state is replaced as a whole, under one lock for all jobs of a home; its progress is written by the
working process alone. This module imports no array library: the processes that guard jobs stay small.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.runtime.job_files import JobFiles, clean, usable
from engine.runtime.processes import Process, alive

WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
INTERRUPTED: Final = "interrupted"
STATES: Final = (WAITING, RUNNING, DONE, FAILED, CANCELLED, INTERRUPTED)
ENDED: Final = (DONE, FAILED, CANCELLED, INTERRUPTED)

GONE: Final = "the process that worked on this job is gone; resume the job"


@dataclass(frozen=True)
class State:
    """State of a job."""

    state: str
    created: str
    owner: str = ""
    queued: bool = False
    """Whether a process may be started for it; otherwise whoever submitted it does the work."""
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    guardian: Process | None = None
    """The process that watches over the worker; the worker itself where there is no other."""
    worker: Process | None = None


@dataclass(frozen=True)
class Ending:
    """End of a job, and the reason in one sentence where it failed."""

    state: str
    error: str | None = None


@dataclass(frozen=True)
class Progress:
    """Progress of a running job."""

    share: float = 0.0
    doing: str = ""
    left: float | None = None
    """Seconds, None while unknown."""


@contextmanager
def lock_journal(home: Path) -> Iterator[None]:
    """Hold the home's lock: every change of a job's state is made inside, from whatever process.

    The system lifts the lock of a process that dies. It does not nest.
    """
    with usable(home):
        (home / "jobs").mkdir(parents=True, exist_ok=True)
        (home / "results").mkdir(exist_ok=True)
        lock = ((home / "jobs") / ".lock").open("a")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def now() -> str:
    """Return the current time as it is stored."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def create(here: JobFiles, recipe: str, state: State) -> None:
    """Write a new job, or write one anew whose files were damaged; under the lock.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    recipe : str
        The recipe as JSON.
    state : State
        State of the job.
    """
    with usable(here.home):
        if here.folder.is_dir():
            _replace(here.recipe, recipe)
            write(here, state)
            return
        draft = here.folder.with_name(f".new-{here.id}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        (draft / "recipe.json").write_text(recipe, encoding="utf-8")
        (draft / "state.json").write_text(json.dumps(asdict(state)), encoding="utf-8")
        draft.rename(here.folder)


def write(here: JobFiles, state: State) -> State:
    """Replace the stored state; under the lock.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    state : State
        State of the job.
    """
    with usable(here.home):
        _replace(here.state, json.dumps(asdict(state)), lasting=True)
    return state


def read(here: JobFiles) -> State:
    """Return how the job really stands: a job whose process is gone is not running.

    Nothing is written. Damaged files are a failed job that says so.
    """
    try:
        state = _parse(here.state.read_text(encoding="utf-8"))
        if state.state == RUNNING and not (alive(state.guardian) or alive(state.worker)):
            state = _parse(here.state.read_text(encoding="utf-8"))  # its last word, if it had one
            state = _end_of(here, state) if state.state == RUNNING else state
    except (OSError, ValueError, TypeError, KeyError) as error:
        return State(FAILED, created=_write_change(here.folder), error=_damage(here, error))
    if state.state == DONE and not here.outcome.is_dir():
        return replace(state, state=INTERRUPTED, error="its result was removed; resume the job to compute it")
    return state


def claim(here: JobFiles, state: State, *, guardian: Process, worker: Process | None) -> State:
    """Note that a process does this job now; under the lock.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    state : State
        State of the job.
    guardian
        The process that watches the worker.
    worker
        The process that does the job.
    """
    clean(here)
    for leftover in (here.token, here.progress, *(() if here.kept.is_dir() else (here.curves,))):
        leftover.unlink(missing_ok=True)
    running = replace(state, state=RUNNING, started=now(), ended=None, error=None)
    return write(here, replace(running, guardian=guardian, worker=worker))


def settle(here: JobFiles, state: State, *, error: str) -> State:
    """Note how a job ended whose process is gone, and remove what it left; under the lock.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    state : State
        State of the job.
    error : str
        Sentence for the user.
    """
    clean(here)
    return end(here, state, _after(here, error=error))


def end(here: JobFiles, state: State, ending: Ending) -> State:
    """Note the ending of a job on which nobody works any more; under the lock.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    state : State
        State of the job.
    ending : Ending
        How the job ended.
    """
    here.token.unlink(missing_ok=True)
    if ending.state in (DONE, CANCELLED):
        shutil.rmtree(here.kept, ignore_errors=True)
    ended = replace(state, state=ending.state, error=ending.error, ended=now())
    return write(here, replace(ended, guardian=None, worker=None))


def read_progress(here: JobFiles) -> Progress:
    """Return how far the job is, as far as it was written."""
    try:
        return Progress(**json.loads(here.progress.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Progress()


def write_progress(here: JobFiles, progress: Progress) -> None:
    """Replace the stored progress; where that fails the work goes on.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    progress : Progress
        How far the job is.
    """
    with suppress(OSError):
        _replace(here.progress, json.dumps(asdict(progress)))


def _end_of(here: JobFiles, state: State) -> State:
    ending = _after(here, error=GONE)
    return replace(state, state=ending.state, error=ending.error, ended=_write_change(here.folder))


def _after(here: JobFiles, *, error: str) -> Ending:
    """Return how a job ended whose process is gone without a note: a stored result counts."""
    if here.outcome.is_dir():
        return Ending(DONE)
    if here.token.exists():
        return Ending(CANCELLED)
    return Ending(INTERRUPTED if error == GONE else FAILED, error)


def _parse(text: str) -> State:
    document = json.loads(text)
    for name in ("guardian", "worker"):
        document[name] = Process(**document[name]) if document[name] else None
    state = State(**document)
    if state.state not in STATES:
        raise ValueError(f"unknown state {state.state!r}")
    return state


def _damage(here: JobFiles, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else "its content is damaged"
    return f"{here.state} cannot be read: {reason}; submit the job again or remove it"


def _write_change(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
    except OSError:
        return now()


def _replace(path: Path, text: str, *, lasting: bool = False) -> None:
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
