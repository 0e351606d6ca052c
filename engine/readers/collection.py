"""A folder of micrographs of whatever formats: as a list of files, and as one stack of images."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr

from engine import catalogue
from engine.errors import FileError, InputError, MapstackError
from engine.readers.dispatch import reader_of
from engine.readers.fits.frame_folder import frames_in
from engine.readers.guard import clear_errors, inside
from engine.readers.images.tiff import natural
from engine.readers.microscopes.ser import files_of_emi
from engine.readers.stack import dumps
from engine.schema import CHANNEL, IMAGE, LUMA, PIXEL, X, Y, image_variables

READERS: Final = ("micrograph", "tiff", "pictures", "fits", "npy", "hyperspy", "hdf5")
"""Readers whose files are micrographs."""

ACCOMPANIES: Final = re.compile(r".+_(masks?\.[^.]+|truth.*|labels?.*)", re.IGNORECASE)
"""Names of what lies beside images: masks, truth and labels of them."""

PIXEL_SIZE: Final = "pixel_size"
"""Coordinate of a collection: edge of each image's pixels in nm, NaN where its file tells none."""
IN_NM: Final[Mapping[str, float]] = {"nm": 1.0, "µm": 1e3, "mm": 1e6}


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is a folder with micrographs in it.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return not head and path.is_dir() and any(_is_member(file, path) for file in path.iterdir())


def files(path: Path) -> list[Path]:
    """Return the files that the images come from."""
    return members(path)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:
    """Open the micrographs of a folder lazily, dims (image, y, x), one chunk an image.

    Coordinates `file` and `pixel_size` (nm) say which is which. Colours become intensity; of images of
    different shapes the smaller ones are filled up with NaN below and on the right. Files that cannot be
    opened are told in a warning.

    Parameters
    ----------
    path
        The file or folder.
    key
        Part of it that `::KEY` picks; None for the whole.
    chunks : mapping of str to int, optional
        Pixels of a tile along `y` and `x`.

    Raises
    ------
    InputError
        If a key is given, or no file can be opened.
    """
    if key is not None:
        raise InputError(f"{path.name} is a folder of images and has no part {key!r}; leave the key out")
    planes: list[xr.DataArray] = []
    names: list[str] = []
    notes: list[str] = []
    for file in members(path):
        try:
            planes.append(_plane(file, chunks))
            names.append(file.name)
        except MapstackError as error:
            notes.append(f"{file.name} was left out: {error}.")
    if not planes:
        raise InputError(f"no file of {path.name} can be opened: {' '.join(notes[:3])}")
    edges = tuple(max(plane.sizes[dim] for plane in planes) for dim in PIXEL)
    if len({plane.shape for plane in planes}) > 1:
        notes.append("The images differ in size; the smaller ones are filled up with NaN.")
    coords = {
        "file": (IMAGE, np.array(names, dtype=str), {"units": "1", "long_name": "file"}),
        PIXEL_SIZE: (IMAGE, np.array([pixel_size(p) for p in planes]), {"units": "nm"}),
        **{
            dim: (dim, np.arange(n, dtype=np.float64), {"units": "px"})
            for dim, n in zip(PIXEL, edges, strict=True)
        },
    }
    data = da.stack([_fill_up(plane, edges) for plane in planes])
    attrs = {"units": str(planes[0].attrs.get("units", "1"))}
    return xr.Dataset({"intensity": ((IMAGE, *PIXEL), data, attrs)}, coords, {"warnings": dumps(notes)})


def _plane(file: Path, chunks: Mapping[str, int] | None) -> xr.DataArray:
    """Return one image (y, x) in one chunk, a colour picture as its luma."""
    with clear_errors(file):
        images = catalogue.find("readers", reader_of(file)).read(file, key=None, chunks=chunks)
    image = images[image_variables(images)[0]]
    if image.sizes.get(CHANNEL) in (3, 4):
        bands = [np.float32(w) * image.isel({CHANNEL: n}, drop=True) for n, w in enumerate(LUMA)]
        image = xr.DataArray(sum(bands[1:], bands[0])).assign_attrs(image.attrs)
    if set(image.dims) != set(PIXEL):
        raise InputError(f"it holds a stack with the dims {image.dims}; open it by itself")
    return xr.DataArray(image.transpose(*PIXEL).chunk(-1))


def _fill_up(plane: xr.DataArray, edges: tuple[int, ...]) -> da.Array:
    data = plane.data
    if plane.shape == edges:
        return data
    short = [(0, edge - n) for edge, n in zip(edges, plane.shape, strict=True)]
    return da.pad(data.astype(np.float32), short, constant_values=np.nan).rechunk(-1)


def without_fill(values: np.ndarray) -> np.ndarray:
    """Return an image `(y, x)` without the NaN below and on the right that it was filled up with."""
    if values.dtype.kind != "f" or np.isfinite(values[-1, -1]):
        return values
    there = np.isfinite(values)
    rows, columns = (np.flatnonzero(there.any(axis=axis)) for axis in (1, 0))
    return values[: rows[-1] + 1, : columns[-1] + 1] if rows.size else values[:1, :1]


def pixel_size(plane: xr.DataArray) -> float:
    """Return the edge of a pixel of an image `(y, x)` in nm from its coordinates, NaN without a length."""
    found = [plane.coords[dim] for dim in (Y, X) if dim in plane.coords and plane.sizes[dim] > 1]
    factors = [IN_NM.get(str(coord.attrs.get("units")), np.nan) for coord in found]
    steps = [abs(float(coord[1] - coord[0])) * f for coord, f in zip(found, factors, strict=True)]
    return float(np.mean(steps)) if len(steps) == 2 else float("nan")


def members(path: str | Path) -> list[Path]:
    """Return the micrographs of a folder, in natural order; of a file, that file.

    Files are known by their content. Left out are masks, truth and labels by their names (`NAME_mask.png`,
    `NAME_truth...`, `NAME_label...`), hidden files, links that lead out of the folder, other formats, and an
    EMI whose SER files are there. Subfolders are not looked into.

    Returns
    -------
    list of Path
        Empty if the folder holds none.

    Raises
    ------
    FileError
        If there is no such file or folder.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    try:
        found = [file for file in path.iterdir() if _is_member(file, path)]
    except OSError as error:
        raise FileError(f"{path} cannot be listed ({error.strerror}); give a folder of images") from None
    return sorted(found, key=lambda file: natural(file.name))


def images_in(folder: Path) -> list[Path]:
    """Return the FITS frames of a folder and its subfolders, or else its micrographs."""
    return frames_in(folder) or members(folder)


def _is_member(file: Path, folder: Path) -> bool:
    if file.name.startswith(".") or ACCOMPANIES.fullmatch(file.name) or not file.is_file():
        return False
    if not inside(file, folder) or (file.suffix.lower() == ".emi" and files_of_emi(file)):
        return False
    try:
        return reader_of(file) in READERS
    except MapstackError:
        return False
