"""Identity of a process: its number alone may be given to another later."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process of this machine, for as long as the machine runs."""

    pid: int
    started: str
    """Start time in clock ticks since the machine's start; empty where the system does not tell."""


def this_process() -> Process:
    """Return the process that calls."""
    return identify(os.getpid())


def identify(pid: int) -> Process:
    """Return the process that has this number now."""
    return Process(pid, _stat(pid)[1])


def alive(process: Process | None) -> bool:
    """Return whether the process still works.

    One that ended and was not yet collected (a zombie) does not.
    """
    if process is None:
        return False
    if not process.started:
        return _exists(process.pid)
    state, started = _stat(process.pid)
    return started == process.started and state not in "ZX"


def kill_group(process: Process | None) -> None:
    """Kill a process and all of its process group at once; nothing happens where it leads none."""
    if process is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def kill(*processes: Process | None) -> None:
    """Kill processes with their groups, and return when they are dead (at most after a second)."""
    for process in processes:
        kill_group(process)
    deadline = time.monotonic() + 1.0
    while any(map(alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.01)


def memory() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> tuple[str, str]:
    """State letter and start time of a process from `/proc`, blanks where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    after_name = fields.rpartition(")")[2].split()
    return after_name[0], after_name[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
