"""Label maps that people bring: the truth to score against, or labels to learn from."""

import glob
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers import fits
from engine.readers.dispatch import split_key
from engine.readers.frames import FRAME, LABELS_OF_FRAME, frames_in
from engine.readers.guard import guarded
from engine.readers.results import accepts as accepts_result
from engine.readers.results import open_labels
from engine.schema import IMAGE, LABELS, PIXEL, image_variables, label_map

_CLASS: Final = re.compile(r"^CLASS(\d+)\s*=\s*'([^']*)'", re.MULTILINE)
"""Cards that name the values of a label map."""


def is_result(path: Path) -> bool:
    """Whether a folder is a stored result."""
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
    return _checked(path, values, names)


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
    place = where if labels is None else Path(labels)
    if not where.is_dir():
        file = place if place.is_file() and labels is not None else _beside(where, place)
        return read_labels(_there([(where.name, file)])[0])
    if place.is_file() or (labels is not None and is_result(place)):
        raise InputError(
            f"{place} is one label map, {where.name} holds several frames; give a folder of labels"
        )
    found = frames_in(where)
    maps = [read_labels(file) for file in _there([(f.name, _beside(f, place, where)) for f in found])]
    if len({plane.shape for plane in maps}) > 1:
        raise InputError(f"the labels in {place} differ in shape; give a label map of the frame's shape each")
    stacked = da.stack([da.asarray(plane.data) for plane in maps])
    named = max(maps, key=lambda plane: len(plane.attrs))
    return xr.DataArray(stacked, dims=(IMAGE, *PIXEL), name=LABELS, attrs=named.attrs)


def _beside(frame: Path, place: Path, root: Path | None = None) -> Path | None:
    """The file with the labels of a frame: beside it, or in another folder in the same subfolder or none."""
    folders = [frame.parent]
    if place.is_dir() and place != (root or frame):
        folders = [place / frame.parent.relative_to(root or frame.parent), place]
    stem = frame.name.partition(".")[0]
    for folder in folders:
        for file in sorted(folder.glob(f"{glob.escape(stem)}*")):
            match = LABELS_OF_FRAME.fullmatch(file.name)
            alone = folder != frame.parent and file.name.partition(".")[0] == stem
            if alone or (match is not None and match["frame"] == stem):
                return file
    return None


def _there(files: list[tuple[str, Path | None]]) -> list[Path]:
    """The files, if there is one for each frame."""
    missing = [frame for frame, file in files if file is None]
    if missing:
        told = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise FileError(
            f"there are no labels for {told}; put them beside as NAME_truth.fits,"
            " or give their folder (--labels)"
        )
    return [file for _, file in files if file is not None]


def _read_folder(path: Path) -> xr.DataArray:
    if not is_result(path) and frames_in(path):
        return labels_of(path)
    return open_labels(path)


def _open_fits(path: Path) -> xr.DataArray:
    """A label map in FITS, lazy."""
    with guarded(path):
        images = fits.read(path, key=None, chunks=None)
    values = images[image_variables(images)[0]]
    if values.dtype.kind == "f":
        return _checked(path, values.values, [])
    labels = _shaped(path, values)
    names = {int(m[1]): m[2].strip() for m in _CLASS.finditer(str(images.attrs.get("header", "")))}
    return label_map(labels, names) if names else labels


def _shaped(path: Path, values: xr.DataArray) -> xr.DataArray:
    if values.dims != PIXEL:
        raise InputError(f"{path} holds an array of shape {values.shape}; expected one value a pixel (y, x)")
    return xr.DataArray(values.data, dims=PIXEL, name=LABELS)


def _checked(path: Path, values: np.ndarray, names: list[str]) -> xr.DataArray:
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


_FORMATS: Final[Mapping[str, Callable[[Path], tuple[np.ndarray, list[str]]]]] = {
    ".png": _read_picture,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": _read_npy,
    ".npz": _read_npz,
}
