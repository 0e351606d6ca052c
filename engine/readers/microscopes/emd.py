"""EMD: HDF5 as Velox (Thermo Fisher) and the Berkeley laboratory lay it out, read like other HDF5.

References: https://emdatasets.com/format for Berkeley's; Velox' has no public description, RosettaSciIO's
reader shows it. Links out of the file are not followed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine.errors import InputError
from engine.readers.arrays import hdf5
from engine.readers.arrays.hdf5 import Array
from engine.readers.microscopes.signal import MOST_IMAGES, Part, drop_single_axes
from engine.readers.source import Source, Window, lazy, stamp, tile_chunks
from engine.readers.stack import DIM_NAMES
from engine.schema import IMAGE, PIXEL, X, Y

VELOX: Final = ("Velox", "DevelopersKit")
BERKELEY_ARRAYS: Final = ("data", "realslice", "counted_datacube", "datacube")
"""How the names of Berkeley's arrays begin."""
MOST_TEXT: Final = 16 * 2**20


def is_emd(path: Path, head: bytes) -> bool:
    """Return whether this is HDF5 with Velox' or Berkeley's marks.

    Parameters
    ----------
    path : Path
        The file.
    head : bytes
        Start of the file.
    """
    import h5py

    if not head.startswith(hdf5.MAGIC):
        return False
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            return _is_velox(file) or _is_berkeley(file)
    except Exception:  # noqa: BLE001  (h5py raises many types on damaged files; the name has to do)
        return path.suffix.lower() == ".emd"


def parts(path: Path) -> list[Part]:
    """Return the images and series of a file.

    Raises
    ------
    InputError
        If an array is packed beyond belief.
    """
    import h5py

    arrays = hdf5.survey(path).arrays
    with h5py.File(path, "r", locking="best-effort") as file:
        if _is_velox(file):
            return [_velox_part(file, array) for key, array in arrays.items() if _is_velox_image(key)]
        return [
            _berkeley_part(file, array)
            for key, array in arrays.items()
            if array.name.startswith(BERKELEY_ARRAYS) and _group(file, key).attrs.get("emd_group_type", 0)
        ]


def _own(file: Any, key: str) -> Any:
    """Return what lies in the file itself under a key, None where there is nothing or a link."""
    import h5py

    parent, _, name = key.rpartition("/")
    group = _own(file, parent) if parent else file
    if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    return group[name]


def _group(file: Any, key: str) -> Any:
    return file[key.rpartition("/")[0] or "/"]


def _is_velox(file: Any) -> bool:
    version = _own(file, "Version")
    if version is None or version.shape != (1,):
        return False
    return bool(json.loads(version[0]).get("format") in VELOX)


def _is_berkeley(file: Any) -> bool:
    """Return whether a version is given at the top or just below, and a group is marked as Berkeley's."""
    tops = [file, *(found for key in file if hasattr(found := _own(file, key), "keys"))]
    if not any({"version_major", "version_minor"} <= set(group.attrs) for group in tops):
        return False
    return bool(file.visititems(lambda _, found: "emd_group_type" in found.attrs or None))


def _is_velox_image(key: str) -> bool:
    names = key.split("/")
    return names[:2] == ["Data", "Image"] and names[3:] == ["Data"]


def _velox_part(file: Any, array: Array) -> Part:
    """Return an image of Velox, stored as (y, x, image), described in JSON beside it."""
    about = _describe_axes(_own(file, f"{array.key.rpartition('/')[0]}/Metadata"))
    binary = about.get("BinaryResult", {})
    size, names = binary.get("PixelSize", {}), ((Y, "height"), (X, "width"))
    units = {dim: str(binary.get(f"PixelUnit{dim.upper()}", "")) for dim in PIXEL}
    scales = {dim: (float(size.get(name, 0)), units[dim]) for dim, name in names}
    data = _series(array, [2, 0, 1] if len(array.shape) == 3 else [0, 1])
    return Part(*drop_single_axes(data), scales, _detector(about))


def _describe_axes(found: Any) -> Mapping[str, Any]:
    """JSON in the first column of an array of bytes, padded with zeros; nothing if there is none."""
    if found is None or found.ndim != 2 or not 0 < found.shape[0] <= MOST_TEXT:
        return {}
    described = json.loads(np.asarray(found[:, 0], np.uint8).tobytes().rstrip(b"\0") or b"{}")
    return described if isinstance(described, dict) else {}


def _detector(about: Mapping[str, Any]) -> str:
    detectors, number = about.get("Detectors", {}), about.get("BinaryResult", {}).get("DetectorIndex", 0)
    return str(detectors.get(f"Detector-{number}", {}).get("DetectorName", ""))


def _berkeley_part(file: Any, array: Array) -> Part:
    """Return an array of a Berkeley EMD, its axes described by `dim1` and so on, x first if unnamed."""
    group = _group(file, array.key)
    first = 0 if "dim0" in group else 1
    n_axes = len(array.shape)
    names, steps = zip(*(_axis(_own(group, f"dim{first + n}")) for n in range(n_axes)), strict=True)
    known = [DIM_NAMES.get(name.lower(), "") for name in names]
    if sorted(dim for dim in known if dim in PIXEL) != [X, Y]:
        usual = [IMAGE, Y, X][-n_axes:]
        known = usual if first == 0 or array.name == "datacube" else usual[::-1]
    order = [n for n, dim in enumerate(known) if dim not in PIXEL] + [known.index(Y), known.index(X)]
    scales = {dim: step for dim, step in zip(known, steps, strict=True) if dim in PIXEL}
    return Part(*drop_single_axes(_series(array, order)), scales, group.name.rpartition("/")[2])


def _axis(found: Any) -> tuple[str, tuple[float, str]]:
    """Name, step and units of an axis."""
    if found is None:
        return "", (0.0, "")
    texts = [found.attrs.get(key, "") for key in ("name", "units")]
    name, units = (text.decode() if isinstance(text, bytes) else str(text) for text in texts)
    units = units.translate(str.maketrans("", "", "[]_"))
    is_counted = found.ndim == 1 and found.shape[0] > 1 and found.dtype.kind in "fiu"
    step = float(found[1]) - float(found[0]) if is_counted else 0.0
    return name, (step, "Å" if units == "A" else units)


def _series(array: Array, order: list[int]) -> da.Array:
    """Dask array with axes in an order that ends with y and x, one chunk an image."""
    shape = tuple(array.shape[n] for n in order)
    if len(order) == 3 and shape[0] > MOST_IMAGES:
        raise InputError(f"{array.path.name} says that it holds {shape[0]} images; that is damaged")
    stored = tuple(array.stored[n] for n in order[-2:]) if array.stored else None
    tiles = tile_chunks(shape[-2:], array.dtype.itemsize, spectral=None, stored=stored)
    part = (array.key, tuple(order))
    source = Source(_load, array.path, part, shape, array.dtype, stamp(array.path))
    data = lazy(source, chunks=(1, *tiles) if len(order) == 3 else tiles)
    return data if len(order) == 3 else data[np.newaxis]


def _load(path: Path, part: tuple[str, tuple[int, ...]], window: Window) -> np.ndarray:
    import h5py
    import hdf5plugin  # noqa: F401 - registers the compression filters that detectors use

    key, order = part
    stored = tuple(window[order.index(n)] for n in range(len(order)))
    with h5py.File(path, "r", locking="best-effort") as file:
        return np.asarray(file[key][stored]).transpose(order)
