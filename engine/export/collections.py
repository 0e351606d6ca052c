"""Results of collections of micrographs, one micrograph after another for formats that hold one map."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path

import numpy as np
import xarray as xr

from engine.export.provenance import file_name
from engine.schema import (
    CLASSES,
    CONFIDENCE,
    IMAGE,
    IMAGE_TABLE,
    LABEL,
    OBJECT,
    OBJECT_TABLE,
    X,
    Y,
    table,
)
from engine.schema import columns as c

Writer = Callable[..., list[Path]]


def per_micrograph(write: Writer) -> Writer:
    """Make an exporter of one map write a file for each micrograph of a collection, named after it."""

    @wraps(write)
    def write_each(
        result: xr.DataTree, folder: str | Path, *, images: xr.Dataset | None = None
    ) -> list[Path]:
        if IMAGE not in result.dims:
            return write(result, folder, images=images)
        title = images.attrs.get("title") if images is not None else None
        return [
            path
            for single in split_micrographs(result, title=title)
            for path in write(single, folder, images=None)
        ]

    return write_each


def micrograph_names(files: Sequence[str], *, start: str = "") -> list[str]:
    """Return a name for each micrograph, made from its file's; numbered if two would be the same.

    Parameters
    ----------
    files
        File of each micrograph.
    start
        Text before each name.

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


def split_micrographs(result: xr.DataTree, *, title: str | None = None) -> Iterator[xr.DataTree]:
    """Yield the result of each micrograph of a collection: its maps in its own pixel size, and its particles.

    Micrographs that could not be read are left out.

    Parameters
    ----------
    result
        A population with the dim `image`.
    title
        Start of the name of each micrograph; the name of the source if not given.
    """
    root, micrographs = result.to_dataset(), table(result, IMAGE_TABLE).load()
    particles, classes = table(result, OBJECT_TABLE).load(), table(result, CLASSES).load()
    source = Path(str(result.attrs.get("source", ""))).name
    names = micrograph_names(micrographs[c.FILE].values.tolist(), start=f"{title or source}_")
    for n in np.flatnonzero(micrographs[c.ROWS].values > 0).tolist():
        row, own = micrographs.isel({IMAGE: n}), particles.isel({OBJECT: (particles[IMAGE] == n).values})
        plane = root.isel({IMAGE: n, Y: slice(0, int(row[c.ROWS])), X: slice(0, int(row[c.COLUMNS]))})
        plane = _scale_pixels(plane.drop_vars([c.FILE, c.PIXEL_SIZE], errors="ignore"), row)
        plane.attrs = {**result.attrs, "title": names[n]}
        yield xr.DataTree.from_dict(
            {
                "/": plane,
                f"/{CLASSES}": _count_pixels(classes, own),
                f"/{OBJECT_TABLE}": own,
                f"/{IMAGE_TABLE}": micrographs.isel({IMAGE: slice(n, n + 1)}),
            }
        )


def _count_pixels(classes: xr.Dataset, particles: xr.Dataset) -> xr.Dataset:
    """Return the table of classes with the pixels, area and confidence of these particles alone."""
    of_class = [(particles[c.CLASS] == label).values for label in classes[LABEL].values]
    pixels, sure = particles[c.AREA].values, particles[CONFIDENCE].values
    size = np.pi * particles[c.RADIUS].values ** 2
    count = np.array([pixels[there].sum() for there in of_class])
    columns = {
        c.COUNT: count.astype(np.int64),
        c.FRACTION: count / max(1.0, count.sum()),
        c.AREA: np.array([size[there].sum() for there in of_class]),
        CONFIDENCE: np.array([sure[there].mean() if there.any() else np.nan for there in of_class]),
    }
    return classes.assign(
        {name: (LABEL, column, classes[name].attrs) for name, column in columns.items() if name in classes}
    )


def _scale_pixels(plane: xr.Dataset, row: xr.Dataset) -> xr.Dataset:
    """Return the maps with coordinates in nm where only the micrograph has a pixel size."""
    size = float(row[c.PIXEL_SIZE])
    if not np.isfinite(size) or any(plane[dim].attrs.get("units", "px") != "px" for dim in (Y, X)):
        return plane
    units = {"units": row[c.PIXEL_SIZE].attrs.get("units", "nm")}
    return plane.assign_coords({dim: (dim, np.arange(plane.sizes[dim]) * size, units) for dim in (Y, X)})
