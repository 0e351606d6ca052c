"""Jobs: identity, states, progress, cancel, failure, removal; with real child processes."""

from pathlib import Path

import pytest
from job_fakes import Bench, until

from engine.errors import FileError, InputError, UnknownNameError
from engine.runtime import jobs


def test_the_same_recipe_on_the_same_data_is_computed_once_wherever_the_data_lies(bench: Bench) -> None:
    first = bench.done_here("finish")
    again = jobs.submit(bench.recipe("finish", source="/moved/maps"), home=bench.home)
    other = jobs.submit(bench.recipe("finish", seed=1), home=bench.home, start=False)
    assert (again.id, again.state) == (first.id, "done")
    assert other.id != first.id
    assert bench.runs("finish") == 1


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


def test_a_spare_that_is_not_needed_ends(bench: Bench) -> None:
    pool = jobs.Pool(bench.home)
    spare = pool.spare.process
    pool.close()
    assert spare.wait(timeout=10) == 0


def test_an_unknown_id_is_refused(bench: Bench) -> None:
    for unknown in ("0123456789abcdef", "../../etc", "", "x\0"):
        with pytest.raises(UnknownNameError, match="list the jobs to see their ids"):
            jobs.show(unknown, bench.home)


def test_a_recipe_of_images_in_memory_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="save them and open the file"):
        jobs.submit(bench.recipe("finish", source=None, digest=None), home=bench.home)


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"cannot be used: .*set MAPSTACK_HOME to another folder"):
        jobs.submit(bench.recipe("finish"), home=tmp_path / "file")


def test_the_home_is_an_environment_variable_or_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSTACK_HOME", "/somewhere")
    assert jobs.default_home() == Path("/somewhere")
    monkeypatch.delenv("MAPSTACK_HOME")
    assert jobs.default_home().name == "mapstack"


def test_a_removed_result_is_computed_again(bench: Bench) -> None:
    job = bench.done_here("finish")
    (job.result / "zarr.json").unlink()
    job.result.rmdir()
    assert bench.show(job.id).state == "interrupted"
    assert bench.done_here("finish").state == "done"
    assert bench.runs("finish") == 2


def test_a_bug_is_told_in_one_sentence_and_logged_in_full(bench: Bench) -> None:
    job = bench.done_here("break_down")
    assert job.error.startswith("internal error (ZeroDivisionError: division by zero), see log ")
    assert "\n" not in job.error
    assert "Traceback" in job.log.read_text()


def test_a_full_disk_is_told(bench: Bench) -> None:
    error = bench.done_here("fill_the_disk").error
    assert error.startswith("the disk is full (")
    assert error.endswith("free some space and resume the job")
