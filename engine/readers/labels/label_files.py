"""Label maps that people bring: the truth to score against, or labels to learn from."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.collection import images_in
from engine.readers.dispatch import split_key
from engine.readers.fits import fits_reader
from engine.readers.fits.frame_folder import FRAME, LABELS_OF_FRAME, frames_in
from engine.readers.guard import clear_errors
from engine.readers.label_maps import accepts as accepts_result
from engine.readers.label_maps import open_labels
from engine.readers.labels.particle_labels import DEFECTS, class_map
from engine.schema import IMAGE, LABELS, PIXEL, class_names, image_variables, label_map

_CLASS: Final = re.compile(r"^CLASS(\d+)\s*=\s*'((?:[^']|'')*)'", re.MULTILINE)
"""Cards that name the values of a label map."""
PARTICLES: Final = ".txt"
"""Ending of files that list a micrograph's particles."""
_FITS_ENDING: Final = re.compile(r"\.(fits?|fts)(\.gz|\.fz)?$", re.IGNORECASE)


def is_result(path: Path) -> bool:
    """Return whether a folder is a stored result."""
    return accepts_result(path, b"")


def read_labels(path: str | Path) -> xr.DataArray:
    """Read a label map from PNG, TIFF, FITS, npy, npz (array `labels`) or a stored result.

    Parameters
    ----------
    path
        The file, the folder of a stored result, or a folder of frames with their labels beside them.

    Returns
    -------
    DataArray, dims (y, x), integers
        With `flag_values` and `flag_meanings` where the file names its classes (npz array `names`, FITS
        keywords `CLASS0` ..., result). Of a folder of frames: dims (image, y, x), in the order of the frames.

    Raises
    ------
    FileError
        If there is no such file or it cannot be read.
    InputError
        If it does not hold a map of whole numbers.
    """
    path = Path(path)
    if not path.exists():
        raise FileError(f"{path} does not exist; give a PNG, TIFF, FITS, npy, npz file or a result")
    if path.is_dir():
        return _read_folder(path)
    if FRAME.fullmatch(path.name):
        return _open_fits(path)
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path} is no label map; give .fits, {', '.join(_FORMATS)} or a result")
    try:
        values, names = _FORMATS[path.suffix.lower()](path)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  (image libraries raise many types on damaged files)
        raise FileError(f"cannot read labels from {path} ({type(error).__name__}: {error})") from None
    return _check_values(path, values, names)


def labels_of(source: str | Path, *, labels: str | Path | None = None) -> xr.DataArray:
    """Find and read the labels of a frame or of a folder of frames; lazy where they are FITS.

    Parameters
    ----------
    source
        A frame, or a folder of them. The labels of `X.fits` are `X_truth.fits`, `X_label.fits` or
        `X_labels.fits`, in any format of `read_labels`.
    labels
        Where else they lie: a file, or a folder with files of these names or those of the frames.

    Returns
    -------
    DataArray, dims ([image,] y, x)

    Raises
    ------
    FileError, InputError
        If a frame has no labels, or they cannot be read.
    """
    where, _ = split_key(source)
    place = None if labels is None else Path(labels)
    if place is not None and not place.exists():
        raise FileError(f"{place} does not exist; give a file or folder of labels")
    is_map = place is not None and (place.is_file() or is_result(place))
    if not where.is_dir():
        return read_labels(place if place and is_map else _files_of([where], where.parent, place)[0])
    if is_map:
        raise InputError(
            f"{place} is one label map, {where.name} holds several frames; give a folder of labels"
        )
    files = _files_of(images_in(where), where, place)
    return _stack_labels(files, one_shape=bool(frames_in(where)), place=place or where)


def labels_of_files(files: Sequence[str], source: str | Path, *, labels: str | Path) -> xr.DataArray:
    """Find and read the labels of micrographs by their names, in the order of these.

    Parameters
    ----------
    files
        Names of the micrographs' files, which need not be there any more.
    source
        The folder that they were in.
    labels
        Folder with the labels: that folder, or another with files of the names that `labels_of` takes.

    Returns
    -------
    DataArray, dims (image, y, x)

    Raises
    ------
    FileError, InputError
        If a micrograph has no labels, or they cannot be read.
    """
    where, _ = split_key(source)
    return _stack_labels(_files_of([where / name for name in files], where, Path(labels)), place=Path(labels))


def _stack_labels(files: Sequence[Path], *, place: Path, one_shape: bool = False) -> xr.DataArray:
    """Label maps as one, dims (image, y, x), smaller ones filled up with 0.

    Raises
    ------
    InputError
        If they name their values differently, or differ in shape and must not.
    """
    maps = [read_labels(file) for file in files]
    if one_shape and len({plane.shape for plane in maps}) > 1:
        raise InputError(f"the labels in {place} differ in shape; give a label map of the frame's shape each")
    stacked = da.stack(_alike([da.asarray(plane.data) for plane in maps]))
    attrs = _shared_names(maps, files)
    return xr.DataArray(stacked, dims=(IMAGE, *PIXEL), name=LABELS, attrs=attrs)


def _alike(maps: Sequence[da.Array]) -> list[da.Array]:
    """Label maps filled up with 0 to one shape, as the images of a collection are with NaN."""
    edges = np.max([plane.shape for plane in maps], axis=0)
    short = [[(0, int(edge - n)) for edge, n in zip(edges, plane.shape, strict=True)] for plane in maps]
    return [da.pad(plane, pad) if np.any(pad) else plane for plane, pad in zip(maps, short, strict=True)]


