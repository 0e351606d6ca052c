"""Judging files: what a broken or hostile file may do to us, and the one sentence it earns.

Libraries raise some twenty kinds of exceptions on broken files; `clear_errors` turns them all into one. Files
that claim far more than they hold are refused by their header, before a byte is unpacked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.errors import FileError, InputError, MapstackError

HARMLESS_BYTES: Final = 128 * 2**20
"""Unpacked sizes up to this are never refused, however well they are packed."""

WHOLE_RATIO: Final = 100
"""Unpacked : stored bytes allowed where a file can only be unpacked as a whole."""

TILED_RATIO: Final = 1000
"""Unpacked : stored bytes allowed where only the tiles asked for are unpacked."""

WHOLE_BYTES: Final = 64 * 2**30
"""Unpacked size allowed where a file can only be unpacked as a whole."""


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn whatever a library raises on a bad file into one sentence.

    Raises
    ------
    FileError
        For every exception that is not ours, with its cause attached for the log.
    """
    try:
        yield
    except MapstackError:
        raise
    except Exception as error:
        raise FileError(
            f"{path.name} cannot be read ({type(error).__name__}: {_one_line(error)});"
            " check that the file is complete and of the format its name says"
        ) from error


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else f"{text[:157]}..."


def judge(path: Path, *, declared: int, stored: int, whole: bool) -> None:
    """Refuse a packed file whose header claims far more bytes than it can honestly hold.

    Parameters
    ----------
    path
        The file, for the sentence.
    declared, stored
        Unpacked and packed size in bytes.
    whole
        Whether the file can only be unpacked as a whole.

    Raises
    ------
    InputError
        If the file is refused.
    """
    ratio = WHOLE_RATIO if whole else TILED_RATIO
    too_much = whole and declared > WHOLE_BYTES
    if declared > HARMLESS_BYTES and (declared > ratio * max(stored, 1) or too_much):
        raise InputError(
            f"{path.name} claims {declared / 1e6:,.0f} MB of values in {stored / 1e6:,.3f} MB;"
            f" that looks damaged or hostile: store it with less compression (at most {ratio}:1)"
        )


def inside(path: Path, folder: Path) -> bool:
    """Return whether a path, all its links followed, lies in a folder.

    Parameters
    ----------
    path : Path
        A file or folder.
    folder : Path
        The folder.
    """
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False
