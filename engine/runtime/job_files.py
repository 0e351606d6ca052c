"""Files of jobs: their places, and removing them.

<home>/jobs/<id>/recipe.json     what to do
<home>/jobs/<id>/state.json      how it stands
<home>/jobs/<id>/progress.json   share, doing, time left
<home>/jobs/<id>/cancel          there = somebody wants it cancelled
<home>/jobs/<id>/log             what the working process printed, and tracebacks
<home>/jobs/<id>/training.csv    figures of each epoch, where it learns
<home>/jobs/<id>/scratch/        temporary files of the working process
<home>/jobs/<id>/kept/           what is finished of it, found again if it is resumed
<home>/results/<id>.zarr         the result; it appears as a whole, so if it is there, it is complete
<home>/models/<id>/              or the model, if it learns one
    <home>/views/<id>-...            overviews of it, made by whoever shows it
"""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import FileError, UnknownNameError


@dataclass(frozen=True)
class JobFiles:
    """Files of one job."""

    home: Path
    id: str

    @property
    def folder(self) -> Path:
        """Everything about the job but its result."""
        return jobs_folder(self.home) / self.id

    @property
    def result(self) -> Path:
        """The result's store, there or not."""
        return self.home / "results" / f"{self.id}.zarr"

    @property
    def model(self) -> Path:
        """The model's folder, there or not."""
        return self.home / "models" / self.id

    @property
    def outcome(self) -> Path:
        """Output of the job: its model where there is one, else its result."""
        return self.model if self.model.is_dir() else self.result

    @property
    def state(self) -> Path:
        """File with the state."""
        return self.folder / "state.json"

    @property
    def recipe(self) -> Path:
        """File with the recipe."""
        return self.folder / "recipe.json"

    @property
    def progress(self) -> Path:
        """File with the progress."""
        return self.folder / "progress.json"

    @property
    def token(self) -> Path:
        """File that asks for the job to be cancelled."""
        return self.folder / "cancel"

    @property
    def log(self) -> Path:
        """File with the output of the working process."""
        return self.folder / "log"

    @property
    def curves(self) -> Path:
        """Figures of each epoch, as text."""
        return self.folder / "training.csv"

    @property
    def kept(self) -> Path:
        """Folder with the finished parts of a job that may be resumed."""
        return self.folder / "kept"

    @property
    def scratch(self) -> Path:
        """Temporary files of the working process."""
        return self.folder / "scratch"


def jobs_folder(home: Path) -> Path:
    """Return the folder of all jobs."""
    return home / "jobs"


def views_of(files: JobFiles) -> list[Path]:
    """Return the folders of overviews of a job's result."""
    return [*(files.home / "views").glob(f"{files.id}-*")]


def place(home: Path, id: str) -> JobFiles:
    """Return where a job of this id lies.

    Parameters
    ----------
    home : Path
        Folder of jobs and results; the user's own if not given.
    id : str
        Id of the job.

    Raises
    ------
    UnknownNameError
        If there is no such job, or the text is no id.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", id) or not (jobs_folder(home) / id).is_dir():
        raise UnknownNameError(f"no job {id!r} in {home}; list the jobs to see their ids")
    return JobFiles(home, id)


def places(home: Path) -> list[JobFiles]:
    """Return all jobs of a home, in the order of their ids."""
    with usable(home):
        if not jobs_folder(home).is_dir():
            return []
        names = sorted(entry.name for entry in os.scandir(jobs_folder(home)) if entry.is_dir())
    return [JobFiles(home, name) for name in names if re.fullmatch(r"[0-9a-f]{16}", name)]


def clean(here: JobFiles) -> None:
    """Remove temporary files and half-written results of a job that nobody works on."""
    shutil.rmtree(here.scratch, ignore_errors=True)
    for target in (here.result, here.model):
        for leftover in target.parent.glob(f".{target.name}.*"):
            shutil.rmtree(leftover, ignore_errors=True)


def remove(here: JobFiles) -> None:
    """Delete everything of a job; under the lock. What was begun and failed is no job any more."""
    with usable(here.home):
        bin = here.folder.with_name(f".removed-{here.id}-{secrets.token_hex(4)}")  # noqa: A001
        here.folder.rename(bin)
        clean(here)
        for path in (bin, here.result, here.model, *views_of(here)):
            if path.exists():
                shutil.rmtree(path)


def size(here: JobFiles) -> int:
    """Return the bytes of all files of a job, its result and its overviews."""
    return sum(map(bytes_in, (here.folder, here.outcome, *views_of(here))))


def bytes_in(folder: Path) -> int:
    """Return the bytes of all files in a folder; what others move or delete meanwhile does not count."""
    return sum(_file_size(Path(where, name)) for where, _, names in os.walk(folder) for name in names)


def _file_size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


@contextmanager
def usable(home: Path) -> Iterator[None]:
    """Turn what the system says in the block into one sentence about the home."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"the jobs' folder {home} cannot be used: {error.strerror or error};"
            " free some space, mend its permissions, or set MAPSTACK_HOME to another folder"
        ) from error
