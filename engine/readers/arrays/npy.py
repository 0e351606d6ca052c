"""NumPy's `.npy` and `.npz`: arrays without names, read by byte ranges wherever they are not compressed."""

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.guard import judge
from engine.readers.source import Planes, Source, Window, lazy, load_planes, stamp, tile_chunks, whole
from engine.readers.stack import guess_dims, pick, stack

MAGIC: Final = b"\x93NUMPY"
ZIP: Final = b"PK\x03\x04"
NUMBERS: Final = "fiub"

_LOCAL_HEADER: Final = 30
_LOCAL_LENGTHS: Final = slice(26, 30)


@dataclass(frozen=True)
class Header:
    """Header of an `.npy` file, and where its values begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int | None

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape in the order of the bytes."""
        return self.shape[::-1] if self.fortran else self.shape

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        n = self.dtype.itemsize
        for size in self.shape:
            n *= size
        return n


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is an `.npy` or an `.npz`.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(MAGIC) or (head.startswith(ZIP) and path.suffix.lower() == ".npz")


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open an array lazily; `key` names one of several in an `.npz`.

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
        If there is not exactly one 2-D or 3-D array of numbers and no key, or the file is a bomb.
    FileError
        If the file is shorter than its header says.
    """
    with path.open("rb") as file:
        is_npz = file.read(len(ZIP)) == ZIP
    headers = _npz_headers(path) if is_npz else {path.stem: _npy_header(path)}
    name = pick(
        (n for n, h in headers.items() if len(h.shape) in (2, 3) and h.dtype.kind in NUMBERS),
        key=key if is_npz else None,
        file_name=path.name,
    )[0]
    header = headers[name]
    dims, notes = guess_dims(header.shape)
    stored_dims = dims[::-1] if header.fortran else dims
    spectral = next((n for n, dim in enumerate(stored_dims) if dim not in ("y", "x")), None)
    return stack(_lazy(path, name, header, spectral), dims=stored_dims, notes=notes)


def _lazy(path: Path, name: str, header: Header, spectral: int | None) -> da.Array:
    shape, native = header.stored_shape, header.dtype.newbyteorder("=")
    if header.offset is None:
        source = Source(_load_member, path, (name, header), shape, native, stamp(path))
        return whole(source, spectral=spectral)
    n_planes = shape[0] if len(shape) == 3 else 1
    step = header.nbytes // max(1, n_planes)
    offsets = tuple(header.offset + step * n for n in range(n_planes))
    planes = Planes((path,) * n_planes, offsets, header.dtype, shape[-1])
    cube = (n_planes, *shape[-2:])
    at = spectral if len(shape) == 3 else 0
    source = Source(load_planes, path, planes, cube, native, stamp(path))
    array = lazy(source, chunks=tile_chunks(cube, native.itemsize, spectral=at))
    return array if len(shape) == 3 else array[0]


def _npy_header(path: Path) -> Header:
    with path.open("rb") as file:
        header = _header(file, file.tell)
    size = path.stat().st_size
    if header.offset is None or header.offset + header.nbytes > size:
        raise FileError(f"{path.name} ends before its last value: {size} bytes; copy the file again")
    return header


def _header(file: BinaryIO, tell: Any) -> Header:
    """Read the header at a file's position, as NumPy's own reader does, without pickles."""
    major, _ = np.lib.format.read_magic(file)
    if major not in (1, 2, 3):
        raise InputError(
            f"an array of .npy version {major} cannot be read; expected 1, 2 or 3; save it again"
        )
    read_header: Any = (
        np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read_header(file)
    if not isinstance(dtype, np.dtype) or dtype.hasobject or any(size < 0 for size in shape):
        dtype = np.dtype("V1")
    return Header(tuple(shape), dtype, bool(fortran), tell() if tell is not None else None)


def _npz_headers(path: Path) -> dict[str, Header]:
    """Headers of the arrays in an `.npz`, each judged against its packed size."""
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            with archive.open(info) as member:
                header = _header(cast("BinaryIO", member), member.tell)
            within = header.offset or 0
            judge(path, declared=header.nbytes, stored=info.compress_size, whole=True)
            if within + header.nbytes > info.file_size:
                raise FileError(f"{path.name}: the array {info.filename} is cut off; copy the file again")
            offset = _data_offset(path, info) + within if info.compress_type == zipfile.ZIP_STORED else None
            headers[info.filename[: -len(".npy")]] = Header(
                header.shape, header.dtype, header.fortran, offset
            )
    return headers


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin: behind its local header and the two names in it."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        local = file.read(_LOCAL_HEADER)
    name, extra = struct.unpack("<HH", local[_LOCAL_LENGTHS])
    return info.header_offset + _LOCAL_HEADER + int(name) + int(extra)


def _load_member(path: Path, part: tuple[str, Header], window: Window) -> np.ndarray:
    """Unpack one array of an `.npz`; the zip's own checksum is checked."""
    name, header = part
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        _header(cast("BinaryIO", member), None)
        values = np.frombuffer(member.read(header.nbytes), header.dtype)
        if member.read():
            raise FileError(f"{path.name}: the array {name} holds more than its header says; save it again")
    native = values.astype(header.dtype.newbyteorder("="), copy=False)
    return native.reshape(header.stored_shape)[window]
