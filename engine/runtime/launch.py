"""Start processes for waiting jobs, a few at a time, at once where a warm spare stands by."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.errors import InputError
from engine.runtime import journal
from engine.runtime.job_files import JobFiles, places
from engine.runtime.journal import State
from engine.runtime.processes import identify

LIMIT: Final = 2
"""Jobs that run at once in processes of their own, unless `$MAPSTACK_MAX_JOBS` says otherwise."""


@dataclass(frozen=True)
class Spare:
    """A process that waits for the id of a job on its standard input."""

    process: "subprocess.Popen[bytes]"
    input: int
    """File descriptor to write the id to."""

    def ready(self) -> bool:
        """Return whether it still lives."""
        return self.process.poll() is None

    def dismiss(self) -> None:
        """Let it end when it has no job, or has done it."""
        os.close(self.input)


class Pool:
    """Keeps one spare process that has everything imported, so that a job starts at once.

    A process that has done its job is the next spare. Another is started only after a little, so that short
    jobs share one process, and imports do not slow down the first seconds of long ones. If this process ends,
    so does the spare.
    """

    DELAY: Final = 3.0

    def __init__(self, home: str | Path) -> None:
        self.home = Path(home).absolute()
        self.lock = threading.Lock()
        self.spare: Spare | None = None
        self.timer: threading.Timer | None = None
        self.closed = False
        self.refill()

    def refill(self) -> None:
        """Start a spare if there is none."""
        with self.lock:
            if not self.closed and self.spare is None:
                self.spare = start_process(self.home, self.freed)

    def freed(self, process: Spare) -> None:
        """Keep a process that has done its job instead of one that was started meanwhile: it is warm."""
        with self.lock:
            dismissed = process if self.closed else self.spare
            if not self.closed:
                self.spare = process
                self._forget_timer()
        if dismissed is not None:
            dismissed.dismiss()

    def take(self) -> Spare:
        """Return a process for one job: the spare, or a new one."""
        with self.lock:
            taken, self.spare = self.spare, None
            self._forget_timer()
            if not self.closed:
                self.timer = threading.Timer(self.DELAY, self.refill)
                self.timer.daemon = True
                self.timer.start()
        if taken is not None and taken.ready():
            return taken
        if taken is not None:
            taken.dismiss()
        return start_process(self.home, self.freed)

    def _forget_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def close(self) -> None:
        """Let the spare end; jobs go on."""
        with self.lock:
            self.closed = True
            self._forget_timer()
            if self.spare is not None:
                self.spare.dismiss()
            self.spare = None


def start_waiting(home: Path, *, pool: Pool | None = None) -> None:
    """Start the jobs that wait for a process, oldest first, up to the limit; settle those that died.

    Parameters
    ----------
    home : Path
        Folder of jobs and results; the user's own if not given.
    pool
        Worker processes that stand ready; without one a process is started.
    """
    with journal.lock_journal(home):
        states = {here: _wait_until_settled(here) for here in places(home)}
        guarded = [s for s in states.values() if s.state == journal.RUNNING and s.guardian != s.worker]
        waiting = [here for here, s in states.items() if s.state == journal.WAITING and s.queued]
        waiting.sort(key=lambda here: states[here].created)
        for here in waiting[: max(0, limit() - len(guarded))]:
            _start(here, states[here], pool)


def limit() -> int:
    """Return how many jobs may run at once in processes of their own."""
    given = os.environ.get("MAPSTACK_MAX_JOBS", str(LIMIT))
    if not given.isdecimal() or int(given) < 1:
        raise InputError(f"MAPSTACK_MAX_JOBS is {given!r}; expected a whole number from 1")
    return int(given)


def start_process(home: Path, freed: Callable[[Spare], None] | None = None) -> Spare:
    """Start a guardian with its worker; it waits for the id of a job.

    `release_worker` is called with it after each job that it has done and it can do another.

    Parameters
    ----------
    home : Path
        Folder of jobs and results; the user's own if not given.
    freed
        Called with a worker that is free for the next job.
    """
    reading, writing = os.pipe()
    process = subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, "-m", "engine.runtime.supervisor", str(home)],
        stdin=reading,
        stdout=subprocess.PIPE if freed else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(reading)
    spare = Spare(process, writing)
    threading.Thread(target=_attend, args=(spare, freed), daemon=True).start()
    return spare


def _attend(spare: Spare, freed: Callable[[Spare], None] | None) -> None:
    """Hear when a process has done a job, and collect it when it ends."""
    if freed is not None and spare.process.stdout is not None:
        for _ in spare.process.stdout:
            freed(spare)
    spare.process.wait()


def _start(here: JobFiles, state: State, pool: Pool | None) -> None:
    spare = pool.take() if pool is not None else start_process(here.home)
    try:
        journal.claim(here, state, guardian=identify(spare.process.pid), worker=None)
        with suppress(BrokenPipeError):  # it died already: the journal will show that
            os.write(spare.input, f"{here.id}\n".encode())
    except BaseException:
        spare.dismiss()
        raise
    if pool is None:
        spare.dismiss()


def _wait_until_settled(here: JobFiles) -> State:
    """Return how a job stands; where its process is gone that is written down."""
    state = journal.read(here)
    if state.state in journal.ENDED and state.guardian is not None:
        return journal.settle(here, state, error=journal.GONE)
    return state
