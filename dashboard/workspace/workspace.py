"""Data sets and results opened once for everybody: read-only, few at a time, keyed by what they hold.

    library = Library(roots=[Path("data_example")], home=home)
    stack = library.stack("maps")                # opened, described, ready to look at
    segmentation = library.open_result(job_id)  # tables in memory, maps as pyramids

Both take time on first use: call them off the event loop.
"""

import json
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import xarray as xr

from dashboard.workspace.object_overview import ObjectOverview, make_overview
from engine.errors import FileError, MapstackError
from engine.export.store import open_result
from engine.pyramid import Pyramid, label_pyramid, value_pyramid
from engine.readers import describe, digest, open_images, split_key
from engine.recipe import Recipe, Step, prepare, recorded_steps
from engine.runtime import jobs
from engine.runtime.paths import resolve
from engine.schema import (
    CLASSES,
    CONFIDENCE,
    ENTROPY,
    FRACTIONS,
    IMAGE,
    IMAGE_TABLE,
    KNOWN,
    LABEL,
    LABELS,
    OBJECT_TABLE,
    PIXEL,
    SPECTRA,
    WARNINGS,
    image_variables,
    is_ellipsometry,
    pixel_map,
    spectral_dim,
    table,
)

N_STACKS: Final = 6
N_SEGMENTATIONS: Final = 24
N_PLANES: Final = 12
"""Micrographs of collections that are held in memory."""
N_SCALES: Final = 4096
VIEWS: Final = "views"
EXPORTS: Final = "exports"
DROPS: Final = "drops"
"""Folder in the home for pictures that were dropped on a page."""
OLD_SECONDS: Final = 3600
"""Exports of tabs that are long gone; those of a tab that closes are deleted at once."""
THIN: Final = 64
"""Rows and columns that are looked at to find the plane to show first."""
EXAMPLES: Final = {
    "kmeans": "maps",
    "unet": "mosaic/frame_000.fits",
    "particles": "hrtem",
    "micrographs": "sem",
}
"""What is shown first for an analysis, where a served root has it."""
BACKGROUND: Final = "background"
"""Name of the class of what is nothing in particular."""
SKIPPED: Final = (".", "__")
DEPTH: Final = 3
EXCLUDE: Final = "exclude"
"""The one preparation step that leaves the values to be looked at as they are."""

Kept = TypeVar("Kept")


