"""One map of an EP4 ellipsometer: a PNG whose true float32 values lie in a `tEXt` chunk.

The visible 8-bit picture is only the rounded value with no-data shown as 0. The chunk `.ACCURION_RAWDATA`
holds: keyword, NUL, u16 length of a type descriptor (these two bytes included), the descriptor, u32 byte
count, u32 rows, u32 columns, then rows × columns float32, all big-endian.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from engine.errors import FileError
from engine.readers.guard import clear_errors, judge
from engine.readers.source import Window, read_rows, stamp

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEYWORD: Final = b".ACCURION_RAWDATA\0"
FLOATS: Final = np.dtype(">f4")
GREY: Final = (8, 0)
"""Bit depth and colour type of the visible picture."""
MOST_CHUNKS: Final = 10_000
PIECE: Final = 2**20


@dataclass(frozen=True)
class MapFile:
    """Position of one map in its file."""

    path: Path
    shape: tuple[int, int]
    offset: int
    """Of the first float; 0 where there is only the 8-bit picture."""
    chunk: tuple[int, int]
    """Offset and length of the data that the chunk's CRC covers, its type included."""
    stamp: tuple[int, int]
    grey: bool = True
    """Whether the visible picture can hold angles: 8 bits, one channel."""

    @property
    def has_floats(self) -> bool:
        """True if the measured values are there, not only the rounded picture."""
        return self.offset > 0


def find_map(path: Path) -> MapFile:
    """Read a map's size and where its floats are, not its pixels.

    Raises
    ------
    FileError
        If the file is no PNG, is cut off, or its float chunk contradicts itself.
    """
    size, _ = when = stamp(path)
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise FileError(f"the map {path.name} is not a PNG file; copy it again from the instrument")
        picture, grey = (0, 0), False
        for kind, start, length in _chunks(file, path, size):
            if kind == b"IHDR":
                columns, rows, depth, colour = struct.unpack(">IIBB", file.read(10))
                picture, grey = (rows, columns), (depth, colour) == GREY
            elif kind == b"tEXt" and file.read(len(KEYWORD)) == KEYWORD:
                shape, offset = _float_header(file, path, start + length)
                return MapFile(path, shape, offset, (start - 4, length + 4), when)
    judge(path, declared=picture[0] * picture[1], stored=size, whole=True)
    return MapFile(path, picture, 0, (0, 0), when, grey=grey)


def _chunks(file: BinaryIO, path: Path, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, offset and length of each chunk's data, the file standing at its start."""
    position = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        file.seek(position)
        header = file.read(8)
        length, kind = struct.unpack(">I4s", header) if len(header) == 8 else (size, b"")
        if position + 12 + length > size:
            raise FileError(f"the PNG {path.name} is cut off; copy it again")
        yield kind, position + 8, length
        if kind == b"IEND":
            return
        position += 12 + length
    raise FileError(f"the PNG {path.name} has no end; copy it again")


def _float_header(file: BinaryIO, path: Path, end: int) -> tuple[tuple[int, int], int]:
    """Return rows and columns, and the offset of the first float; the file stands behind the keyword."""
    start = file.tell()
    descriptor = int.from_bytes(file.read(2), "big")
    file.seek(start + descriptor)
    offset = start + descriptor + 12
    if offset > end:
        raise FileError(f"the map {path.name} has a damaged float chunk; copy it again from the instrument")
    n_bytes, rows, columns = struct.unpack(">III", file.read(12))
    values = rows * columns * FLOATS.itemsize
    if not values or offset + values > end or n_bytes not in (values, values + 8):
        raise FileError(
            f"the map {path.name} claims {rows} × {columns} values in {n_bytes} bytes of its float chunk;"
            " copy it again from the instrument"
        )
    return (rows, columns), offset


@lru_cache(maxsize=65536)
def verify(found: MapFile) -> None:
    """Check that a map is undamaged, once per process for each state of the file.

    Of floats the CRC is checked, a picture is decoded.

    Raises
    ------
    FileError
        If the CRC is wrong.
    """
    if not found.has_floats:
        read_picture(found.path)
        return
    start, length = found.chunk
    crc = 0
    with found.path.open("rb", buffering=0) as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(PIECE, length))):
            crc = zlib.crc32(piece, crc)
            length -= len(piece)
        stored = file.read(4)
    if length or stored != crc.to_bytes(4, "big"):
        raise FileError(
            f"the map {found.path.name} is damaged: the checksum of its values is wrong;"
            " copy it again from the instrument or take its row out of the table"
        )


def read_map(found: MapFile, rows: slice, out: np.ndarray) -> None:
    """Fill `out` with rows of a map in degrees, big-endian float32, NaN = no data.

    Parameters
    ----------
    found : MapFile
        The map's file, its size and checksum.
    rows : slice
        The rows to read.
    out : ndarray
        Array that is filled.

    Raises
    ------
    FileError
        If the file has changed since it was found or its checksum is wrong.
    """
    if stamp(found.path) != found.stamp:
        raise FileError(f"the map {found.path.name} has changed since the folder was opened; open it again")
    if found.has_floats:
        verify(found)
        read_rows(found.path, found.offset + rows.start * found.shape[1] * FLOATS.itemsize, out)
    else:
        out[...] = read_picture(found.path)[rows]


def read_picture(path: Path) -> np.ndarray:
    """Return the values of the visible 8-bit picture, 0 as NaN: no data, or an angle below 0.5 degrees."""
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as picture:
        values = np.asarray(picture, dtype=np.float32)
    return np.where(values == 0, np.float32(np.nan), values)


def load_maps(_folder: Path, maps: tuple[MapFile, ...], window: Window) -> np.ndarray:
    """Read a window `(map, y, x)` in degrees, float32; ±Inf as NaN: no angle is infinite.

    Parameters
    ----------
    _folder : Path
        Folder of the maps.
    maps : tuple
        The maps.
    window
        Rows and columns to read.
    """
    picked, rows, columns = window
    out = np.empty((picked.stop - picked.start, rows.stop - rows.start, maps[0].shape[1]), FLOATS)
    for plane, found in zip(out, maps[picked], strict=True):
        with clear_errors(found.path):
            read_map(found, rows, plane)
    values = out.byteswap(inplace=True).view(np.float32) if not FLOATS.isnative else out
    values[np.isinf(values)] = np.nan
    return values[:, :, columns]
