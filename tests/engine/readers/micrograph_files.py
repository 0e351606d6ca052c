"""Micrographs in microscopes' formats, written by hand."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

SERIES = np.arange(3 * 5 * 7, dtype=np.int16).reshape(3, 5, 7)


def write_mrc(path: Path, data: np.ndarray, *, cell: float = 2.5, order: str = "<", **fields: Any) -> None:
    """Write an MRC2014 file by the table of its standard; `cell` is the pixel size in Å."""
    data = data.astype(data.dtype.newbyteorder(order))
    n_z, n_y, n_x = data.shape if data.ndim == 3 else (1, *data.shape)
    head = bytearray(1024)
    modes = {"int8": 0, "uint8": 0, "int16": 1, "float32": 2, "complex64": 4, "uint16": 6, "float16": 12}
    struct.pack_into(f"{order}4i", head, 0, n_x, n_y, n_z, modes[data.dtype.name])
    struct.pack_into(f"{order}3i3f", head, 28, n_x, n_y, n_z, n_x * cell, 2 * n_y * cell, 1.0)
    struct.pack_into(f"{order}3i", head, 64, 1, 2, 3)
    struct.pack_into(f"{order}2f", head, 76, float(data.real.min()), float(data.real.max()))
    head[208:216] = b"MAP DD\0\0" if order == "<" else b"MAP \x11\x11\0\0"
    for place, value in fields.get("raw", {}).items():
        head[place : place + len(value)] = value
    path.write_bytes(bytes(head) + fields.get("extra", b"") + data.tobytes())


def write_ser(path: Path, images: np.ndarray, *, version: int = 0x210, step: float = 2e-10) -> None:
    """Write a TIA file by Boothroyd's description, the bottom row first; x steps are twice those of y."""
    place = "<I" if version < 0x220 else "<Q"
    n_images, n_y, n_x = images.shape
    dimension = struct.pack("<IddII6sI", n_images, 0, 1, 0, 6, b"Number", 0)
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, version, 0x4122, 0x4152, n_images, n_images)
    table_at = len(head) + struct.calcsize(place) + 4 + len(dimension)
    first = table_at + 2 * n_images * struct.calcsize(place)
    facts = struct.pack("<ddIddIHII", 0, 2 * step, 0, 0, step, 0, 5, n_x, n_y)
    elements = [facts + image[::-1].astype("<i2").tobytes() + bytes(8) for image in images]
    places = [first + n * len(elements[0]) for n in range(n_images)]
    table = b"".join(
        struct.pack(place, at) for at in [*places, *(at + len(elements[0]) - 8 for at in places)]
    )
    body = struct.pack(place, table_at) + struct.pack("<I", 1) + dimension + table + b"".join(elements)
    path.write_bytes(head + body)
