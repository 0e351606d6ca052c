"""One picture of a micrograph: judged without decoding it, and read as grey."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from engine.errors import FileError, InputError, MapstackError
from engine.readers.guard import clear_errors, judge
from engine.readers.images import picture_reader, tiff
from engine.readers.microscopes.sem_metadata import Acquisition, read_metadata
from engine.schema import LUMA

HEAD_BYTES: Final = 64
TAIL_BYTES: Final = 4096
JPEG_END: Final = b"\xff\xd9"
PNG_END: Final = b"IEND"


@dataclass(frozen=True)
class Picture:
    """Description of a picture that was not decoded."""

    acquisition: Acquisition = field(default_factory=Acquisition)
    problem: str = ""
    shape: tuple[int, int] = (0, 0)
    """Rows and columns."""


def judge_picture(path: Path) -> Picture:
    """Judge a picture by its header and its end: whether it can be read, and how it was taken."""
    import tifffile

    try:
        with clear_errors(path):
            if not _is_tiff(path):
                shape = _check_picture(path)
                return Picture(read_metadata(path, width=shape[1]), shape=shape)
            with tifffile.TiffFile(path) as file:
                shape = _check_tiff(path, file)
                return Picture(read_metadata(path, file), shape=shape)
    except MapstackError as error:
        return Picture(problem=str(error))


def read_gray(file: str | Path) -> np.ndarray:
    """Read one picture as grey, dims (y, x), float32, in the file's own levels; colours as their luma.

    Raises
    ------
    FileError
        If it does not exist, is truncated, or is no picture of one plane.
    """
    path = Path(file)
    try:
        with clear_errors(path):
            values = _read_tiff(path) if _is_tiff(path) else _read_picture(path)
            return np.ascontiguousarray(_luma(values), np.float32)
    except InputError as error:
        raise FileError(str(error)) from error


def _is_tiff(path: Path) -> bool:
    """Return whether a file is a TIFF and not one of the other pictures.

    Raises
    ------
    FileError
        If it is neither.
    """
    if not path.is_file():
        raise FileError(f"{path.name} does not exist or is no file; check the name")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise FileError(f"{path.name} is empty; copy it again")
    if not head.startswith(tiff.MAGIC) and not picture_reader.accepts(path, head):
        raise FileError(f"{path.name} is no PNG, JPEG, BMP or TIFF, whatever its name says; export it as one")
    return head.startswith(tiff.MAGIC)


def _check_picture(path: Path) -> tuple[int, int]:
    """Refuse a picture that ends too early or is a bomb; its rows and columns otherwise."""
    from PIL import Image

    with (
        path.open("rb") as stored,
        Image.open(stored, formats=list(picture_reader.FORMATS.values())) as picture,
    ):
        width, height = picture.size
        n_stored = os.fstat(stored.fileno()).st_size
        judge(path, declared=width * height * len(picture.getbands()), stored=n_stored, whole=True)
        if not _is_complete(stored, n_stored, str(picture.format), height, width):
            raise FileError(f"{path.name} ends before its last pixel; copy it again")
    return height, width


def _check_tiff(path: Path, file: Any) -> tuple[int, int]:
    """Refuse a TIFF whose first page ends too early or is a bomb; its rows and columns otherwise."""
    page = file.pages[0]
    stored = path.stat().st_size
    judge(path, declared=int(page.nbytes or 0), stored=stored, whole=True)
    ends = [start + n for start, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if not ends or max(ends) > stored:
        raise FileError(f"{path.name} ends before its last pixel; copy it again")
    return int(page.imagelength), int(page.imagewidth)


def _is_complete(stored: BinaryIO, size: int, kind: str, height: int, width: int) -> bool:
    """Return whether a picture's end is there: of PNG and JPEG a mark, of BMP at least a bit a pixel."""
    if kind == "BMP":
        stored.seek(2)
        declared = int.from_bytes(stored.read(4), "little")
        return size >= (declared or height * width // 8)
    mark = PNG_END if kind == "PNG" else JPEG_END
    stored.seek(max(0, size - TAIL_BYTES))
    if mark in stored.read():
        return True
    stored.seek(0)  # other data may follow the picture's own
    return stored.read().rfind(mark) > size // 2


def _read_picture(path: Path) -> np.ndarray:
    from PIL import Image

    _check_picture(path)
    with Image.open(path, formats=list(picture_reader.FORMATS.values())) as picture:
        if picture.mode in picture_reader.GREY and picture.mode != "P":
            return np.asarray(picture)
        if picture.format == "JPEG":
            picture.draft("L", picture.size)  # decodes the luma alone
            return np.asarray(picture.convert("L"))
        return np.asarray(picture.convert("RGB"))


def _read_tiff(path: Path) -> np.ndarray:
    """Return the values of a TIFF's first page, dims (y, x) or (y, x, channel).

    Of a palette's colours their luma.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        _check_tiff(path, file)
        page: Any = file.pages[0]
        values = np.asarray(page.asarray())
        axes = str(page.axes)
        colours = page.colormap
    if axes == "SYX":
        values, axes = np.moveaxis(values, 0, -1), "YXS"
    if axes not in ("YX", "YXS"):
        raise FileError(f"{path.name} holds {values.shape} values along {axes}; expected one picture")
    if colours is not None and axes == "YX":
        return np.asarray(_luma((colours.T >> 8)[None])[0][values])
    return values


def _luma(values: np.ndarray) -> np.ndarray:
    """Luma of `(y, x, channel)`, the last of two or four channels being transparency; `(y, x)` as it is."""
    if values.ndim == 2:
        return values
    if values.shape[2] < 3:
        return values[..., 0]
    return np.asarray(values[..., :3].astype(np.float32) @ np.array(LUMA, np.float32))