def _files_of(frames: Sequence[Path], root: Path, place: Path | None) -> list[Path]:
    """Return the file with the labels of each frame: beside it, in another folder, or in a subfolder.

    Raises
    ------
    FileError
        If a frame has no labels, or there is no frame.
    """
    if not frames:
        raise FileError(f"{root.name} holds no frame that could have labels; give a folder of images")
    listing, beside = cache(_listing), {frame.parent.absolute() for frame in frames}
    found: list[Path] = []
    missing: list[str] = []
    for frame in frames:
        folders = [place / frame.parent.relative_to(root), place] if place else [frame.parent]
        held = [listing(f, beside=f.absolute() in beside) for f in folders if f.is_dir()]
        files = [files[stem] for files in held if (stem := stem_of(frame.name)) in files]
        found += files[:1]
        missing += [] if files else [frame.name]
    if missing:
        told = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise FileError(
            f"there are no labels for {told}; put them beside as NAME_truth.fits,"
            " or give their folder (--labels)"
        )
    return found


def _listing(folder: Path, *, beside: bool) -> dict[str, Path]:
    """Return the labels in a folder by the frames they are called after.

    Where no frames lie, by the same name too.
    """
    files = sorted(file for file in folder.iterdir() if _is_readable(file))
    marked = {match["frame"]: file for file in files if (match := LABELS_OF_FRAME.fullmatch(file.name))}
    marked = {file.stem: file for file in files if file.suffix.lower() == PARTICLES} | marked
    return marked if beside else {stem_of(file.name): file for file in files} | marked


def _is_readable(file: Path) -> bool:
    return bool(FRAME.fullmatch(file.name)) or file.suffix.lower() in _FORMATS


def stem_of(name: str) -> str:
    """Name of a frame without its ending.

    Examples
    --------
    >>> stem_of("m13.v2.fits.gz"), stem_of("frame_000.png")
    ('m13.v2', 'frame_000')
    """
    ending = _FITS_ENDING.search(name)
    return name[: ending.start()] if ending else Path(name).stem


def _shared_names(maps: Sequence[xr.DataArray], files: Sequence[Path]) -> dict[str, Any]:
    """Flag attributes of all label maps together.

    Raises
    ------
    InputError
        If two maps call a value by different names.
    """
    names: dict[int, str] = {}
    for plane, file in zip(maps, files, strict=True):
        for value, name in class_names(plane).items():
            if names.setdefault(value, name) != name:
                raise InputError(
                    f"{file} calls the value {value} {name!r}, another file {names[value]!r};"
                    " name the classes alike in all label maps"
                )
    named = max(maps, key=lambda plane: len(class_names(plane)))
    return dict((label_map(named, names) if names else named).attrs)


def _read_folder(path: Path) -> xr.DataArray:
    if not is_result(path) and images_in(path):
        return labels_of(path)
    return open_labels(path)


def _open_fits(path: Path) -> xr.DataArray:
    """Return a label map in FITS, lazy unless its numbers are stored as floats and have to be looked at."""
    with clear_errors(path):
        images = fits_reader.read(path, key=None, chunks=None)
    values = images[image_variables(images)[0]]
    is_float = values.dtype.kind == "f"
    labels = _check_values(path, values.values, []) if is_float else _check_shape(path, values)
    header = str(images.attrs.get("header", ""))
    named = {int(m[1]): m[2].replace("''", "'").strip() for m in _CLASS.finditer(header)}
    names = {value: name for value, name in named.items() if value <= np.iinfo(labels.dtype).max}
    return label_map(labels, names) if names else labels


def _check_shape(path: Path, values: xr.DataArray) -> xr.DataArray:
    if values.dims != PIXEL:
        raise InputError(f"{path} holds an array of shape {values.shape}; expected one value a pixel (y, x)")
    return xr.DataArray(values.data, dims=PIXEL, name=LABELS)


def _check_values(path: Path, values: np.ndarray, names: list[str]) -> xr.DataArray:
    values = np.squeeze(np.asarray(values))
    if values.ndim != 2:
        raise InputError(f"{path} holds an array of shape {values.shape}; expected one value a pixel (y, x)")
    if values.dtype.kind == "f" and np.array_equal(values, np.round(values)):
        values = values.astype(np.int64)
    if values.dtype.kind not in "uib":
        raise InputError(
            f"{path} holds {values.dtype} values that are no whole numbers; expected class numbers"
        )
    labels = xr.DataArray(values, dims=PIXEL, name=LABELS)
    return label_map(labels, dict(enumerate(names, 1))) if names else labels


def _read_npz(path: Path) -> tuple[np.ndarray, list[str]]:
    with np.load(path, allow_pickle=False) as stored:
        if LABELS not in stored.files:
            raise InputError(
                f"{path} holds the arrays {', '.join(stored.files)}; expected one called 'labels'"
            )
        names = [str(name) for name in stored["names"]] if "names" in stored.files else []
        return stored[LABELS], names


def _read_npy(path: Path) -> tuple[np.ndarray, list[str]]:
    return np.load(path, allow_pickle=False), []


def _read_picture(path: Path) -> tuple[np.ndarray, list[str]]:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture), []


def _read_tiff(path: Path) -> tuple[np.ndarray, list[str]]:
    import tifffile

    return tifffile.imread(path), []


def _read_particles(path: Path) -> tuple[np.ndarray, list[str]]:
    return class_map(path), list(DEFECTS)


_FORMATS: Final[Mapping[str, Callable[[Path], tuple[np.ndarray, list[str]]]]] = {
    ".png": _read_picture,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": _read_npy,
    ".npz": _read_npz,
    PARTICLES: _read_particles,
}
