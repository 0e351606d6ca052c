"""One job after the other in processes of their own: a small guardian, and the worker it forks and watches.

    python -m engine.runtime.supervisor HOME         reads jobs' ids, a line each, from standard input

The worker imports everything while it waits for an id, so a guardian started in advance is a warm spare.
After a job the worker waits for the next, if it has not grown too large; the guardian then writes a line, and
ends where its input does. It kills a worker that does not heed a cancel, and tells how a worker ended that
could not: killed, crashed, out of memory. Both live in a session of their own and outlive the server; if one
of them dies, the other sees it by their socket. This module imports no array library before it forks.
"""

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.errors import MapstackError
from engine.runtime import journal, launch
from engine.runtime.job_files import JobFiles
from engine.runtime.processes import Process, identify, kill_group, memory, this_process

GRACE: Final = 3.0
"""Seconds that a worker has to heed a cancel before it is killed."""
LARGEST: Final = 2 * 2**30
"""Bytes of memory with which a worker still takes another job."""
FREE: Final = b"free\n"


def main(arguments: Sequence[str]) -> int:
    """Guard job after job; after each, start those that wait."""
    home = Path(arguments[0])
    link, workers_link = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        link.close()
        _be_worker(home, workers_link)
    workers_link.close()
    os.setpgid(pid, pid)
    worker, lives = identify(pid), True
    while lives and (id := sys.stdin.readline().strip()):
        lives = guard(JobFiles(home, id), worker, link)
        with suppress(MapstackError):  # whoever submits next starts them as well
            launch.start_waiting(home)
        if lives:
            with suppress(BrokenPipeError):  # nobody is there to give another
                os.write(1, FREE)
    kill_group(worker)
    return 0


def guard(here: JobFiles, worker: Process, link: socket.socket) -> bool:
    """Hand the job to the worker and see it through to whatever end; whether it waits for another.

    Parameters
    ----------
    here : JobFiles
        Files of the job.
    worker
        The process that does the job.
    link
        Socket to the supervisor.
    """
    with journal.lock_journal(here.home):
        journal.write(here, replace(journal.read(here), worker=worker))
    with suppress(BrokenPipeError):
        link.send(here.id.encode())
    _watch(here, worker, link)
    with suppress(ConnectionResetError):
        if link.recv(1):
            return True
    _, status = os.waitpid(worker.pid, 0)
    kill_group(worker)
    with journal.lock_journal(here.home):
        state = journal.read(here)
        if state.state == journal.RUNNING and state.guardian == this_process():
            journal.settle(here, state, error=_cause(here, os.waitstatus_to_exitcode(status)))
    return False


def _watch(here: JobFiles, worker: Process, link: socket.socket) -> None:
    """Return when the worker is done or has ended; kill it if it was cancelled and goes on."""
    deadline = None
    while not select.select([link], [], [], 0.1)[0]:
        if deadline is None and here.token.exists():
            deadline = time.monotonic() + GRACE
        if deadline is not None and time.monotonic() > deadline:
            kill_group(worker)


def _cause(here: JobFiles, code: int) -> str:
    if code == -signal.SIGKILL:
        return (
            "the process was killed (signal 9); maybe too little memory: close other work or take a smaller"
            " region, and resume the job"
        )
    if code < 0:
        return f"the process was ended by signal {-code}; see log {here.log}, and resume the job"
    return f"the process ended with code {code} without a result; see log {here.log}, and resume the job"


def _be_worker(home: Path, link: socket.socket) -> None:
    """Live as the worker: import, wait for ids, do the jobs, and never return."""
    with suppress(PermissionError):
        os.setpgid(0, 0)
    _redirect(Path(os.devnull), 0)
    _redirect(Path(os.devnull), 1)  # the guardian's, which tells when it is free
    code = 1
    try:
        threading.Thread(target=_die_with_guardian, args=(link,), daemon=True).start()
        _warm_up(link)
        while id := link.recv(64).decode():
            _do(JobFiles(home, id))
            if not _fit():
                break
            link.send(b".")
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _do(here: JobFiles) -> None:
    from engine.runtime.worker import work_apart

    _redirect(here.log, 1, 2)
    work_apart(here)
    _redirect(Path(os.devnull), 1, 2)


def _fit() -> bool:
    """Return whether this process may do another job: memory left by the last one must not slow it down."""
    return 0 < memory() < LARGEST


def _warm_up(link: socket.socket) -> None:
    """Load what jobs need, all of it if there is time before the job comes.

    What cannot be loaded fails again, with its reason told, in the job.
    """
    with suppress(Exception):
        from engine.runtime.worker import EXECUTE, execute_function

        execute_function()
        job_is_here = bool(select.select([link], [], [], 0.2)[0])
        if os.environ.get("MAPSTACK_EXECUTE", EXECUTE) == EXECUTE and not job_is_here:
            from engine.runtime.warmup import warm_up

            warm_up()


def _die_with_guardian(link: socket.socket) -> None:
    ended = select.poll()
    ended.register(link, 0)  # reports nothing but the other end's closing
    ended.poll()
    kill_group(this_process())


def _redirect(path: Path, *numbers: int) -> None:
    """Let file descriptors lead to a file."""
    mode = os.O_RDONLY if numbers == (0,) else os.O_WRONLY | os.O_CREAT | os.O_APPEND
    file = os.open(path, mode, 0o666)
    for number in numbers:
        os.dup2(file, number)
    os.close(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
