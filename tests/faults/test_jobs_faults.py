"""Jobs survive the death of any process and damaged files; their state is clear afterwards."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from job_fakes import Bench, until

from engine.runtime import jobs
from engine.runtime.client import connect, workers_alive
from engine.runtime.processes import alive, identify

SUBMIT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from job_fakes import Bench
bench = Bench(Path(sys.argv[1]))
times = int(sys.argv[3])
with ThreadPoolExecutor(times) as threads:
    submitted = threads.map(bench.submit, [sys.argv[2]] * times)
    print(json.dumps([job.id for job in submitted]), flush=True)
sys.stdin.read()
"""


def stored(bench: Bench, job: jobs.Job) -> dict:
    return json.loads((bench.home / "jobs" / job.id / "state.json").read_text())


def store(bench: Bench, job: jobs.Job, **changes) -> None:
    state = {**stored(bench, job), **changes}
    (bench.home / "jobs" / job.id / "state.json").write_text(json.dumps(state))


def submitter(bench: Bench, act: str, times: int) -> subprocess.Popen:
    """Another process that submits and then stays."""
    command = [sys.executable, "-c", SUBMIT, str(bench.home), act, str(times)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        ("run_out_of_memory", "the process was killed (signal 9); maybe too little memory"),
        ("crash", "the process ended with code 3 without a result; see log"),
    ],
)
def test_a_worker_that_dies_leaves_a_failed_job_with_its_cause(bench: Bench, act: str, cause: str) -> None:
    job = bench.ended(act)
    assert job.state == "failed"
    assert job.error.startswith(cause)


def test_a_killed_worker_leaves_no_half_result_and_the_job_can_be_resumed(bench: Bench) -> None:
    job = bench.running("ignore_cancel")
    os.kill(job.pid, signal.SIGKILL)
    assert jobs.wait(job.id, bench.home, timeout=5).state == "failed"
    assert bench.results() == []
    bench.gate("ignore_cancel").touch()
    jobs.resume(job.id, bench.home)
    assert jobs.wait(job.id, bench.home, timeout=30).state == "done"
    assert bench.results() == [f"{job.id}.zarr"]


def test_a_killed_guardian_takes_the_worker_along_and_the_job_is_interrupted(bench: Bench) -> None:
    job = bench.running("ignore_cancel")
    worker = identify(job.pid)
    os.kill(stored(bench, job)["guardian"]["pid"], signal.SIGKILL)
    until(lambda: not alive(worker), seconds=5)
    interrupted = bench.show(job.id)
    assert interrupted.state == "interrupted"
    assert interrupted.error == "the process that worked on this job is gone; resume the job"
    jobs.start_waiting(bench.home)  # what a server does when it starts
    assert bench.results() == []
    assert stored(bench, job)["state"] == "interrupted"
    bench.gate("ignore_cancel").touch()
    assert jobs.wait(jobs.resume(job.id, bench.home).id, bench.home, timeout=30).state == "done"


def test_a_job_outlives_the_kill_of_the_process_that_submitted_it(bench: Bench) -> None:
    server = submitter(bench, "heed_cancel", 1)
    server.stdout.readline()
    (job,) = jobs.list(bench.home)
    until(lambda: bench.show(job.id).doing != "")
    server.kill()
    server.communicate()
    assert bench.show(job.id).state == "running"
    bench.gate("heed_cancel").touch()
    assert jobs.wait(job.id, bench.home, timeout=30).state == "done"


def test_twenty_identical_submissions_from_two_processes_are_one_computation(bench: Bench) -> None:
    submitters = [submitter(bench, "heed_cancel", 10) for _ in range(2)]
    ids = [name for process in submitters for name in json.loads(process.stdout.readline())]
    assert len(ids) == 20
    assert len(set(ids)) == 1
    bench.gate("heed_cancel").touch()
    assert jobs.wait(ids[0], bench.home, timeout=30).state == "done"
    for process in submitters:
        process.communicate()
    assert bench.runs("heed_cancel") == 1


def test_a_number_that_another_process_has_now_does_not_keep_a_job_running(bench: Bench) -> None:
    job = bench.submit("finish", start=False)
    store(bench, job, state="running", guardian={"pid": os.getpid(), "started": "1"}, worker=None)
    assert bench.show(job.id).state == "interrupted"


