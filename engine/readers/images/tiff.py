"""TIFF: an image, a multi-page file or a folder of single pages, with their pixel sizes where they tell."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError, MapstackError
from engine.readers.guard import clear_errors, inside, judge
from engine.readers.microscopes.sem_metadata import Acquisition, find_text_beside, read_metadata
from engine.readers.source import Planes, Source, Window, lazy, load_planes, stamp, tile_chunks, whole
from engine.readers.stack import Coordinate, axis, stack
from engine.schema import CHANNEL, IMAGE, PIXEL, X, Y

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SUFFIXES: Final = (".tif", ".tiff")
NUMBERS: Final = "fiub"
MOST_FILES: Final = 100_000
AXES: Final[Mapping[str, str]] = {"Y": Y, "X": X, "S": CHANNEL, "C": CHANNEL, "T": IMAGE}
"""Letters of tifffile for axes; every other leading axis is taken as channels."""


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is a TIFF, or a folder that holds nothing else.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(MAGIC) or (not head and path.is_dir() and bool(_pages(path)))


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open a file, or a folder's files in natural order as channels, lazily.

    Attr `palette` of the images as of other pictures with a palette; attrs `magnification`, `voltage` (kV),
    `working_distance` (mm), `detector` and `instrument` of a file where an electron microscope wrote them.

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
        If there is no image or stack of numbers, or the file is a bomb.
    """
    return _read_folder(path) if path.is_dir() else _read_file(path, key)


def files(path: Path) -> list[Path]:
    """Return the files that the images come from; of one picture also a microscope's text beside it."""
    if path.is_dir():
        return _pages(path)
    text = find_text_beside(path)
    return [path] if text is None else [path, text]


def _read_file(path: Path, key: str | None) -> xr.Dataset:
    import tifffile

    with tifffile.TiffFile(path) as file:
        number = _number(key, len(file.series), path)
        series = file.series[number]
        others = len(file.series) - 1
        dims = _dims(path, series)
        data = _lazy(path, number, series, dims)
        taken = Acquisition() if number else read_metadata(path, file)
        sizes = dict(zip(dims, data.shape, strict=True))
        coords = _pixel_coords(file, sizes) or taken.coords(sizes[Y], sizes[X])
        colours = _palette(series, dims)
    notes = (
        [f"The file holds {others} more images of other sizes; open them as FILE::1 and so on."]
        if others
        else []
    )
    notes += taken.notes
    return stack(data, dims=dims, coords=coords, notes=notes).assign_attrs({**taken.attrs(), **colours})


def _palette(series: Any, dims: tuple[str, ...]) -> dict[str, str]:
    """Attr `palette`: the red, green and blue of each number of a plain image with a palette."""
    colours = getattr(series.keyframe, "colormap", None)
    if colours is None or dims != PIXEL or series.dtype != np.uint8:
        return {}
    return {"palette": json.dumps((np.asarray(colours)[:, :256].T >> 8).tolist())}


def _number(key: str | None, n_series: int, path: Path) -> int:
    if key is not None and (not key.isdecimal() or int(key) >= n_series):
        raise InputError(f"{path.name} has no image {key!r}; there are: 0 to {n_series - 1}")
    if n_series == 0:
        raise InputError(f"{path.name} holds no image; give another file")
    return int(key or 0)


def _dims(path: Path, series: Any) -> tuple[str, ...]:
    axes = [
        letter for letter, size in zip(series.axes, series.shape, strict=True) if size > 1 or letter in "YX"
    ]
    dims = tuple(AXES.get(letter, CHANNEL) for letter in axes)
    fits = len(dims) in (2, 3) and set(PIXEL) <= set(dims) and len(set(dims)) == len(dims)
    if not fits or series.dtype is None or series.dtype.kind not in NUMBERS or 0 in series.shape:
        sizes = " × ".join(map(str, series.shape))
        raise InputError(
            f"{path.name} holds {sizes} values of {series.dtype}; expected an image or a stack of images"
        )
    return dims


def _lazy(path: Path, number: int, series: Any, dims: tuple[str, ...]) -> da.Array:
    """Dask array of a series without its axes of length 1: by byte ranges where it lies plain in the file."""
    shape = tuple(n for n, letter in zip(series.shape, series.axes, strict=True) if n > 1 or letter in "YX")
    native = series.dtype.newbyteorder("=")
    spectral = next((n for n, dim in enumerate(dims) if dim not in PIXEL), None)
    declared = int(np.prod(shape, dtype=object)) * native.itemsize
    if series.dataoffset is not None and spectral in (0, None):
        stored = series.dtype.newbyteorder(series.keyframe.parent.byteorder)
        return _plain(path, shape, stored, int(series.dataoffset))
    judge(path, declared=declared, stored=path.stat().st_size, whole=True)
    return whole(Source(_load, path, number, shape, native, stamp(path)), spectral=spectral)


