"""Files and folders that appear whole or not at all.

Everything is written into a hidden folder beside the target and renamed at the end, so a failure, a cancel
or a full disk leaves nothing behind and never touches what stood there before.
"""

import errno
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.errors import FileError, MapstackError

PARTIAL: Final = ".partial"
"""Ending of the hidden folders that hold what is not finished."""

_PATIENCE: Final = 10.0
"""Seconds that a failed write waits for tiles that other threads and processes are still writing."""

_REASONS: Final = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another folder",
    errno.EACCES: "there is no permission to write here; choose another folder",
    errno.EPERM: "there is no permission to write here; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Yield the path of a draft beside `target`; at the end of the block it becomes `target`.

    The block makes a file or a folder of the draft; what stood at `target` is replaced only then.

    Raises
    ------
    FileError
        If anything cannot be written.
    """
    target = target.absolute()
    folder = target.parent / f".{target.name[:100]}.{secrets.token_hex(6)}{PARTIAL}"
    try:
        folder.mkdir(parents=True)
        (folder / "writing").mkdir()
        yield folder / "new"
        _swap(folder, target)
    except MapstackError:
        raise
    except OSError as error:
        raise FileError(_sentence(error, target, folder)) from error
    finally:
        _discard(folder)


@contextmanager
def writing(draft: Path) -> Iterator[bool]:
    """Announce a write into a draft from any thread or process; False if the draft was given up.

    The announcement comes before the look, and `_discard` looks after it gave up: of a late writer and the
    one who cleans up, one always sees the other, and nothing reappears that was removed.
    """
    announcement = draft.parent / "writing" / secrets.token_hex(8)
    try:
        announcement.touch()
    except FileNotFoundError:
        yield False
        return
    try:
        yield not (draft.parent / "given up").exists()
    finally:
        announcement.unlink(missing_ok=True)


def _swap(folder: Path, target: Path) -> None:
    """Rename the draft to its target; put the old one back if that fails."""
    draft, old = folder / "new", folder / "old"
    if target.is_symlink() or not target.is_dir():
        draft.replace(target)
        return
    target.rename(old)
    try:
        draft.rename(target)
    except BaseException:
        old.rename(target)
        raise


def _discard(folder: Path) -> None:
    """Remove what is left of a draft, after all that still write into it have stopped."""
    if not folder.is_dir():
        return
    try:
        (folder / "given up").touch()
    except OSError:  # not even an empty file fits on the disk: whatever writes fails as well
        shutil.rmtree(folder, ignore_errors=True)
    deadline = time.monotonic() + _PATIENCE
    while _busy(folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


def _busy(folder: Path) -> bool:
    try:
        return any((folder / "writing").iterdir())
    except OSError:
        return False


def _sentence(error: OSError, target: Path, folder: Path) -> str:
    """Return the sentence for a failed write: about the target, or about something else that was read."""
    about = str(error.filename or "")
    if about and not about.startswith((str(folder), str(target))):
        return f"{about} could not be read: {error.strerror}; check that it is still there and readable"
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}; check the folder and try again")
    return f"{target} could not be written: {reason}"