class Cache(Generic[Kept]):
    """The last few things made, each made once even when many ask at the same time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._things: OrderedDict[Hashable, Kept] = OrderedDict()
        self._makers: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what is there for the key, making it if needed."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
            maker = self._makers.setdefault(key, threading.Lock())
        with maker:
            with self._lock:
                if key in self._things:
                    return self._things[key]
            made = make()
            with self._lock:
                self._things[key] = made
                self._makers.pop(key, None)
                while len(self._things) > self.size:
                    self._things.popitem(last=False)
        return made


@dataclass(frozen=True, eq=False)
class Stack:
    """A data set, opened: the lazy images, the reader's facts, and a pyramid a variable."""

    address: str
    """As in the URL: relative to its root."""
    digest: str
    images: xr.Dataset = field(repr=False)
    facts: dict[str, Any] = field(repr=False)
    pyramids: dict[str, Pyramid] = field(repr=False)
    first_plane: int = 0
    """Where along the spectral dim there is most to see at first."""

    @property
    def title(self) -> str:
        """Name for people."""
        return str(self.images.attrs.get("title") or Path(self.address).name or self.address)

    @property
    def source(self) -> str:
        """Absolute path."""
        return str(self.images.attrs["source"])

    @property
    def spectral(self) -> str | None:
        """Name of the spectral dim."""
        return spectral_dim(self.images)

    @property
    def variables(self) -> list[str]:
        """Names of the image variables."""
        return image_variables(self.images)

    @property
    def warnings(self) -> list[str]:
        """What the reader has to say."""
        return list(json.loads(self.images.attrs.get("warnings", "[]")))

    @property
    def steps(self) -> tuple[Step, ...]:
        """How the images were prepared."""
        return recorded_steps(self.images)

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two stacks the same pixels: content and preparation."""
        return self.digest, json.dumps(self.steps)

    @property
    def is_ellipsometry(self) -> bool:
        """Whether these are Delta and Psi."""
        return is_ellipsometry(self.images)


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """A result as a page shows it, its tables in memory; of a population of particles, this is all."""

    id: str
    """Of the stored result, empty where it is not stored (yet)."""
    tree: xr.DataTree = field(repr=False)
    recipe: Recipe = field(repr=False)
    classes: xr.Dataset = field(repr=False)
    objects: xr.Dataset | None = field(repr=False, default=None)
    """Table of the objects, where the result has them."""

    @property
    def background(self) -> int:
        """Label of what is nothing in particular, 0 if no class is called so."""
        return find_label(self.classes, BACKGROUND)

    @property
    def warnings(self) -> list[str]:
        """What the analysis has to say of these data."""
        return list(json.loads(str(self.tree.attrs.get(WARNINGS, "[]"))))


@dataclass(frozen=True, eq=False, kw_only=True)
class MapResult(Result):
    """A result of one map or frame: its maps as pyramids."""

    spectra: xr.Dataset = field(repr=False)
    labels: Pyramid = field(repr=False)
    confidence: Pyramid = field(repr=False)
    entropy: Pyramid | None = field(repr=False, default=None)
    marks: ObjectOverview | None = field(repr=False, default=None)
    """Overviews in which no object is lost, where the result has objects."""


class Workspace:
    """What one server serves: its roots, and its home of jobs and results."""

    def __init__(self, roots: list[Path], home: Path, pool: Any = None) -> None:
        self.roots = [root.resolve() for root in roots]
        self.home = home
        self.drops = home.resolve() / DROPS
        self.pool = pool
        self._stacks: Cache[Stack] = Cache(N_STACKS)
        self._segmentations: Cache[Result] = Cache(N_SEGMENTATIONS)
        self._choices: Cache[Any] = Cache(N_SEGMENTATIONS)
        self._in_use: set[str] = set()
        self.planes: Cache[Stack] = Cache(N_PLANES)
        self.scales: Cache[Any] = Cache(N_SCALES)
        self.pictures: Cache[str] = Cache(N_SCALES)
        self._pyramids: Cache[dict[str, Pyramid]] = Cache(N_STACKS)

    def path(self, address: str) -> str:
        """Return the absolute path of an address, with its key; the only way from a URL to a file."""
        path, separator, key = address.rpartition("::") if "::" in address else (address, "", "")
        return f"{resolve(path, [*self.roots, self.drops])}{separator}{key}"

    def address(self, path: str) -> str:
        """Return the address of a path inside the roots, or of what was dropped."""
        bare, key = split_key(path)
        found = Path(bare).resolve()
        for root in (*self.roots, self.drops):
            if found.is_relative_to(root):
                relative = str(found.relative_to(root))
                same = Path(self.path(relative)) == found
                return (relative if same else str(found)) + (f"::{key}" if key else "")
        raise FileError(f"{found.name} is not inside the served folders; serve the folder that holds it")

    def stack(self, address: str, steps: tuple[Step, ...] = ()) -> Stack:
        """Open a data set, prepared by the steps that a result's recipe names."""
        source = self.path(address)
        content = digest(source)
        key = (source, content, json.dumps(steps))
        return self._stacks.get(key, lambda: self._open(address, source, content, steps))

    def open_result(self, result: str) -> Result:
        """Open a stored result by the id of its job."""
        job = jobs.show(result, self.home)
        if job.result is None:
            raise FileError(f"result {result} is not stored ({job.state}); run it again")
        path = job.result
        self._in_use.add(result)
        return self._segmentations.get(result, lambda: prepare_result(open_result(path), result, self.home))

    def choice_of_k(self, stack: Stack) -> Any:
        """Return the recommended number of classes and the figures behind it."""
        from engine.cluster import choose_k

        key = (stack.digest, json.dumps(stack.steps))
        return self._choices.get(key, lambda: choose_k(stack.images))

    def example(self, analysis: str = "kmeans") -> str | None:
        """Address of the data to show first: the example, for maps else the first that can be opened."""
        for root in self.roots:
            named = root / EXAMPLES[analysis]
            others = (root, *_folders(root, DEPTH)) if analysis == "kmeans" else ()
            if named.exists() and is_openable(named):
                return self.address(str(named))
            for candidate in others:
                if is_openable(candidate, collections=False):
                    return self.address(str(candidate))
        return None

    def leftovers(self) -> list[Path]:
        """Return what can be deleted: old exports and caches, and dropped pictures that no result is of."""
        caches = [
            folder
            for folder in (self.home / VIEWS).glob("*")
            if folder.name.rpartition("-")[0] not in self._in_use
        ]
        old = time.time() - OLD_SECONDS
        recipes = [job.recipe for job in jobs.list(self.home) if job.recipe is not None]
        wanted = {Path(recipe.source).resolve() for recipe in recipes if recipe.source}
        idle = [f for f in self.drops.glob("*") if not any(path.is_relative_to(f) for path in wanted)]
        written = [*(self.home / EXPORTS).glob("*"), *idle]
        return caches + [f for f in written if f.stat().st_mtime < old]

    def _open(self, address: str, source: str, content: str, steps: tuple[Step, ...]) -> Stack:
        images = prepare(open_images(source), steps)
        lasting = json.dumps([step for step in steps if step["name"] != EXCLUDE])
        pyramids = self._pyramids.get(
            (source, content, lasting),
            lambda: self._build(images, f"{content}-{zlib.crc32(lasting.encode())}"),
        )
        return Stack(address, content, images, describe(images), pyramids, find_richest_plane(images))

    def _build(self, images: xr.Dataset, name: str) -> dict[str, Pyramid]:
        cache = self.home / VIEWS
        self._in_use.add(name)
        return {
            variable: value_pyramid(images[variable], cache=cache / f"{name}-{variable}").build()
            for variable in image_variables(images)
        }


