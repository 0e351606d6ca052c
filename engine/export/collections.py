"""Results of collections of micrographs, one micrograph after another for formats that hold one map."""

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema import CLASSES, IMAGE, IMAGE_TABLE, OBJECT, OBJECT_TABLE, X, Y, table

Writer = Callable[..., list[Path]]
PIXEL_SIZE = "pixel_size"


def is_population(result: xr.DataTree) -> bool:
    """Whether the result is one of particles, each with a class of its own."""
    return IMAGE_TABLE in result.children and OBJECT_TABLE in result.children


def check_population(result: xr.DataTree, *, what: str) -> None:
    """Refuse a result without particles.

    Raises
    ------
    InputError
        If the result is no population; `what` is what it was to become.
    """
    if not is_population(result):
        raise InputError(f"{what} is of particles, and the result has none; give a result of 'particles'")


def per_micrograph(write: Writer) -> Writer:
    """Make an exporter of one map write a file for each micrograph of a collection, named after it."""

    @wraps(write)
    def each(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
        if IMAGE not in result.dims:
            return write(result, folder, images=images)
        title = images.attrs.get("title") if images is not None else None
        return [
            path
            for single in micrographs_of(result, title=title)
            for path in write(single, folder, images=None)
        ]

    return each


def of_particles(what: str) -> Callable[[Writer], Writer]:
    """Make an exporter refuse a result without particles; `what` is what it was to become."""

    def decorate(write: Writer) -> Writer:
        @wraps(write)
        def checked(
            result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None
        ) -> list[Path]:
            check_population(result, what=what)
            return write(result, folder, images=images)

        checked.analysis = "particles"  # type: ignore[attr-defined]  # elsewhere it is not offered
        return checked

    return decorate


def micrographs_of(result: xr.DataTree, *, title: str | None = None) -> Iterator[xr.DataTree]:
    """The result of each micrograph of a collection: its maps, with its own pixel size, and its particles."""
    root, micrographs = result.to_dataset(), table(result, IMAGE_TABLE).load()
    particles = table(result, OBJECT_TABLE).load()
    source = Path(str(result.attrs.get("source", ""))).name
    for n in range(micrographs.sizes[IMAGE]):
        row = micrographs.isel({IMAGE: n})
        plane = root.isel({IMAGE: n, Y: slice(0, int(row["rows"])), X: slice(0, int(row["columns"]))})
        plane = _with_own_pixels(plane.drop_vars(["file", PIXEL_SIZE], errors="ignore"), row)
        plane.attrs = {**result.attrs, "title": f"{title or source}_{Path(str(row['file'].values)).stem}"}
        yield xr.DataTree.from_dict(
            {
                "/": plane,
                f"/{CLASSES}": table(result, CLASSES),
                f"/{OBJECT_TABLE}": particles.isel({OBJECT: (particles[IMAGE] == n).values}),
                f"/{IMAGE_TABLE}": micrographs.isel({IMAGE: slice(n, n + 1)}),
            }
        )


def _with_own_pixels(plane: xr.Dataset, row: xr.Dataset) -> xr.Dataset:
    """Coordinates in nm where this micrograph has a pixel size and the collection has no common one."""
    size = float(row[PIXEL_SIZE])
    if not np.isfinite(size) or any(plane[dim].attrs.get("units", "px") != "px" for dim in (Y, X)):
        return plane
    units = {"units": row[PIXEL_SIZE].attrs.get("units", "nm")}
    return plane.assign_coords({dim: (dim, np.arange(plane.sizes[dim]) * size, units) for dim in (Y, X)})
