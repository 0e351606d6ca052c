"""Tests of `engine.runtime.job`: A job as others see it, read from its files."""

import json
import os

import pytest
from job_fakes import Bench, until

from engine.errors import InputError
from engine.runtime import jobs


def test_a_job_runs_in_another_process_and_its_result_appears(bench: Bench) -> None:
    job = bench.ended("finish")
    assert (job.state, job.error, job.progress, job.pid) == ("done", None, 1.0, None)
    assert job.result == bench.home / "results" / f"{job.id}.zarr"
    assert bench.results() == [f"{job.id}.zarr"]
    assert bench.trace("finish").read_text() != f"{os.getpid()}\n"
    assert job.created <= job.started <= job.ended
    assert job.recipe == bench.recipe("finish")


def test_a_job_is_json(bench: Bench) -> None:
    document = json.loads(json.dumps(bench.done_here("finish").to_dict()))
    assert {"id", "state", "progress", "doing", "left", "recipe", "result", "error"} <= set(document)
    assert document["recipe"]["analysis"] == "kmeans"


def test_work_on_a_job_that_another_process_does_waits_for_it(bench: Bench) -> None:
    job = bench.running("heed_cancel")
    bench.gate("heed_cancel").touch()
    assert jobs.work(job.id, bench.home).state == "done"
    assert bench.runs("heed_cancel") == 1


def test_a_running_job_shows_its_progress_and_process(bench: Bench) -> None:
    job = bench.running("heed_cancel")
    assert (job.state, job.progress, job.doing, job.result) == ("running", 0.4, "clustering", None)
    assert f"{job.pid}\n" == bench.trace("heed_cancel").read_text()
    assert [found.id for found in jobs.list(bench.home)] == [job.id]


def test_no_more_jobs_run_than_allowed_and_the_next_starts_when_one_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSTACK_MAX_JOBS", "1")
    first = bench.running("heed_cancel")
    second = bench.submit("finish")
    assert second.state == "waiting"
    bench.gate("heed_cancel").touch()
    assert jobs.wait(first.id, bench.home, timeout=30).state == "done"
    assert jobs.wait(second.id, bench.home, timeout=30).state == "done"


def test_a_waiting_job_can_be_cancelled_and_resumed(bench: Bench) -> None:
    job = bench.submit("finish", start=False)
    assert jobs.cancel(job.id, bench.home).state == "cancelled"
    assert jobs.resume(job.id, bench.home).state in ("running", "done")
    assert jobs.wait(job.id, bench.home, timeout=30).state == "done"


def test_the_process_that_has_done_a_job_does_the_next(bench: Bench) -> None:
    pool = jobs.Pool(bench.home)
    for seed in (0, 1):
        until(lambda: pool.spare is not None)
        job = jobs.submit(bench.recipe("finish", seed=seed), home=bench.home, pool=pool)
        assert jobs.wait(job.id, bench.home, timeout=30).state == "done"
    pool.close()
    first, second = bench.trace("finish").read_text().split()
    assert first == second


def test_a_failed_job_tells_its_sentence_and_can_be_tried_again(bench: Bench) -> None:
    job = bench.done_here("fail")
    assert (job.state, job.error) == ("failed", "5 clusters for 3 pixels; ask for fewer clusters")
    assert bench.results() == []
    assert bench.done_here("fail").state == "failed"
    assert bench.runs("fail") == 2


def test_a_removed_job_is_gone_with_its_result_and_the_overviews_of_it(bench: Bench) -> None:
    job = bench.done_here("finish")
    before = jobs.size(job.id, bench.home)
    assert before > len(bench.recipe("finish").to_json())
    overviews = bench.home / "views" / f"{job.id}-labels"
    overviews.mkdir(parents=True)
    (overviews / "chunk").write_bytes(bytes(1000))
    assert jobs.size(job.id, bench.home) == before + 1000
    jobs.remove(job.id, bench.home)
    assert jobs.list(bench.home) == []
    assert bench.results() == []
    assert not overviews.exists()


def test_a_running_job_is_not_removed(bench: Bench) -> None:
    job = bench.running("heed_cancel")
    with pytest.raises(InputError, match="is running; cancel it before you remove it"):
        jobs.remove(job.id, bench.home)