def test_a_result_that_was_stored_before_the_crash_counts(bench: Bench) -> None:
    job = bench.done_here("finish")
    dead = {"pid": os.getpid(), "started": "1"}
    store(bench, job, state="running", guardian=dead, worker=dead, ended=None)
    assert bench.show(job.id).state == "done"
    assert bench.done_here("finish").state == "done"
    assert bench.runs("finish") == 1


def test_a_cancel_that_nobody_lived_to_heed_is_a_cancelled_job(bench: Bench) -> None:
    job = bench.submit("finish", start=False)
    store(bench, job, state="running", guardian={"pid": os.getpid(), "started": "1"}, worker=None)
    (bench.home / "jobs" / job.id / "cancel").touch()
    assert bench.show(job.id).state == "cancelled"


def test_jobs_that_wait_start_when_the_next_server_starts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSTACK_MAX_JOBS", "1")
    first = bench.running("ignore_cancel")
    second = bench.submit("finish")
    for process in (stored(bench, first)["guardian"], stored(bench, first)["worker"]):
        os.kill(process["pid"], signal.SIGKILL)
    until(lambda: bench.show(first.id).state == "interrupted", seconds=5)
    assert bench.show(second.id).state == "waiting"
    jobs.start_waiting(bench.home)
    assert jobs.wait(second.id, bench.home, timeout=30).state == "done"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00", b'{"state": "eating"}', b"null"])
def test_a_damaged_state_is_a_failed_job_that_can_be_submitted_again_or_removed(
    bench: Bench, content: bytes
) -> None:
    job = bench.submit("finish", start=False)
    (bench.home / "jobs" / job.id / "state.json").write_bytes(content)
    (damaged,) = jobs.list(bench.home)
    assert damaged.state == "failed"
    assert damaged.error.endswith("cannot be read: its content is damaged; submit the job again or remove it")
    assert jobs.work(bench.submit("finish", start=False).id, bench.home).state == "done"
    jobs.remove(job.id, bench.home)


def test_a_cancelled_job_takes_its_own_worker_processes_along(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSTACK_WORKERS", "1")
    job = bench.running("ignore_cancel")
    family = psutil.Process(job.pid).children(recursive=True)
    assert family != []
    assert jobs.cancel(job.id, bench.home).state == "cancelled"
    psutil.wait_procs(family, timeout=5)
    assert [process for process in family if alive(identify(process.pid))] == []
    assert not (bench.home / "jobs" / job.id / "scratch").exists()


def test_a_job_that_always_kills_its_worker_fails_and_the_pool_is_whole_again(bench: Bench) -> None:
    with connect(workers=1) as client:
        job = bench.done_here("kill_its_workers")
        assert job.state == "failed"
        assert job.error.startswith("every worker process that took up this job died")
        until(lambda: workers_alive(client) == 1, seconds=10)


def test_a_damaged_recipe_is_a_failed_job_and_no_other_job_suffers(bench: Bench) -> None:
    good = bench.done_here("finish")
    bad = bench.submit("fail", start=False)
    (bench.home / "jobs" / bad.id / "recipe.json").write_text("{}")
    (bench.home / "jobs" / "0123456789abcdef").mkdir()
    (bench.home / "jobs" / "notes.txt").touch()
    states = {job.id: job.state for job in jobs.list(bench.home)}
    assert states == {good.id: "done", bad.id: "failed", "0123456789abcdef": "failed"}
    assert "submit it again or remove the job" in bench.show(bad.id).error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_state_without_permission_is_a_failed_job(bench: Bench) -> None:
    job = bench.submit("finish", start=False)
    (bench.home / "jobs" / job.id / "state.json").chmod(0)
    assert "Permission denied" in bench.show(job.id).error


def test_a_worker_that_cannot_import_the_work_fails_with_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSTACK_EXECUTE", "no_such_module:execute")
    job = bench.ended("finish")
    assert job.error.startswith("internal error (ModuleNotFoundError: No module named 'no_such_module')")


def test_nothing_but_the_result_and_the_journal_remains_after_all_this(bench: Bench, tmp_path: Path) -> None:
    for act in ("finish", "fail", "crash"):
        bench.ended(act)
    assert len(bench.results()) == 1
    hidden = [path.name for path in (bench.home / "jobs").rglob(".*")]
    assert hidden == [".lock"]
