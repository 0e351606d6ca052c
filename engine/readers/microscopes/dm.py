"""DM3 and DM4 of Gatan's Digital Micrograph: RosettaSciIO reads the tags, the pixels are read in place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine.errors import MissingDependencyError
from engine.readers.microscopes.signal import Part, drop_single_axes, series
from engine.schema import ENERGY, IMAGE, PIXEL

VERSIONS: Final[Mapping[bytes, int]] = {b"\0\0\0\3": 0, b"\0\0\0\4": 4}
"""First bytes of a file, and by how much the next fields move for it."""

DTYPES: Final[Mapping[int, str]] = {
    **dict(zip((1, 2, 6, 7, 9, 10, 11, 12), ("i2", "f4", "u1", "i4", "i1", "u2", "u4", "f8"), strict=True)),
    14: "u1",
}
"""Digital Micrograph's types of plain numbers (14: yes or no); the others are complex values and colours."""

MOST_VALUES: Final = 2**20
"""Longer tags than this, but for the pixels, are stepped over."""


def is_dm(_path: Path, head: bytes) -> bool:
    """Return whether this is DM3 or DM4: version, byte order, then a group of tags.

    Parameters
    ----------
    _path : Path
        The file.
    head : bytes
        Start of the file.
    """
    moved = VERSIONS.get(head[:4])
    if moved is None or len(head) < 32:
        return False
    after = 12 + moved
    first_tag = after + 2 + (8 if moved else 4)
    return head[after - 4 : after] in (b"\0\0\0\0", b"\0\0\0\1") and head[first_tag] in (20, 21)


def parts(path: Path) -> list[Part]:
    """Return the images and series of a file, without its thumbnail, spectra, colours and complex values.

    Raises
    ------
    FileError
        If the file ends before its last value.
    MissingDependencyError
        If RosettaSciIO is not installed.
    """
    found = [_part(path, image) for image in _images(path)]
    return [part for part in found if part is not None]


def _images(path: Path) -> list[Any]:
    """RosettaSciIO's descriptions of the images.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        from rsciio.digitalmicrograph._api import DigitalMicrographReader, ImageObject
    except ImportError:
        raise MissingDependencyError(
            f"{path.name} is read by RosettaSciIO, which is not installed;"
            " install it: pip install 'mapstack[formats]'"
        ) from None

    class Tags(DigitalMicrographReader):
        """Refuses tags that go back in the file or hold endless nothing: both would never end."""

        def read_array(self, size: int, enc_eltype: int, extra: Any = None, skip: bool = False) -> Any:
            empty = extra is not None and not next(iter(extra.values()))
            if size < 0 or (size and empty):
                raise ValueError(f"a tag holds {size} values of no length")
            return super().read_array(size, enc_eltype, extra, skip=skip or size > MOST_VALUES)

        def read_string(self, length: int, skip: bool = False) -> Any:
            if length < 0:
                raise ValueError(f"a tag holds {length} letters")
            return super().read_string(length, skip=skip)

    with path.open("rb") as file:
        tags = Tags(file)
        tags.parse_file()
        return [ImageObject(image, file) for image in tags.get_image_dictionaries() or []]


def _part(path: Path, image: Any) -> Part | None:
    """Return one image, None if it is no image of plain numbers."""
    about = image.imdict.ImageData
    shape = tuple(int(size) for size in image.shape)
    if about.DataType not in DTYPES or len(shape) not in (2, 3):
        return None
    dims = (IMAGE, *PIXEL)[-len(shape) :]
    steps = zip(image.scales, image.units, strict=True)
    scales = dict(zip(dims, ((float(step), str(units)) for step, units in steps), strict=True))
    data, title = _pixels(path, about, shape), str(image.title)
    if scales.get(IMAGE, (0.0, ""))[1] in ("eV", "keV"):
        scales[ENERGY] = scales.pop(IMAGE)
        dims, first = (ENERGY, *PIXEL), float(image.offsets[0])
        return Part(data.rechunk({0: -1}), dims, scales, title, first_energy=first)
    return Part(*drop_single_axes(data), scales, title)


def _pixels(path: Path, about: Any, shape: tuple[int, ...]) -> da.Array:
    """Return the values of an image or a series, dims (image, y, x)."""
    dtype = np.dtype(("<" if about.Data.endian == "little" else ">") + DTYPES[about.DataType])
    n_images, n_rows, n_columns = shape if len(shape) == 3 else (1, *shape)
    step = n_rows * n_columns * dtype.itemsize
    n_places = min(n_images, path.stat().st_size // max(step, 1) + 1)  # enough to see that they do not fit
    first = int(about.Data.offset)
    offsets = [first + step * n for n in range(n_places)]
    return series(path, offsets=offsets, shape=(n_rows, n_columns), dtype=dtype)
