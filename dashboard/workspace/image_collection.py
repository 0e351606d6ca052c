"""Data that are a folder of separate images, opened one image at a time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from dashboard.workspace.datasets import Stack
from dashboard.workspace.workspace import Workspace
from engine import catalogue
from engine.analysis import COLLECTION, LABELLED
from engine.errors import MapstackError
from engine.preprocess.intensity import frames
from engine.pyramid import value_pyramid
from engine.readers import digest, open_images
from engine.readers.collection import PIXEL_SIZE, without_fill
from engine.recipe import Step, prepare
from engine.schema import IMAGE, PIXEL, image_variables
from engine.schema import columns as c


def open_data(workspace: Workspace, analysis: str, address: str, steps: tuple[Step, ...] = ()) -> Stack:
    """Open data in the way that an analysis takes them; takes a moment: call it in a thread.

    Parameters
    ----------
    workspace
        Where addresses are looked up.
    analysis
        Name of the analysis in the catalogue.
    address
        As in the URL.
    steps
        Preparation steps of a recipe.

    Returns
    -------
    Stack
        The opened data.
    """
    takes = catalogue.find("analyses", analysis).takes
    return OPENERS.get(takes, Workspace.open_stack)(workspace, address, steps)


def open_collection(
    workspace: Workspace, address: str, steps: tuple[Step, ...] = (), *, reader: str = COLLECTION
) -> Stack:
    """Open an image or a folder of them; only the first is read, for its thumbnail.

    Parameters
    ----------
    workspace
        Where the address is looked up.
    address
        As in the URL.
    steps
        Preparation steps of a recipe.
    reader
        Name of the reader that opens a folder.

    Returns
    -------
    Stack
        Lazy images, with the pyramid of the first.
    """
    source = workspace.find_path(address)
    images = prepare(open_images(source, reader=reader if Path(source).is_dir() else None), steps)
    stack = Stack(address, digest(source), images, {}, {})
    return replace(stack, pyramids=load_image(workspace, stack, 0).pyramids)


def open_image_folder(workspace: Workspace, address: str, steps: tuple[Step, ...] = ()) -> Stack:
    """Open an image or a folder of images, labelled or not; only the first is read, for its thumbnail.

    Parameters
    ----------
    workspace
        Where the address is looked up.
    address
        As in the URL.
    steps
        Preparation steps of a recipe.

    Returns
    -------
    Stack
        Lazy images; uploads have the title "n dropped pictures".
    """
    stack = open_collection(workspace, address, steps, reader=LABELLED)
    if not Path(stack.source).is_relative_to(workspace.uploads) or IMAGE not in stack.images.sizes:
        return stack
    title = f"{stack.images.sizes[IMAGE]} dropped pictures"
    return replace(stack, images=stack.images.assign_attrs(title=title))


OPENERS: Final[Mapping[str, Callable[[Workspace, str, tuple[Step, ...]], Stack]]] = {
    COLLECTION: open_collection,
    LABELLED: open_image_folder,
}
"""How data are opened by what an analysis takes, where they are not a stack or a frame."""


def load_image(workspace: Workspace, stack: Stack, number: int) -> Stack:
    """Load one image of a collection into memory, with its own pixel size.

    Parameters
    ----------
    workspace
        Whose cache keeps the image.
    stack
        The collection.
    number
        Index of the image.

    Returns
    -------
    Stack
        The image without fill, with coordinates of its own.
    """
    return workspace.cache.planes.get((stack.identity, number), lambda: _load_image(stack, number))


def _load_image(stack: Stack, number: int) -> Stack:
    plane = _load_plane(stack.images, number)
    rows, columns = without_fill(plane.values).shape
    plane = plane[:rows, :columns]
    name = image_variables(stack.images)[0]
    images = xr.Dataset({name: plane.drop_vars([IMAGE, "file"], errors="ignore")}, attrs=stack.images.attrs)
    images = _scale_coordinates(images)
    pyramids = {name: value_pyramid(images[name]).build()}
    return Stack(stack.address, f"{stack.digest}-{number}", images, {}, pyramids)


def _load_plane(images: xr.Dataset, number: int) -> xr.DataArray:
    """Load one image `(y, x)` into memory."""
    if IMAGE not in images.sizes:
        return frames(images)[number].compute()
    images_of_one = images[image_variables(images)[0]].isel({IMAGE: slice(number, number + 1)})
    return images_of_one.compute().isel({IMAGE: 0})


def read_values(stack: Stack, number: int) -> np.ndarray | None:
    """Read an image of a collection.

    Parameters
    ----------
    stack
        The collection.
    number
        Index of the image.

    Returns
    -------
    ndarray (y, x) or None
        Its values without fill; None where it cannot be read.
    """
    try:
        return without_fill(np.asarray(_load_plane(stack.images, number).values))
    except MapstackError:
        return None


def _scale_coordinates(images: xr.Dataset) -> xr.Dataset:
    """Return an image with coordinates in nm where only the collection knows its pixel size."""
    size = float(images.coords[PIXEL_SIZE]) if PIXEL_SIZE in images.coords else np.nan
    images = images.drop_vars(PIXEL_SIZE, errors="ignore")
    if not np.isfinite(size) or any(images[dim].attrs.get("units", "px") != "px" for dim in PIXEL):
        return images
    coords = {dim: (dim, np.arange(images.sizes[dim]) * size, {"units": "nm"}) for dim in PIXEL}
    return images.assign_coords(coords)


def count_images(stack: Stack) -> int:
    """Return the number of images of a collection, 1 for a single image."""
    return int(stack.images.sizes.get(IMAGE, 1))


def file_names(stack: Stack) -> list[str]:
    """Return the file names of the images."""
    if c.FILE in stack.images.coords:
        return [str(name) for name in stack.images[c.FILE].values]
    return [Path(stack.source.partition("::")[0]).name]
