"""Do one job in this process: the recipe in, the result out, every ending noted in the journal."""

import csv
import errno
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine import catalogue, progress
from engine.errors import CancelledError, InputError, MapstackError
from engine.recipe import MODEL, Recipe
from engine.runtime import journal
from engine.runtime.client import connect
from engine.runtime.job_files import JobFiles, clean
from engine.runtime.journal import Ending, Progress
from engine.runtime.processes import this_process

EXECUTE: Final = "engine.pipeline:execute"
"""What does the work, `(recipe, out) -> None`; `$MAPSTACK_EXECUTE` names another function."""

INTERVAL: Final = 0.2
"""Seconds between two writes of the progress."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

_SCHEDULER_LOST: Final = "the Dask scheduler was lost; see that it runs and resume the job"
_SENTENCES: Final = {
    "MemoryError": "there is too little memory for this job; close other work or take a smaller region",
    "KilledWorker": "every worker process that took up this job died; maybe too little memory:"
    " start fewer workers or take a smaller region, and resume the job",
    "FutureCancelledError": _SCHEDULER_LOST,
    "CommClosedError": _SCHEDULER_LOST,
    "FuturesCancelledError": _SCHEDULER_LOST,
}
"""By the name of the error, so that nothing of Dask is imported for them."""


def work(here: JobFiles, *, on_progress: Callable[[Progress], None] | None = None) -> None:
    """Do a job that this process has claimed, under the Dask scheduler that is active.

    How it ends stands in the journal. What stops this process or thread (an interrupt from the keyboard)
    cancels the job and goes on.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    on_progress
        Called with each new progress.
    """
    try:
        ending = _attempt(here, on_progress)
    except BaseException:
        _note(here, Ending(journal.CANCELLED))
        raise
    _note(here, ending)


def work_apart(here: JobFiles) -> None:
    """Do a job in a process that was started for it, with its temporary files inside the job's folder.

    Dask is what `$MAPSTACK_SCHEDULER` (an address) or `$MAPSTACK_WORKERS` (a number) say, else threads.
    """
    here.scratch.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(here.scratch)
    try:
        with connect(os.environ.get("MAPSTACK_SCHEDULER"), workers=_count_workers()):
            ending = _attempt(here)
    except MapstackError as error:
        ending = Ending(journal.FAILED, str(error))
    _note(here, ending)


def execute_function() -> Callable[[Recipe, Path], None]:
    """Import the function that does the work."""
    function: Callable[[Recipe, Path], None] = catalogue.load(os.environ.get("MAPSTACK_EXECUTE", EXECUTE))
    return function


class Reporter:
    """Writes progress into the journal, a few times a second at most, and raises if the job is cancelled."""

    def __init__(self, here: JobFiles, on_progress: Callable[[Progress], None] | None = None) -> None:
        self.here = here
        self.on_progress = on_progress
        self.time_left = TimeLeft(time.monotonic())
        self.share = 0.0
        self.written = float("-inf")

    def __call__(self, share: float, doing: str) -> None:
        """Note the share done and what is being done."""
        if self.here.token.exists():
            raise CancelledError(f"job {self.here.id} was cancelled")
        now = time.monotonic()
        if now - self.written < INTERVAL:
            return
        self.written = now
        self.share = min(1.0, max(self.share, share))
        told = Progress(round(self.share, 4), doing, self.time_left(self.share, now))
        journal.write_progress(self.here, told)
        if self.on_progress is not None:
            self.on_progress(told)


class Curves:
    """Writes figures that belong together as lines of a table, the first line names them."""

    def __init__(self, here: JobFiles) -> None:
        self.file = here.curves

    def __call__(self, figures: Mapping[str, float]) -> None:
        """Append a line; where that fails the work goes on."""
        with suppress(OSError), self.file.open("a", encoding="utf-8", newline="") as table:
            writer = csv.DictWriter(table, list(figures))
            if table.tell() == 0:
                writer.writeheader()
            writer.writerow(figures)


class TimeLeft:
    """Estimates the time left from the share done, smoothed so that it does not jump.

    Between two looks the old estimate has run down by the time that passed; the new one, at the mean pace
    so far, corrects it by a part.
    """

    WEIGHT: Final = 0.25

    def __init__(self, start: float) -> None:
        self.start = start
        self.looked = start
        self.left: float | None = None

    def __call__(self, share: float, now: float) -> float | None:
        """Return the seconds left at time `now` with `share` done; None while too little is known."""
        elapsed = now - self.start
        if share < 0.01 or elapsed < 2 * INTERVAL:
            return None
        estimate = elapsed * (1 - share) / share
        if self.left is not None:
            expected = max(0.0, self.left - (now - self.looked))
            estimate = expected + self.WEIGHT * (estimate - expected)
        self.left, self.looked = estimate, now
        return round(estimate, 1)


def _attempt(here: JobFiles, on_progress: Callable[[Progress], None] | None = None) -> Ending:
    try:
        with progress.reporting(Reporter(here, on_progress)), progress.keeping(here.kept, Curves(here)):
            recipe = Recipe.from_json(here.recipe.read_text(encoding="utf-8"))
            execute_function()(recipe, here.model if recipe.output == MODEL else here.result)
        if not here.outcome.is_dir():
            raise RuntimeError("no result was stored")
    except CancelledError:
        return Ending(journal.CANCELLED)
    except MapstackError as error:
        return Ending(journal.FAILED, str(error))
    except Exception as error:  # noqa: BLE001  (whatever breaks, the user is told)
        return Ending(journal.FAILED, _sentence(here, error))
    return Ending(journal.DONE)


def _note(here: JobFiles, ending: Ending) -> None:
    """Write the ending down, unless the job is no longer this process'."""
    with journal.lock_journal(here.home):
        found = journal.read(here)
        if found.state == journal.RUNNING and found.worker == this_process():
            clean(here)
            journal.end(here, found, ending)


def _count_workers() -> int | None:
    given = os.environ.get("MAPSTACK_WORKERS")
    if given is None:
        return None
    if not given.isdecimal() or int(given) < 1:
        raise InputError(f"MAPSTACK_WORKERS is {given!r}; expected a whole number from 1")
    return int(given)


def _sentence(here: JobFiles, error: Exception) -> str:
    """Return what the user reads of an error that is not one of ours; the rest goes to the log."""
    with suppress(OSError), here.log.open("a", encoding="utf-8") as log:
        log.write("".join(traceback.format_exception(error)))
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"the disk is full ({error.filename or here.home}); free some space and resume the job"
    if isinstance(error, PermissionError):
        return f"no permission for {error.filename or here.home}; mend its permissions and resume the job"
    for known in type(error).__mro__:
        if known.__name__ in _SENTENCES:
            return _SENTENCES[known.__name__]
    reason = " ".join(str(error).split())
    return f"internal error ({type(error).__name__}: {reason}), see log {here.log}; please report it"
