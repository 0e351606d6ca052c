"""The digest of a source: whether data is still, or again, the same."""

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from engine import catalogue
from engine.errors import FileError
from engine.readers.dispatch import reader_of, split_key
from engine.readers.guard import clear_errors

FULL_BYTES: Final = 10**9
ENDS_BYTES: Final = 2**20
_PIECE: Final = 2**22
TICK_NS: Final = 50_000_000
"""Nanoseconds within which file systems may give two changes the same time."""
N_KEPT: Final = 256
"""Digests that are kept."""
Stamp = tuple[Any, ...]
"""Path of a source, and for each of its files path, size, times and number."""
_digests: Final[dict[Stamp, str]] = {}
_lock: Final = threading.Lock()


def digest(path: str | Path) -> str:
    """Return the digest of everything the images of a path come from.

    A source is hashed once in a process, as long as names, sizes and times of its files stay the same.

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
        files = _files(where)
        now = time.time_ns()
        stamp = (str(where.absolute()), *(_stamp(file) for file in files))
        with _lock:
            known = _digests.get(stamp)
        if known is None:
            known = hash_files(where, files)
            _remember(stamp, known, now=now)
        return known + part


def hash_files(path: Path, files: Sequence[Path]) -> str:
    """Return the hash of files: of all their bytes, or of their ends where they are large together.

    Parameters
    ----------
    path
        The file or folder that they belong to.
    files
        Files in order.

    Raises
    ------
    FileError
        If a file lies outside of the folder.
    """
    if sum(file.stat().st_size for file in files) >= FULL_BYTES:
        return f"quick:{_quick(path, files)}"
    return _full(path, files)


def _stamp(file: Path) -> tuple[str, int, int, int, int]:
    """Return the facts of a file that change when its bytes do."""
    facts = file.stat()
    return str(file), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino


def _remember(stamp: Stamp, digest: str, *, now: int) -> None:
    """Keep a digest, unless a file was so young at `now` (ns) that a change might leave its times."""
    youngest = max((file[3] for file in stamp[1:]), default=0)
    if now - youngest < TICK_NS:
        return
    with _lock:
        _digests[stamp] = digest
        while len(_digests) > N_KEPT:
            _digests.pop(next(iter(_digests)))


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
