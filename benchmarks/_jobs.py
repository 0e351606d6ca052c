"""A job that is killed and resumed through the command line: what is done twice, and how much memory."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

KILLED_AT = 0.4


def killed_and_resumed(words: list[str], home: Path, *, n_parts: int, pattern: str, what: str) -> float:
    """Run `python -m engine WORDS` on 2 workers, kill it at 40 %, run it again; print times and memory.

    `pattern` is that of the files that the job keeps of what is done, `n_parts` in all. Returns the seconds
    of both runs.
    """
    command = [sys.executable, "-m", "engine", *words, "--results", str(home), "--workers", "2"]
    began = time.monotonic()
    killed = subprocess.Popen(command, start_new_session=True)
    while len(kept(home, pattern)) < KILLED_AT * n_parts:
        if killed.poll() is not None:
            raise SystemExit("the job ended before it was killed")
        time.sleep(0.5)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    first = {file.name: file.stat().st_mtime_ns for file in kept(home, pattern)}
    spent = time.monotonic() - began
    print(f"killed after {spent:.0f} s, {len(first)} of {n_parts} {what} done")
    began, memory = time.monotonic(), []
    resumed = subprocess.Popen(command, start_new_session=True)
    while resumed.poll() is None:
        now = {file.name: file.stat().st_mtime_ns for file in kept(home, pattern)}
        memory.append((len(now), used_by(resumed.pid)))
        if any(first[name] != changed for name, changed in now.items() if name in first):
            raise SystemExit("what was done was done again")
        time.sleep(1)
    spent += time.monotonic() - began
    print(f"resumed: the rest in {time.monotonic() - began:.0f} s, exit {resumed.returncode}")
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        near = [used for count, used in memory if abs(count / n_parts - share) < 0.05]
        if near:
            print(f"memory of all processes at {share:.0%}: {max(near):.2f} GiB")
    words = [sys.executable, "-m", "engine", "jobs", "list", "--results", str(home)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    print(f"progress told at the end: {told}")
    return spent


def kept(home: Path, pattern: str) -> list[Path]:
    """What is kept of finished parts while the job is under way; drafts are none."""
    return [file for file in home.glob(f"jobs/*/kept/{pattern}") if ".draft" not in file.name]


def used_by(pid: int) -> float:
    """Memory of a process and all below it, in GiB: its own, and its part of what is shared."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in family) / 2**30
    except psutil.Error:
        return 0.0
