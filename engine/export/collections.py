"""Results of collections of micrographs, one micrograph after another for formats that hold one map."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.export.provenance import file_name
from engine.schema import (
    CLASSES,
    CONFIDENCE,
    IMAGE,
    IMAGE_TABLE,
    LABEL,
    LABELS,
    OBJECT,
    OBJECT_TABLE,
    X,
    Y,
    table,
)

Writer = Callable[..., list[Path]]
PIXEL_SIZE = "pixel_size"
OF_MAPS = ("kmeans", "unet", "particles")
"""Analyses whose results have a map of labels."""


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


def offered_for(*analyses: str) -> Callable[[Writer], Writer]:
    """Say whose results an exporter is for; elsewhere it is not offered."""

    def decorate(write: Writer) -> Writer:
        write.analyses = analyses  # type: ignore[attr-defined]
        return write

    return decorate


def per_micrograph(write: Writer) -> Writer:
    """Make an exporter of one map write a file for each micrograph of a collection, named after it."""

    @offered_for(*OF_MAPS)
    @wraps(write)
    def each(result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None) -> list[Path]:
        if LABELS not in result.data_vars:
            raise InputError(
                "pictures that were classified as a whole have no map for this format; export them to csv,"
                " parquet, html or figure"
            )
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
        @offered_for("particles")
        @wraps(write)
        def checked(
            result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None
        ) -> list[Path]:
            check_population(result, what=what)
            return write(result, folder, images=images)

        return checked

    return decorate


def micrograph_names(files: Sequence[str], *, start: str = "") -> list[str]:
    """Names for what is written of each micrograph, after its file; numbered if two would be the same.

    Examples
    --------
    >>> micrograph_names(["a.tif", "b.tif"], start="sample_"), micrograph_names(["a.tif", "A.png"])
    (['sample_a', 'sample_b'], ['a_1', 'A_2'])
    """
    names = [file_name(f"{start}{Path(file).stem}") for file in files]
    if len({name.casefold() for name in names} - {""}) == len(names):
        return names
    cut = [name.encode()[:90].decode(errors="ignore") for name in names]
    return [file_name(f"{name}_{n}") for n, name in enumerate(cut, start=1)]


def micrographs_of(result: xr.DataTree, *, title: str | None = None) -> Iterator[xr.DataTree]:
    """The result of each micrograph of a collection: its maps, with its own pixel size, and its particles.

    Micrographs that could not be read are left out.
    """
    root, micrographs = result.to_dataset(), table(result, IMAGE_TABLE).load()
    particles, classes = table(result, OBJECT_TABLE).load(), table(result, CLASSES).load()
    source = Path(str(result.attrs.get("source", ""))).name
    names = micrograph_names(micrographs["file"].values.tolist(), start=f"{title or source}_")
    for n in np.flatnonzero(micrographs["rows"].values > 0).tolist():
        row, own = micrographs.isel({IMAGE: n}), particles.isel({OBJECT: (particles[IMAGE] == n).values})
        plane = root.isel({IMAGE: n, Y: slice(0, int(row["rows"])), X: slice(0, int(row["columns"]))})
        plane = _with_own_pixels(plane.drop_vars(["file", PIXEL_SIZE], errors="ignore"), row)
        plane.attrs = {**result.attrs, "title": names[n]}
        yield xr.DataTree.from_dict(
            {
                "/": plane,
                f"/{CLASSES}": _recounted(classes, own),
                f"/{OBJECT_TABLE}": own,
                f"/{IMAGE_TABLE}": micrographs.isel({IMAGE: slice(n, n + 1)}),
            }
        )


def _recounted(classes: xr.Dataset, particles: xr.Dataset) -> xr.Dataset:
    """The table of classes with what it says of pixels counted anew, of these particles alone."""
    of_class = [(particles["class"] == label).values for label in classes[LABEL].values]
    pixels, sure = particles["area"].values, particles[CONFIDENCE].values
    size = np.pi * particles["radius"].values ** 2
    count = np.array([pixels[there].sum() for there in of_class])
    columns = {
        "count": count.astype(np.int64),
        "fraction": count / max(1.0, count.sum()),
        "area": np.array([size[there].sum() for there in of_class]),
        CONFIDENCE: np.array([sure[there].mean() if there.any() else np.nan for there in of_class]),
    }
    return classes.assign(
        {name: (LABEL, column, classes[name].attrs) for name, column in columns.items() if name in classes}
    )


def _with_own_pixels(plane: xr.Dataset, row: xr.Dataset) -> xr.Dataset:
    """Coordinates in nm where this micrograph has a pixel size and the collection has no common one."""
    size = float(row[PIXEL_SIZE])
    if not np.isfinite(size) or any(plane[dim].attrs.get("units", "px") != "px" for dim in (Y, X)):
        return plane
    units = {"units": row[PIXEL_SIZE].attrs.get("units", "nm")}
    return plane.assign_coords({dim: (dim, np.arange(plane.sizes[dim]) * size, units) for dim in (Y, X)})
