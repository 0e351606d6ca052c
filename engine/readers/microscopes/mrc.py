"""MRC: one image, or a stack of them, behind a header of 1024 bytes.

Reference: A. Cheng et al., MRC2014: Extensions to the MRC format header for electron cryo-microscopy and
tomography, J. Struct. Biol. 192 (2015) 146.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.errors import InputError
from engine.readers.microscopes.signal import Part, Scales, drop_single_axes, series
from engine.schema import X, Y

HEADER_BYTES: Final = 1024
SUFFIXES: Final = (".mrc", ".mrcs", ".map", ".st", ".ali", ".rec")
"""Endings of files that may lack the stamp, which older programs do not write."""

DTYPES: Final[Mapping[int, str]] = {0: "u1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
MODES: Final = (*DTYPES, 3, 4, 101)
LONGEST: Final = 2**20
FEI_BYTES: Final = 1024 * 128
"""Length of the extended header of older FEI programs, 128 bytes an image."""

_FEI_PIXEL_SIZE: Final = HEADER_BYTES + 44


def is_mrc(path: Path, head: bytes) -> bool:
    """Return whether the header holds together and is stamped, or the file is called as MRC is.

    Parameters
    ----------
    path : Path
        The file.
    head : bytes
        Start of the file.
    """
    if len(head) < 216 or not (head[208:211] == b"MAP" or path.suffix.lower() in SUFFIXES):
        return False
    return any(_is_plausible(head, order) for order in "<>")


def parts(path: Path) -> list[Part]:
    """Return the image or stack of a file.

    Raises
    ------
    FileError
        If the file ends before its last value.
    InputError
        If the values are complex or packed.
    """
    with path.open("rb") as file:
        head = file.read(_FEI_PIXEL_SIZE + 4).ljust(_FEI_PIXEL_SIZE + 4, b"\0")
    order = "<" if _is_plausible(head, "<") else ">"
    n_x, n_y, n_z, mode = struct.unpack_from(f"{order}4i", head)
    if mode not in DTYPES:
        raise InputError(f"{path.name} holds values of MRC mode {mode}, complex or packed; export it as TIFF")
    (n_extra,) = struct.unpack_from(f"{order}i", head, 92)
    first = HEADER_BYTES + max(n_extra, 0)
    dtype = _dtype(head, order, mode)
    step = n_x * n_y * dtype.itemsize
    data = series(path, offsets=range(first, first + step * n_z, step), shape=(n_y, n_x), dtype=dtype)
    scales, notes = _scales(head, order, n_extra)
    return [Part(*drop_single_axes(data), scales, notes=notes)]


def _is_plausible(head: bytes, order: str) -> bool:
    *sizes, mode = struct.unpack_from(f"{order}4i", head)
    axes = struct.unpack_from(f"{order}3i", head, 64)
    return (
        all(0 < size <= LONGEST for size in sizes)
        and mode in MODES
        and (sorted(axes) == [1, 2, 3] or not any(axes))
    )


def _dtype(head: bytes, order: str, mode: int) -> np.dtype[Any]:
    """Of the values; mode 0 is signed by the standard and unsigned by custom: the lowest value says which."""
    lowest, highest = struct.unpack_from(f"{order}2f", head, 76)
    name = "i1" if mode == 0 and lowest < 0 and lowest <= highest else DTYPES[mode]
    return np.dtype(f"{order}{name}")


def _scales(head: bytes, order: str, n_extra: int) -> tuple[Scales, tuple[str, ...]]:
    """Return the steps of y and x: length of the cell over its samples, in Å.

    Of older FEI files as they say it.
    """
    samples = struct.unpack_from(f"{order}3i", head, 28)
    lengths = struct.unpack_from(f"{order}3f", head, 40)
    columns, rows, _ = struct.unpack_from(f"{order}3i", head, 64)
    (fei_size,) = struct.unpack_from(f"{order}f", head, _FEI_PIXEL_SIZE)
    if n_extra == FEI_BYTES and head[104:107] != b"FEI" and 0 < fei_size < 1e-3:
        return {Y: (fei_size, "m"), X: (fei_size, "m")}, ()
    which = {Y: rows - 1 if rows else 1, X: columns - 1 if columns else 0}
    steps = {dim: lengths[n] / samples[n] if samples[n] > 0 else 0.0 for dim, n in which.items()}
    notes = (
        ("The pixel size of exactly 1 Å is what programs write that know none; check it.",)
        if set(steps.values()) == {1.0}
        else ()
    )
    return {dim: (step, "Å") for dim, step in steps.items()}, notes
