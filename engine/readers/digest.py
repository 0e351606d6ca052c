"""The digest of a source: whether data is still, or again, the same."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from engine import catalogue
from engine.errors import FileError
from engine.readers.dispatch import reader_of, split_key
from engine.readers.guard import clear_errors

FULL_BYTES: Final = 10**9
ENDS_BYTES: Final = 2**20
_PIECE: Final = 2**22


def digest(path: str | Path) -> str:
    """Digest of everything the images of a path come from.

    Below 1 GB the SHA-256 of the bytes: of a file alone, of a folder the names and bytes of the reader's
    files in order. From there on `quick:` and the SHA-256 of names, sizes, times, and the first and last
    megabyte of each file. Parts of one file (`::KEY`) are different data: a hash of the key follows.

    Raises
    ------
    FileError
        If there is no such file or it cannot be read.
    """
    where, key = split_key(path)
    part = f"-{hashlib.sha256(key.encode()).hexdigest()[:16]}" if key else ""
    with clear_errors(where):
        found = _files(where)
        if sum(file.stat().st_size for file in found) >= FULL_BYTES:
            return f"quick:{_quick(where, found)}{part}"
        return _full(where, found) + part


def _files(path: Path) -> list[Path]:
    """Return the files of a path: what its reader says, all of a folder otherwise."""
    listing = getattr(catalogue.find("readers", reader_of(path)), "files", None)
    if listing is not None:
        return sorted(listing(path))
    if path.is_file():
        return [path]
    found = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    return sorted(file for file in found if file.is_file())


def _full(path: Path, found: Iterable[Path]) -> str:
    hasher = hashlib.sha256()
    for file in found:
        if file != path:
            hasher.update(f"{_name(file, path)}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                hasher.update(piece)
    return hasher.hexdigest()


def _quick(path: Path, found: Iterable[Path]) -> str:
    hasher = hashlib.sha256()
    for file in found:
        facts = file.stat()
        hasher.update(f"{_name(file, path)}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
        with file.open("rb") as stream:
            hasher.update(stream.read(ENDS_BYTES))
            stream.seek(max(0, facts.st_size - ENDS_BYTES))
            hasher.update(stream.read(ENDS_BYTES))
    return hasher.hexdigest()


def _name(file: Path, path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    try:
        return file.relative_to(folder).as_posix()
    except ValueError:
        raise FileError(f"{file.name} lies outside {folder.name}; copy it there") from None
