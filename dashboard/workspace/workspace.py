"""The workspace of one visitor: what may be opened, and where jobs, exports and uploads lie.

    workspace = Workspace(roots=[Path("data_example")], home=home, cache=SharedCache(home))
    stack = workspace.open_stack("maps")              # opened, described, with pyramids
    result = workspace.open_result(job_id)            # tables in memory, maps as pyramids

One a visit. `Workspace` alone turns an address of a URL into a path. What was opened is held by the cache,
which all visits share. Opening takes time on first use: call it off the event loop.
"""

import time
from pathlib import Path
from typing import Any, Final

from dashboard.workspace.cache import SharedCache
from dashboard.workspace.datasets import Result, Stack
from engine import catalogue
from engine.analysis import STACK
from engine.errors import FileError, MapstackError
from engine.readers import open_images, split_key
from engine.recipe import Recipe, Step
from engine.runtime import jobs
from engine.runtime.paths import resolve
from engine.schema import IMAGE

EXPORTS: Final = "exports"
"""Folder in the home for files that a page wrote."""
UPLOADS: Final = "drops"
"""Folder in the home for pictures that were dropped on a page."""
OLD_SECONDS: Final = 3600
"""Age of exports of tabs that are long gone; those of a tab that closes are deleted at once."""
SKIPPED: Final = (".", "__")
"""How the names of folders begin that are not searched."""
DEPTH: Final = 3
"""Levels of folders below a root that are searched."""
LOCAL: Final = ""
"""User before there is log-in: whoever sits at this machine."""


class Workspace:
    """Roots that one user may read, and the home of their jobs, exports and uploads.

    Parameters
    ----------
    roots
        Folders whose data may be opened.
    home
        Folder of jobs and results.
    cache
        Data and results that all visits share; by default one of its own.
    pool
        Warm processes for jobs.
    user
        Who owns the jobs and edits; empty: the user of this process.
    """

    def __init__(
        self,
        roots: list[Path],
        home: Path,
        cache: SharedCache | None = None,
        *,
        pool: Any = None,
        user: str = LOCAL,
    ) -> None:
        self.roots = [root.resolve() for root in roots]
        self.home = home
        self.cache = cache or SharedCache(home)
        self.pool = pool
        self.user = user

    @property
    def exports(self) -> Path:
        """Folder for files that a page writes."""
        return self.home / EXPORTS

    @property
    def uploads(self) -> Path:
        """Folder for pictures that were dropped on a page."""
        return self.home.resolve() / UPLOADS

    # ------------------------------------------------------------ addresses
    def find_path(self, address: str) -> str:
        """Return the absolute path of an address, with its key; the only way from a URL to a file."""
        path, separator, key = address.rpartition("::") if "::" in address else (address, "", "")
        return f"{resolve(path, [*self.roots, self.uploads])}{separator}{key}"

    def find_address(self, path: str) -> str:
        """Return the address of a path inside the roots or the uploads."""
        bare, key = split_key(path)
        file = Path(bare).resolve()
        for root in (*self.roots, self.uploads):
            if file.is_relative_to(root):
                relative = str(file.relative_to(root))
                same = Path(self.find_path(relative)) == file
                return (relative if same else str(file)) + (f"::{key}" if key else "")
        raise FileError(f"{file.name} is not inside the served folders; serve the folder that holds it")

    def find_example(self, analysis: str = "kmeans") -> str | None:
        """Return the address of the example; for stacks, else of the first that can be opened."""
        declared = catalogue.find("analyses", analysis)
        for root in self.roots:
            example = root / declared.example
            if declared.example and example.exists() and is_openable(example):
                return self.find_address(str(example))
            others = (root, *_list_folders(root, DEPTH)) if declared.takes == STACK else ()
            for folder in others:
                if is_openable(folder, collections=False):
                    return self.find_address(str(folder))
        return None

    # ------------------------------------------------------------ opening
    def open_stack(self, address: str, steps: tuple[Step, ...] = ()) -> Stack:
        """Open a data set.

        Parameters
        ----------
        address
            As in the URL: relative to a root, with `::key` for a part of a file.
        steps
            Preparation steps of a recipe.

        Returns
        -------
        Stack
            Lazy images, description and pyramids.
        """
        return self.cache.open_stack(address, self.find_path(address), steps)

    def open_result(self, id: str) -> Result:
        """Open a stored result by the id of its job."""
        job = jobs.show(id, self.home)
        if job.result is None:
            raise FileError(f"result {id} is not stored ({job.state}); run it again")
        return self.cache.open_result(id, job.result)

    # ------------------------------------------------------------ jobs
    def submit(self, recipe: Recipe, *, start: bool = True) -> Any:
        """Submit a job that this user owns; it goes on when the page is closed. Call it in a thread.

        Parameters
        ----------
        recipe
            What to compute.
        start
            Start a process for it; False leaves the work to the caller.

        Returns
        -------
        Job
            The job, or the one that there is for the same recipe.
        """
        return jobs.submit(recipe, home=self.home, start=start, owner=self.user or None, pool=self.pool)

    def run(self, recipe: Recipe) -> Result:
        """Run a job to its end and open its result; call it in a thread.

        Raises
        ------
        MapstackError
            If the job fails.
        """
        job = jobs.wait(self.submit(recipe).id, self.home)
        if job.error is not None:
            raise MapstackError(job.error)
        return self.open_result(job.id)

    def list_jobs(self) -> list[Any]:
        """Return the jobs that this user may see."""
        return jobs.list(self.home)

    def list_leftovers(self) -> list[Path]:
        """Return what can be deleted: old exports, unused pyramids, and uploads that no result is of."""
        old = time.time() - OLD_SECONDS
        recipes = [job.recipe for job in self.list_jobs() if job.recipe is not None]
        sources = {Path(recipe.source).resolve() for recipe in recipes if recipe.source}
        unused = [
            folder
            for folder in self.uploads.glob("*")
            if not any(path.is_relative_to(folder) for path in sources)
        ]
        written = [*self.exports.glob("*"), *unused]
        return self.cache.list_unused_views() + [f for f in written if f.stat().st_mtime < old]


def is_openable(path: Path, *, collections: bool = True) -> bool:
    """Return whether a reader takes a file or folder.

    Parameters
    ----------
    path
        File or folder.
    collections
        Accept a folder of separate images too.

    Returns
    -------
    bool
        Whether it can be opened.
    """
    try:
        images = open_images(path)
    except MapstackError:
        return False
    return collections or IMAGE not in images.sizes


def _list_folders(root: Path, depth: int) -> list[Path]:
    """Return the folders below a root, the nearest first."""
    if depth == 0 or not root.is_dir():
        return []
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(SKIPPED))
    return folders + [below for folder in folders for below in _list_folders(folder, depth - 1)]
