"""Tests of `engine.runtime.processes`."""

import os
from pathlib import Path

from job_fakes import Bench, until

from engine.errors import CancelledError
from engine.runtime import jobs


def test_work_is_done_in_this_process_with_progress(bench: Bench) -> None:
    job = bench.submit("finish", start=False, owner="ada")
    assert (job.state, job.owner) == ("waiting", "ada")
    told = []
    done = jobs.work(job.id, bench.home, on_progress=told.append)
    assert done.state == "done"
    assert bench.trace("finish").read_text() == f"{os.getpid()}\n"
    assert [(progress.share, progress.doing) for progress in told] == [(0.5, "clustering")]


def test_a_callback_may_cancel_work_in_this_process(bench: Bench) -> None:
    def cancel(_: object) -> None:
        raise CancelledError("stop")

    job = bench.submit("heed_cancel", start=False)
    assert jobs.work(job.id, bench.home, on_progress=cancel).state == "cancelled"
    assert bench.results() == []


def test_a_spare_process_starts_a_job_at_once(bench: Bench) -> None:
    pool = jobs.Pool(bench.home)
    spare = pool.spare.process.pid
    job = jobs.wait(bench.submit("finish", pool=pool).id, bench.home, timeout=30)
    pool.close()
    assert job.state == "done"
    assert pool.spare is None
    until(lambda: not Path(f"/proc/{spare}").exists())
