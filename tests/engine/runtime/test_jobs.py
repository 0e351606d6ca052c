"""Jobs: identity, states, progress, cancel, failure, removal; with real child processes."""

import json
import os
from pathlib import Path

import pytest
from job_fakes import Bench, until

from engine.errors import CancelledError, FileError, InputError, UnknownNameError
from engine.runtime import jobs
from engine.runtime.worker import TimeLeft


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


def test_the_same_recipe_on_the_same_data_is_computed_once_wherever_the_data_lies(bench: Bench) -> None:
    first = bench.done_here("finish")
    again = jobs.submit(bench.recipe("finish", source="/moved/maps"), home=bench.home)
    other = jobs.submit(bench.recipe("finish", seed=1), home=bench.home, start=False)
    assert (again.id, again.state) == (first.id, "done")
    assert other.id != first.id
    assert bench.runs("finish") == 1


def test_a_removed_result_is_computed_again(bench: Bench) -> None:
    job = bench.done_here("finish")
    (job.result / "zarr.json").unlink()
    job.result.rmdir()
    assert bench.show(job.id).state == "interrupted"
    assert bench.done_here("finish").state == "done"
    assert bench.runs("finish") == 2


def test_work_is_done_in_this_process_with_progress(bench: Bench) -> None:
    job = bench.submit("finish", start=False, owner="ada")
    assert (job.state, job.owner) == ("waiting", "ada")
    told = []
    done = jobs.work(job.id, bench.home, on_progress=told.append)
    assert done.state == "done"
    assert bench.trace("finish").read_text() == f"{os.getpid()}\n"
    assert [(progress.share, progress.doing) for progress in told] == [(0.5, "clustering")]


def test_work_on_a_job_that_another_process_does_waits_for_it(bench: Bench) -> None:
    job = bench.running("heed_cancel")
    bench.gate("heed_cancel").touch()
    assert jobs.work(job.id, bench.home).state == "done"
    assert bench.runs("heed_cancel") == 1


def test_a_callback_may_cancel_work_in_this_process(bench: Bench) -> None:
    def cancel(_: object) -> None:
        raise CancelledError("stop")

    job = bench.submit("heed_cancel", start=False)
    assert jobs.work(job.id, bench.home, on_progress=cancel).state == "cancelled"
    assert bench.results() == []


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


def test_cancelling_what_is_done_changes_nothing(bench: Bench) -> None:
    job = bench.done_here("finish")
    assert jobs.cancel(job.id, bench.home) == job


@pytest.mark.parametrize("act", ["heed_cancel", "ignore_cancel"])
def test_cancel_takes_at_most_five_seconds_and_leaves_nothing(bench: Bench, act: str) -> None:
    job = bench.running(act)
    assert bench.results() == [f".{job.id}.zarr.0123.partial"]
    cancelled = jobs.cancel(job.id, bench.home)
    assert (cancelled.state, cancelled.error) == ("cancelled", None)
    assert bench.results() == []
    assert sorted(path.name for path in (bench.home / "jobs" / job.id).iterdir()) == [
        "log",
        "progress.json",
        "recipe.json",
        "state.json",
    ]
    until(lambda: not Path(f"/proc/{job.pid}").exists(), seconds=2)


def test_a_spare_process_starts_a_job_at_once(bench: Bench) -> None:
    pool = jobs.Pool(bench.home)
    spare = pool.spare.process.pid
    job = jobs.wait(bench.submit("finish", pool=pool).id, bench.home, timeout=30)
    pool.close()
    assert job.state == "done"
    assert pool.spare is None
    until(lambda: not Path(f"/proc/{spare}").exists())


def test_the_process_that_has_done_a_job_does_the_next(bench: Bench) -> None:
    pool = jobs.Pool(bench.home)
    for seed in (0, 1):
        until(lambda: pool.spare is not None)
        job = jobs.submit(bench.recipe("finish", seed=seed), home=bench.home, pool=pool)
        assert jobs.wait(job.id, bench.home, timeout=30).state == "done"
    pool.close()
    first, second = bench.trace("finish").read_text().split()
    assert first == second


def test_a_spare_that_is_not_needed_ends(bench: Bench) -> None:
    pool = jobs.Pool(bench.home)
    spare = pool.spare.process
    pool.close()
    assert spare.wait(timeout=10) == 0


def test_a_failed_job_tells_its_sentence_and_can_be_tried_again(bench: Bench) -> None:
    job = bench.done_here("fail")
    assert (job.state, job.error) == ("failed", "5 clusters for 3 pixels; ask for fewer clusters")
    assert bench.results() == []
    assert bench.done_here("fail").state == "failed"
    assert bench.runs("fail") == 2


def test_a_bug_is_told_in_one_sentence_and_logged_in_full(bench: Bench) -> None:
    job = bench.done_here("break_down")
    assert job.error.startswith("internal error (ZeroDivisionError: division by zero), see log ")
    assert "\n" not in job.error
    assert "Traceback" in job.log.read_text()


def test_a_full_disk_is_told(bench: Bench) -> None:
    error = bench.done_here("fill_the_disk").error
    assert error.startswith("the disk is full (")
    assert error.endswith("free some space and resume the job")


def test_an_unknown_id_is_refused(bench: Bench) -> None:
    for unknown in ("0123456789abcdef", "../../etc", "", "x\0"):
        with pytest.raises(UnknownNameError, match="list the jobs to see their ids"):
            jobs.show(unknown, bench.home)


def test_a_recipe_of_images_in_memory_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="save them and open the file"):
        jobs.submit(bench.recipe("finish", source=None, digest=None), home=bench.home)


def test_a_wrong_limit_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSTACK_MAX_JOBS", "many")
    with pytest.raises(InputError, match="MAPSTACK_MAX_JOBS is 'many'; expected a whole number from 1"):
        bench.submit("finish")


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"cannot be used: .*set MAPSTACK_HOME to another folder"):
        jobs.submit(bench.recipe("finish"), home=tmp_path / "file")


def test_the_home_is_an_environment_variable_or_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSTACK_HOME", "/somewhere")
    assert jobs.default_home() == Path("/somewhere")
    monkeypatch.delenv("MAPSTACK_HOME")
    assert jobs.default_home().name == "mapstack"


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


def test_time_left_is_the_pace_so_far_smoothed() -> None:
    time_left = TimeLeft(start=0.0)
    assert time_left(0.0, 1.0) is None
    assert time_left(0.25, 10.0) == 30.0
    # expected 25 after 5 s more; at the pace so far 15 / 0.3 * 0.7 = 35; a quarter of the way: 27.5
    assert time_left(0.3, 15.0) == 27.5
