"""Choice of the reader and the part of a file for a path."""

from pathlib import Path
from typing import Final

from engine import catalogue
from engine.errors import FileError, InputError

HEAD_BYTES: Final = 512


def split_key(path: str | Path) -> tuple[Path, str | None]:
    """Split `file::KEY`; a file whose own name holds `::` wins.

    Raises
    ------
    FileError
        If there is nothing at the path.
    """
    text = str(path)
    name, mark, key = text, "", ""
    if "\0" not in text and not _exists(text):
        name, mark, key = text.partition("::")
        while mark and not _exists(name) and "::" in key:
            more, mark, key = key.partition("::")
            name = f"{name}::{more}"
    if "\0" in text or not name or not _exists(name):
        raise FileError(f"{name!r} does not exist or may not be read; check the spelling and the rights")
    return Path(name), key or None


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def reader_of(path: Path) -> str:
    """Name of the first reader that accepts a path.

    Raises
    ------
    FileError
        If it is no file or folder, is empty, or may not be read.
    InputError
        If no reader knows it.
    """
    try:
        if not path.is_dir() and not path.is_file():
            raise FileError(f"{path.name} is neither a file nor a folder; give one that holds images")
        head = _head(path)
        for name in catalogue.READERS:
            if catalogue.find("readers", name).accepts(path, head):
                return name
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path.name} cannot be opened ({error.strerror}); check its rights") from None
    formats = ", ".join(catalogue.READERS)
    if path.is_file() and not head:
        raise FileError(f"{path.name} is empty; copy it again")
    raise InputError(f"{path.name} is of no format that Mapstack knows; there are: {formats}")


def _head(path: Path) -> bytes:
    if path.is_dir():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