def _plain(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int) -> da.Array:
    cube = shape if len(shape) == 3 else (1, *shape)
    step = int(cube[1]) * int(cube[2]) * dtype.itemsize
    if offset + step * cube[0] > path.stat().st_size:
        raise FileError(f"{path.name} ends before its last value; copy the file again")
    planes = Planes((path,) * cube[0], tuple(offset + step * n for n in range(cube[0])), dtype, cube[2])
    source = Source(load_planes, path, planes, cube, dtype.newbyteorder("="), stamp(path))
    array = lazy(source, chunks=tile_chunks(cube, dtype.itemsize, spectral=0))
    return array if len(shape) == 3 else array[0]


def _load(path: Path, number: int, window: Window) -> np.ndarray:
    import tifffile

    with tifffile.TiffFile(path) as file:
        values = file.series[number].asarray()
    return values.reshape([n for n in values.shape if n > 1] if values.ndim > len(window) else values.shape)[
        window
    ]


def _pages(folder: Path) -> list[Path]:
    """TIFFs of a folder in natural order, none if it holds files of other kinds too."""
    found = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    if len(found) > MOST_FILES or any(path.suffix.lower() not in SUFFIXES for path in found):
        return []
    return sorted((path for path in found if inside(path, folder)), key=lambda path: natural(path.name))


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which `page_10` follows `page_9`."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name.lower())
    ]


def _read_folder(folder: Path) -> xr.Dataset:
    """Pages of equal size as channels; each other file is named in a note."""
    pages: list[tuple[Path, tuple[int, ...], np.dtype[Any]]] = []
    notes = []
    for path in _pages(folder):
        try:
            pages.append((path, *_page_facts(path)))
        except MapstackError as error:
            notes.append(f"{path.name} was left out: {error}.")
    if not pages:
        raise InputError(f"no file of {folder.name} can be opened: {' '.join(notes[:3])}")
    _, shape, dtype = pages[0]
    odd = [path.name for path, *facts in pages if facts != [shape, dtype]]
    paths = tuple(path for path, *facts in pages if facts == [shape, dtype])
    notes += [f"{name} was left out: its size or type is not that of {paths[0].name}." for name in odd]
    source = Source(_load_pages, folder, paths, (len(paths), *shape), dtype)
    data = lazy(source, chunks=source.shape)
    with clear_errors(paths[0]):
        coords = _first_coords(paths[0], shape)
    return stack(data, dims=(CHANNEL, *PIXEL), coords=coords, notes=notes).assign_attrs(title=folder.name)


def _page_facts(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    import tifffile

    with clear_errors(path), tifffile.TiffFile(path) as file:
        if len(file.pages) != 1:
            raise InputError(f"it holds {len(file.pages)} pages, expected one; open it by itself")
        series = file.series[0]
        if _dims(path, series) != PIXEL:
            raise InputError("it holds a coloured picture, expected one grey page; open it by itself")
        shape = tuple(int(n) for n, letter in zip(series.shape, series.axes, strict=True) if letter in "YX")
        declared = int(np.prod(shape, dtype=object)) * series.dtype.itemsize
        judge(path, declared=declared, stored=path.stat().st_size, whole=True)
        return shape, series.dtype.newbyteorder("=")


def _load_pages(_folder: Path, paths: tuple[Path, ...], window: Window) -> np.ndarray:
    import tifffile

    picked, *pixels = window
    bands = []
    for path in paths[picked]:
        with clear_errors(path):
            page = tifffile.imread(path)
            bands.append(page.reshape(page.shape[-2:])[tuple(pixels)])
    return np.stack(bands)


def _first_coords(path: Path, shape: tuple[int, ...]) -> dict[str, Coordinate]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        sizes = dict(zip(PIXEL, shape, strict=True))
        return _pixel_coords(file, sizes) or read_metadata(path, file).coords(*shape)


def _pixel_coords(file: Any, sizes: Mapping[str, int]) -> dict[str, Coordinate]:
    """Return the coordinates of y and x where ImageJ or OME wrote a pixel size."""
    found = _ome_sizes(file.ome_metadata) if file.is_ome else _imagej_sizes(file) if file.is_imagej else {}
    made = {
        dim: axis(sizes[dim], scale=scale, offset=0, units=units) for dim, (scale, units) in found.items()
    }
    coords = {dim: coordinate for dim, coordinate in made.items() if coordinate is not None}
    return coords if set(coords) == set(PIXEL) else {}


def _imagej_sizes(file: Any) -> dict[str, tuple[float, str]]:
    units = str((file.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ")
    tags = file.pages[0].tags
    found = {}
    for dim, tag in ((Y, "YResolution"), (X, "XResolution")):
        numerator, denominator = tags[tag].value if tag in tags else (0, 1)
        if numerator and denominator:
            found[dim] = (denominator / numerator, units)
    return found


def _ome_sizes(document: str | None) -> dict[str, tuple[float, str]]:
    from defusedxml.ElementTree import fromstring

    pixels = next(_elements(fromstring(document or "<OME/>"), "Pixels"), {})
    return {
        dim: (float(pixels[f"PhysicalSize{dim.upper()}"]), pixels.get(f"PhysicalSize{dim.upper()}Unit", "µm"))
        for dim in PIXEL
        if f"PhysicalSize{dim.upper()}" in pixels
    }


def _elements(root: Any, name: str) -> Iterator[Mapping[str, str]]:
    return (element.attrib for element in root.iter() if element.tag.rpartition("}")[2] == name)
