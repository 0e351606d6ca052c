"""Data and results opened once for everybody: read-only, few at a time, keyed by what they hold.

    cache = SharedCache(home)
    stack = cache.open_stack("maps", source="/data/maps")     # described, with pyramids

One a process. It knows no user: `dashboard.workspace.workspace.Workspace` decides which files may be opened.
Opening takes time on first use: call it off the event loop.
"""

import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import xarray as xr

from dashboard.workspace.datasets import (
    BACKGROUND,
    MapResult,
    Result,
    Stack,
    ValueLayer,
    ValueResult,
    find_label,
)
from dashboard.workspace.object_overview import make_overview
from engine.export.store import open_result
from engine.export.value_maps import value_names
from engine.pyramid import Pyramid, label_pyramid, value_pyramid
from engine.readers import describe, digest, open_images
from engine.recipe import Recipe, Step, prepare
from engine.schema import (
    CLASSES,
    CONFIDENCE,
    ENTROPY,
    IMAGE_TABLE,
    KNOWN,
    LABEL,
    LABELS,
    OBJECT_TABLE,
    PIXEL,
    SPECTRA,
    VALUES,
    image_variables,
    is_ellipsometry,
    pixel_map,
    spectral_dim,
    table,
)
from engine.schema.columns import CLASS_TABLE, COLOR, COUNT, FRACTION, NAME
from engine.schema.kinds import CLASS_MAP, POPULATION, SORTED_IMAGES, VALUE_MAP, has, kind_of

N_STACKS: Final = 6
N_RESULTS: Final = 24
N_PLANES: Final = 12
"""Images of collections that are held in memory."""
N_SMALL: Final = 4096
"""Small pictures and grey ranges that are held in memory."""
N_SAMPLE: Final = 10**6
"""Pixels of a value map from which its histogram is made, at most."""
VIEWS: Final = "views"
"""Folder in the home for pyramids."""
THIN: Final = 64
"""Rows and columns that are read to find the plane to show first."""
EXCLUDE: Final = "exclude"
"""The one preparation step that changes no value that is shown."""

Kept = TypeVar("Kept")


