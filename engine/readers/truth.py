"""Label maps that people bring: the truth to score against, or labels to learn from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.schema import LABELS, PIXEL, label_map


def read_labels(path: str | Path) -> xr.DataArray:
    """Read a label map from PNG, TIFF, FITS, npy, npz (array `labels`) or a stored result.

    Parameters
    ----------
    path
        The file, or the folder of a stored result.

    Returns
    -------
    DataArray, dims (y, x), integers
        With `flag_values` and `flag_meanings` where the file names its classes (npz array `names`, result).

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
        from engine.readers.results import open_labels

        return open_labels(path)
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path} is no label map; give {', '.join(_FORMATS)} or a result")
    try:
        values, names = _FORMATS[path.suffix.lower()](path)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  (image libraries raise many types on damaged files)
        raise FileError(f"cannot read labels from {path} ({type(error).__name__}: {error})") from None
    return _checked(path, values, names)


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


def _read_fits(path: Path) -> tuple[np.ndarray, list[str]]:
    from astropy.io import fits

    with fits.open(path, memmap=False) as hdus:
        for hdu in hdus:
            if getattr(hdu, "is_image", False) and hdu.data is not None and hdu.data.ndim == 2:
                return hdu.data.astype(hdu.data.dtype.newbyteorder("=")), []
    raise InputError(f"{path} holds no two-dimensional image")


_FORMATS: Final[Mapping[str, Callable[[Path], tuple[np.ndarray, list[str]]]]] = {
    ".png": _read_picture,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".fits": _read_fits,
    ".fit": _read_fits,
    ".npy": _read_npy,
    ".npz": _read_npz,
}
