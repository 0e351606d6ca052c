"""MATLAB's `.mat`, versions 5 and 7.3: arrays in column-major order, pixels often in one row.

By MATLAB's custom a cube is `(rows, columns, bands)`. A matrix of bands × pixels beside the scalars `nRow`
and `nCol` is a cube whose pixels are counted down the columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.readers.arrays import hdf5
from engine.readers.guard import judge
from engine.readers.source import Load, Source, Window, stamp, whole
from engine.readers.stack import guess_dims, pick, stack
from engine.schema import CHANNEL, PIXEL

SIGNATURE: Final = b"MATLAB"
OLD: Final = b"MATLAB 5.0"
SIZES: Final = (
    ("nrow", "ncol"),
    ("rows", "cols"),
    ("nrows", "ncols"),
    ("height", "width"),
    ("lines", "samples"),
)
"""Names, in lower case, of the scalars that say how many rows and columns the pixels of a matrix make."""

_SIZE_NAMES: Final = frozenset(name for pair in SIZES for name in pair)

Known = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]
"""Shape in MATLAB and dtype of each matrix."""

DTYPES: Final[Mapping[str, str]] = {
    **{
        f"{sign}int{bits}": f"{'u' if sign else 'i'}{bits // 8}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    "double": "f8",
    "single": "f4",
    "logical": "u1",
}


@dataclass(frozen=True)
class MatlabArray:
    """A matrix as MATLAB sees it, and rows × columns of its pixels if it is an unfolded cube."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pixels: tuple[int, int] | None

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape as images: `(channel, y, x)` if it is unfolded, MATLAB's own otherwise."""
        if self.pixels is None:
            return self.shape
        return (
            self.shape[0] if self.shape[1] == self.pixels[0] * self.pixels[1] else self.shape[1],
            *self.pixels,
        )


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is a MATLAB file of version 5 or 7.3.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(SIGNATURE) and (head.startswith(OLD) or path.suffix.lower() == ".mat")


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open a matrix lazily, with MATLAB's own class; `key` is its name where there are several.

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
        If there is not exactly one matrix of numbers and no key, or the file is a bomb.
    """
    with path.open("rb") as file:
        is_old = file.read(len(OLD)) == OLD
    matrices, scalars, load = (_survey_5 if is_old else _survey_73)(path)
    wide = {name: matrix for name, matrix in matrices.items() if min(matrix[0]) > 1}
    name = pick(wide if key is None else matrices, key=key, file_name=path.name)[0]
    shape, dtype = matrices[name]
    matrix = MatlabArray(name, shape, dtype, _pixels(shape, scalars))
    declared = int(np.prod(shape, dtype=object)) * dtype.itemsize
    judge(path, declared=declared, stored=path.stat().st_size, whole=True)
    return _images(path, matrix, load)


def _images(path: Path, matrix: MatlabArray, load: Load) -> xr.Dataset:
    source = Source(load, path, matrix, matrix.image_shape, matrix.dtype, stamp(path))
    if matrix.pixels is not None:
        rows, columns = matrix.pixels
        note = f"The matrix {matrix.key} was folded to {rows} × {columns} pixels, counted down the columns."
        return stack(whole(source, spectral=0), dims=(CHANNEL, *PIXEL), name=matrix.key, notes=[note])
    dims, notes = guess_dims(matrix.shape, last=True)
    data = whole(source, spectral=2 if len(dims) == 3 else None)
    return stack(data, dims=dims, name=matrix.key, notes=notes)


def _pixels(shape: tuple[int, ...], scalars: Mapping[str, int]) -> tuple[int, int] | None:
    """Return rows and columns that a matrix's pixels make, None if it is no unfolded cube."""
    for row_name, column_name in SIZES:
        rows, columns = scalars.get(row_name, 0), scalars.get(column_name, 0)
        if len(shape) == 2 and rows > 1 and columns > 1 and rows * columns in shape:
            return rows, columns
    return None


def _fold(values: np.ndarray, matrix: MatlabArray) -> np.ndarray:
    """Bring a matrix in MATLAB's order to `image_shape`."""
    if matrix.pixels is None:
        return values
    rows, columns = matrix.pixels
    bands_first = values if values.shape[1] == rows * columns else values.T
    return bands_first.reshape(-1, columns, rows).transpose(0, 2, 1)


def _survey_5(path: Path) -> tuple[Known, dict[str, int], Load]:
    from scipy.io import loadmat, whosmat

    known = {
        name: (tuple(shape), np.dtype(DTYPES[kind])) for name, shape, kind in whosmat(path) if kind in DTYPES
    }
    small = [name for name, (shape, _) in known.items() if shape == (1, 1) and name.lower() in _SIZE_NAMES]
    loaded = loadmat(path, variable_names=small) if small else {}
    scalars = {name.lower(): int(loaded[name].flat[0]) for name in small}
    return {n: m for n, m in known.items() if len(m[0]) in (2, 3) and min(m[0]) > 0}, scalars, _load_5


def _load_5(path: Path, matrix: MatlabArray, window: Window) -> np.ndarray:
    from scipy.io import loadmat

    values = loadmat(path, variable_names=[matrix.key], mat_dtype=True)[matrix.key]
    return np.asarray(_fold(values, matrix)[window], matrix.dtype)


def _survey_73(path: Path) -> tuple[Known, dict[str, int], Load]:
    import h5py

    found = hdf5.survey(path).arrays
    arrays = {name: array for name, array in found.items() if not name.startswith("#")}
    with h5py.File(path, "r", locking="best-effort") as file:
        scalars = {
            name.lower(): int(file[name][()].flat[0])
            for name in file
            if name.lower() in _SIZE_NAMES and name in arrays and arrays[name].shape == (1, 1)
        }
    return {name: (array.shape[::-1], array.dtype) for name, array in arrays.items()}, scalars, _load_73


def _load_73(path: Path, matrix: MatlabArray, window: Window) -> np.ndarray:
    import h5py

    with h5py.File(path, "r", locking="best-effort") as file:
        if matrix.pixels is None:
            return np.asarray(file[matrix.key][window[::-1]]).T
        return _fold(np.asarray(file[matrix.key]).T, matrix)[window]
