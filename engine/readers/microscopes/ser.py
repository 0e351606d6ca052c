"""SER: images of TIA (FEI, Thermo Fisher), one or a series, and the EMI that describes how they were taken.

Reference: C. Boothroyd's description of the TIA file format. The last stored row is the top of the image, as
RosettaSciIO reads it, with which the tests compare.
"""

import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import numpy as np

from engine.errors import FileError, InputError
from engine.readers.microscopes.signal import MOST_IMAGES, Part, Scales, drop_single_axes, series
from engine.schema import X, Y

MAGIC: Final = b"II\x97\x01"
IMAGES: Final = 0x4122
WIDE: Final = 0x0220
"""Version from which on places in the file take 8 bytes."""

DTYPES: Final[Mapping[int, str]] = {1: "u1", 2: "u2", 3: "u4", 4: "i1", 5: "i2", 6: "i4", 7: "f4", 8: "f8"}
ELEMENT_BYTES: Final = 50
MOST_TEXT: Final = 64 * 2**20

_NUMBERED: Final = re.compile(r"(?P<stem>.+)_(?P<number>\d+)\.ser", re.IGNORECASE)
_OBJECT: Final = re.compile(rb"<ObjectInfo>.*?</ObjectInfo>", re.DOTALL)
_MODE: Final = re.compile(rb"<Label>\s*Mode\s*</Label>\s*<Value>([^<]*)</Value>")


def is_ser(_path: Path, head: bytes) -> bool:
    """Return whether this is SER.

    Parameters
    ----------
    _path : Path
        The file.
    head : bytes
        Start of the file.
    """
    return head.startswith(MAGIC)


def parts(path: Path) -> list[Part]:
    """Return the image or series of a file.

    Raises
    ------
    FileError
        If the file ends before its last value.
    InputError
        If it holds spectra or complex values, or images of several sizes.
    """
    with path.open("rb") as file:
        places = _places(path, file)
        elements = {_element(path, file, place)[1:] for place in places}
        scale, *_ = _element(path, file, places[0])
    if len(elements) > 1:
        raise InputError(f"{path.name} holds images of several sizes; export them as TIFF")
    kind, n_x, n_y = elements.pop()
    if kind not in DTYPES:
        raise InputError(f"{path.name} holds values of TIA type {kind}, complex perhaps; export it as TIFF")
    dtype = np.dtype(f"<{DTYPES[kind]}")
    offsets = [place + ELEMENT_BYTES for place in places]
    data = series(path, offsets=offsets, shape=(n_y, n_x), dtype=dtype)[:, ::-1]
    return [Part(*drop_single_axes(data), _scales(path, scale))]


def files_of_emi(path: Path) -> list[Path]:
    """Return the SER files that an EMI describes: `NAME_1.ser` and so on for `NAME.emi`."""
    found = [
        (int(match["number"]), file)
        for file in path.parent.iterdir()
        if (match := _NUMBERED.fullmatch(file.name)) and match["stem"] == path.stem
    ]
    return [file for _, file in sorted(found)]


def description(path: Path) -> Path | None:
    """Return the EMI that describes a SER file, None if it is not beside it."""
    match = _NUMBERED.fullmatch(path.name)
    names = [f"{match['stem']}.emi", f"{match['stem']}.EMI"] if match else []
    return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)


def _places(path: Path, file: IO[bytes]) -> tuple[int, ...]:
    """Return where the elements of a series lie.

    Raises
    ------
    FileError, InputError
        If the header does not hold together.
    """
    head = _read_time(path, file, 0, 34)
    version, kind, _, n_all, n_valid = struct.unpack_from("<HIIII", head, 4)
    if kind != IMAGES:
        raise InputError(f"{path.name} holds spectra, expected images; open it with HyperSpy")
    letter = "Q" if version >= WIDE else "I"
    (table,) = struct.unpack_from(f"<{letter}", head, 22)
    n_images = min(n_all, n_valid)
    if not 0 < n_images <= MOST_IMAGES:
        raise InputError(f"{path.name} says that it holds {n_images} images; it is empty or damaged")
    raw = _read_time(path, file, table, n_images * struct.calcsize(f"<{letter}"))
    return struct.unpack(f"<{n_images}{letter}", raw)


def _element(path: Path, file: IO[bytes], place: int) -> tuple[tuple[float, float], int, int, int]:
    """Return the steps of y and x in m, type of the values, columns and rows of one image."""
    raw = _read_time(path, file, place, ELEMENT_BYTES)
    _, step_x, _, _, step_y, _, kind, n_x, n_y = struct.unpack("<ddIddIHII", raw)
    return (step_y, step_x), kind, n_x, n_y


def _read_time(path: Path, file: IO[bytes], place: int, n_bytes: int) -> bytes:
    if place + n_bytes > path.stat().st_size:
        raise FileError(f"{path.name} ends before its last value; copy the file again")
    file.seek(place)
    return file.read(n_bytes)


def _scales(path: Path, steps: tuple[float, float]) -> Scales:
    units = "1/m" if _is_diffraction(path) else "m"
    return {Y: (steps[0], units), X: (steps[1], units)}


def _is_diffraction(path: Path) -> bool:
    """Return whether the EMI says that a pattern was recorded, or a camera was used in a scanning mode."""
    text, match = description(path), _NUMBERED.fullmatch(path.name)
    if text is None or match is None or text.stat().st_size > MOST_TEXT:
        return False
    objects = _OBJECT.findall(text.read_bytes())
    number = int(match["number"]) - 1
    about = objects[number] if 0 <= number < len(objects) else b""
    mode = (_MODE.search(about) or [b"", b""])[1]
    return b"CameraNamePath" in about if b"STEM" in mode else b"Diffraction" in mode