def find_richest_plane(images: xr.Dataset) -> int:
    """Return the index of the plane whose values differ most over the map; ellipsometry starts at its first."""
    dim = spectral_dim(images)
    if dim is None or is_ellipsometry(images):
        return 0
    image = images[image_variables(images)[0]]
    thin = {axis: slice(None, None, max(1, image.sizes[axis] // THIN)) for axis in PIXEL}
    spread = image.isel(thin).astype("float64").std(PIXEL).values
    return int(np.argmax(np.nan_to_num(spread)))


def prepare_result(tree: xr.DataTree, id: str, home: Path) -> Result:
    """Prepare a result for the page: compute its tables, build the pyramids of a segmentation."""
    classes = table(tree, CLASSES).compute()
    recipe = Recipe.from_json(str(tree.attrs["recipe"]))
    if FRACTIONS in tree.children:
        objects = table(tree, OBJECT_TABLE).compute()
        return Result(id=id, tree=tree, recipe=recipe, classes=classes, objects=objects)
    if LABELS not in tree.data_vars:
        return Result(id=id, tree=_tables_read(tree), recipe=recipe, classes=classes)
    cache = home / VIEWS
    labels = label_pyramid(pixel_map(tree, LABELS), cache=cache / f"{id}-labels").build()
    more: dict[str, Any] = {}
    if ENTROPY in tree.data_vars:
        more["entropy"] = value_pyramid(pixel_map(tree, ENTROPY), cache=cache / f"{id}-entropy").build()
    if OBJECT_TABLE in tree.children:
        marks = make_overview(labels, find_label(classes, BACKGROUND))
        more |= {"objects": table(tree, OBJECT_TABLE).compute(), "marks": marks}
    return MapResult(
        id=id,
        tree=tree,
        recipe=recipe,
        classes=classes,
        spectra=table(tree, SPECTRA).compute(),
        labels=labels,
        confidence=value_pyramid(pixel_map(tree, CONFIDENCE), cache=cache / f"{id}-confidence").build(),
        **more,
    )


def _tables_read(tree: xr.DataTree) -> xr.DataTree:
    """A result of pictures with its tables in memory; the small pictures are read a page at a time."""
    read = tree.copy()
    for name in (IMAGE_TABLE, KNOWN):
        read[name] = xr.DataTree(table(tree, name).compute())
    return read


def find_label(classes: xr.Dataset, name: str) -> int:
    """Label of the class of a name, 0 if there is none."""
    names = classes["name"].values.tolist()
    return int(classes[LABEL].values[names.index(name)]) if name in names else 0


def is_openable(path: Path, *, collections: bool = True) -> bool:
    """Whether some reader takes a file or folder, as one image or stack where no collections are wanted."""
    try:
        images = open_images(path)
    except MapstackError:
        return False
    return collections or IMAGE not in images.sizes


def _folders(root: Path, depth: int) -> list[Path]:
    """Folders below a root, nearest first."""
    if depth == 0 or not root.is_dir():
        return []
    here = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(SKIPPED))
    return here + [below for folder in here for below in _folders(folder, depth - 1)]
