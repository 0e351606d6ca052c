"""Folders that simulators write into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import FileError


@contextmanager
def filling(folder: str | Path, *, what: str) -> Iterator[Path]:
    """Make a folder and give it to be written into.

    Parameters
    ----------
    folder : Path
        The folder.
    what : str
        Word for it, for messages.

    Raises
    ------
    FileError
        If the folder or what is written into it cannot be.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as error:
        raise FileError(
            f"cannot write {what} to {folder} ({error.strerror}); give a folder that can be written"
        ) from None
