"""What jobs' processes run in tests instead of the pipeline, and the bench on which the tests handle them."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import dask

from engine.errors import InputError
from engine.progress import report
from engine.recipe import Recipe
from engine.runtime import jobs


class Bench:
    """A home for jobs that run the fakes of this module."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def recipe(self, act: str, **changes) -> Recipe:
        """Recipe that lets the job's process act so."""
        settings = {"act": act, "trace": str(self.trace(act)), "gate": str(self.gate(act))}
        given = {"analysis": "kmeans", "settings": settings, "source": "/maps", "digest": "ab"}
        return Recipe(**{**given, **changes})

    def trace(self, act: str) -> Path:
        return self.home.parent / f"{act}.trace"

    def gate(self, act: str) -> Path:
        return self.home.parent / f"{act}.gate"

    def runs(self, act: str) -> int:
        """How often the job was really done."""
        return len(self.trace(act).read_text().splitlines()) if self.trace(act).exists() else 0

    def submit(self, act: str, **options) -> jobs.Job:
        return jobs.submit(self.recipe(act), home=self.home, **options)

    def ended(self, act: str, **options) -> jobs.Job:
        """Submit a job and return it as it ended."""
        return jobs.wait(self.submit(act, **options).id, self.home, timeout=30)

    def done_here(self, act: str) -> jobs.Job:
        """Do a job in this process and return it as it ended."""
        return jobs.work(self.submit(act, start=False).id, self.home)

    def running(self, act: str, **options) -> jobs.Job:
        """Submit a job and return it once it reports."""
        submitted = self.submit(act, **options)
        until(lambda: self.show(submitted.id).doing != "")
        return self.show(submitted.id)

    def show(self, name: str) -> jobs.Job:
        return jobs.show(name, self.home)

    def results(self) -> list[str]:
        """Everything that lies among the results, hidden or not."""
        return [path.name for path in (self.home / "results").iterdir()]

    def close(self) -> None:
        for job in jobs.list(self.home):
            jobs.cancel(job.id, self.home)


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def execute(recipe: Recipe, out: Path) -> None:
    """Act as `settings["act"]` says; note in `settings["trace"]` that it was run."""
    with Path(recipe.settings["trace"]).open("a") as trace:
        trace.write(f"{os.getpid()}\n")
    draft = out.with_name(f".{out.name}.0123.partial")
    ACTS[recipe.settings["act"]](recipe, draft)
    draft.mkdir(exist_ok=True)
    (draft / "zarr.json").write_text("{}")
    draft.rename(out)


def finish(recipe: Recipe, draft: Path) -> None:
    report(0.5, "clustering")


def heed_cancel(recipe: Recipe, draft: Path) -> None:
    """Writes something and reports until it is cancelled or `settings["gate"]` is there."""
    _write(draft)
    while not Path(recipe.settings["gate"]).exists():
        report(0.4, "clustering")
        time.sleep(0.01)


def ignore_cancel(recipe: Recipe, draft: Path) -> None:
    """Writes something and never looks whether it is cancelled; ends once `settings["gate"]` is there."""
    _write(draft)
    report(0.3, "clustering")
    while not Path(recipe.settings["gate"]).exists():
        time.sleep(0.01)


def fail(recipe: Recipe, draft: Path) -> None:
    _write(draft)
    raise InputError("5 clusters for 3 pixels; ask for fewer clusters")


def break_down(recipe: Recipe, draft: Path) -> None:
    raise ZeroDivisionError("division by zero")


def fill_the_disk(recipe: Recipe, draft: Path) -> None:
    raise OSError(28, "No space left on device", str(draft))


def run_out_of_memory(recipe: Recipe, draft: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(recipe: Recipe, draft: Path) -> None:
    os._exit(3)


def kill_its_workers(recipe: Recipe, draft: Path) -> None:
    """A computation that every worker process dies of."""
    dask.compute(dask.delayed(os._exit)(1))


def _write(draft: Path) -> None:
    draft.mkdir()
    (draft / "part").write_text("half a result")


ACTS = {
    function.__name__: function
    for function in (
        finish,
        heed_cancel,
        ignore_cancel,
        fail,
        break_down,
        fill_the_disk,
        run_out_of_memory,
        crash,
        kill_its_workers,
    )
}