class Cache(Generic[Kept]):
    """The values used last, each made once even when many threads ask for it at the same time.

    Parameters
    ----------
    size
        Number of values that are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: OrderedDict[Hashable, Kept] = OrderedDict()
        self._makers: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return the value of a key, making it if needed.

        Parameters
        ----------
        key
            What the value depends on.
        make
            Called without arguments where the value is not there.

        Returns
        -------
        object
            The kept value.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            maker = self._makers.setdefault(key, threading.Lock())
        with maker:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                self._makers.pop(key, None)
                while len(self._values) > self.size:
                    self._values.popitem(last=False)
        return value


class SharedCache:
    """Stacks, results and their pyramids, for all visits of one process.

    Parameters
    ----------
    home
        Folder of jobs and results; pyramids are stored in its folder `views`.
    """

    def __init__(self, home: Path) -> None:
        self.views = home / VIEWS
        self.planes: Cache[Stack] = Cache(N_PLANES)
        self.grey_ranges: Cache[Any] = Cache(N_SMALL)
        self.pictures: Cache[str] = Cache(N_SMALL)
        self._stacks: Cache[Stack] = Cache(N_STACKS)
        self._results: Cache[Result] = Cache(N_RESULTS)
        self._recommendations: Cache[Any] = Cache(N_RESULTS)
        self._pyramids: Cache[dict[str, Pyramid]] = Cache(N_STACKS)
        self._in_use: set[str] = set()

    def open_stack(self, address: str, source: str, steps: tuple[Step, ...] = ()) -> Stack:
        """Open a data set and prepare it.

        Parameters
        ----------
        address
            Address that the page shows and writes into the URL.
        source
            Absolute path, with `::key` for a part of a file.
        steps
            Preparation steps of a recipe.

        Returns
        -------
        Stack
            Lazy images, description and pyramids.
        """
        content = digest(source)
        key = (address, source, content, json.dumps(steps))
        return self._stacks.get(key, lambda: self._open(address, source, content, steps))

    def open_result(self, id: str, path: Path) -> Result:
        """Open a stored result.

        Parameters
        ----------
        id
            Id of its job.
        path
            Folder of the stored result.

        Returns
        -------
        Result
            Tables in memory, maps as pyramids.
        """
        self._in_use.add(id)
        return self._results.get(id, lambda: prepare_result(open_result(path), id, self.views.parent))

    def recommend_k(self, stack: Stack) -> Any:
        """Return the recommended number of classes and the figures behind it."""
        from engine.cluster import choose_k

        key = (stack.digest, json.dumps(stack.steps))
        return self._recommendations.get(key, lambda: choose_k(stack.images))

    def list_unused_views(self) -> list[Path]:
        """Return the stored pyramids of data and results that this process has not opened."""
        return [
            folder for folder in self.views.glob("*") if folder.name.rpartition("-")[0] not in self._in_use
        ]

    def _open(self, address: str, source: str, content: str, steps: tuple[Step, ...]) -> Stack:
        images = prepare(open_images(source), steps)
        lasting = json.dumps([step for step in steps if step["name"] != EXCLUDE])
        pyramids = self._pyramids.get(
            (source, content, lasting),
            lambda: self._build_pyramids(images, f"{content}-{zlib.crc32(lasting.encode())}"),
        )
        return Stack(address, content, images, describe(images), pyramids, find_richest_plane(images))

    def _build_pyramids(self, images: xr.Dataset, name: str) -> dict[str, Pyramid]:
        self._in_use.add(name)
        return {
            variable: value_pyramid(images[variable], cache=self.views / f"{name}-{variable}").build()
            for variable in image_variables(images)
        }


def find_richest_plane(images: xr.Dataset) -> int:
    """Return the index of the plane whose values differ most over the map; of ellipsometry, the first."""
    dim = spectral_dim(images)
    if dim is None or is_ellipsometry(images):
        return 0
    image = images[image_variables(images)[0]]
    thin = {axis: slice(None, None, max(1, image.sizes[axis] // THIN)) for axis in PIXEL}
    spread = image.isel(thin).astype("float64").std(PIXEL).values
    return int(np.argmax(np.nan_to_num(spread)))


def prepare_result(tree: xr.DataTree, id: str, home: Path) -> Result:
    """Prepare a result for a page: compute its tables, build the pyramids of its maps.

    Parameters
    ----------
    tree
        Result of an analysis.
    id
        Id of its job, empty where it is not stored.
    home
        Folder of jobs and results, where pyramids are kept.

    Returns
    -------
    Result
        Of the class for its kind.
    """
    recipe = Recipe.from_json(str(tree.attrs["recipe"]))
    return PREPARE[kind_of(tree).name](tree, id, home / VIEWS, recipe)


def _prepare_population(tree: xr.DataTree, id: str, views: Path, recipe: Recipe) -> Result:
    """Return a population: its maps are read one micrograph at a time."""
    del views
    classes, objects = table(tree, CLASSES).compute(), table(tree, OBJECT_TABLE).compute()
    return Result(id=id, tree=tree, recipe=recipe, classes=classes, objects=objects)


def _prepare_sorted_images(tree: xr.DataTree, id: str, views: Path, recipe: Recipe) -> Result:
    """Return sorted images, their tables in memory."""
    del views
    return Result(id=id, tree=_read_tables(tree), recipe=recipe, classes=table(tree, CLASSES).compute())


def _prepare_class_map(tree: xr.DataTree, id: str, views: Path, recipe: Recipe) -> MapResult:
    """Return a class map, its maps as pyramids."""
    classes = table(tree, CLASSES).compute()
    labels = label_pyramid(pixel_map(tree, LABELS), cache=views / f"{id}-labels").build()
    more: dict[str, Any] = {}
    if has(tree, ENTROPY):
        more["entropy"] = value_pyramid(pixel_map(tree, ENTROPY), cache=views / f"{id}-entropy").build()
    if has(tree, OBJECT_TABLE):
        overview = make_overview(labels, find_label(classes, BACKGROUND))
        more |= {"objects": table(tree, OBJECT_TABLE).compute(), "object_overview": overview}
    return MapResult(
        id=id,
        tree=tree,
        recipe=recipe,
        classes=classes,
        spectra=table(tree, SPECTRA).compute(),
        labels=labels,
        confidence=value_pyramid(pixel_map(tree, CONFIDENCE), cache=views / f"{id}-confidence").build(),
        **more,
    )


def _prepare_value_map(tree: xr.DataTree, id: str, views: Path, recipe: Recipe) -> ValueResult:
    """Return a value map, each value as a pyramid with a sample of its pixels."""
    values = table(tree, VALUES)
    layers = {}
    for name in value_names(tree):
        array = values[name]
        step = max(1, int(np.sqrt(array.size / N_SAMPLE)))
        pixels = np.asarray(array[::step, ::step].values, np.float64)
        layers[name] = ValueLayer(
            title=name,
            units=str(array.attrs.get("units", "1")),
            pixel_units=_pixel_units(array),
            pyramid=value_pyramid(array, cache=views / f"{id}-{name}").build(),
            pixels=pixels[np.isfinite(pixels)],
        )
    one = CLASS_TABLE.build({NAME: [""], COLOR: [""], COUNT: [0], FRACTION: [0.0]}, rows=[0])
    empty = one.isel({LABEL: []})
    return ValueResult(id=id, tree=tree, recipe=recipe, classes=empty, layers=layers)


def _pixel_units(array: xr.DataArray) -> str:
    """Return the units of the coordinate x, px without one."""
    dim = PIXEL[1]
    return str(array.coords[dim].attrs.get("units", "px")) if dim in array.coords else "px"


PREPARE: Final[dict[str, Callable[[xr.DataTree, str, Path, Recipe], Result]]] = {
    CLASS_MAP.name: _prepare_class_map,
    VALUE_MAP.name: _prepare_value_map,
    POPULATION.name: _prepare_population,
    SORTED_IMAGES.name: _prepare_sorted_images,
}
"""How a result of each kind is made ready for a page."""


def _read_tables(tree: xr.DataTree) -> xr.DataTree:
    """Return a result of sorted images with its tables in memory; thumbnails are read a page at a time."""
    read = tree.copy()
    for name in (IMAGE_TABLE, KNOWN):
        read[name] = xr.DataTree(table(tree, name).compute())
    return read
