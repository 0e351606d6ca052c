"""Pictures dropped on a page: each drop in a fresh folder of the server's home, under harmless names."""

import re
import secrets
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from engine.errors import InputError
from engine.readers.labels.labelled_folder import SUFFIXES

MOST_FILES: Final = 1000
MOST_BYTES: Final = 200 * 10**6
"""Of one picture."""
MOST_TOGETHER: Final = 2 * 10**9
"""Bytes of all pictures of one drop."""
LONGEST_NAME: Final = 80


class Upload:
    """The files of one drop as they arrive, part by part.

    Raises
    ------
    InputError
        If none is a picture, or they are too many or too large.
    """

    def __init__(self, uploads: Path, names: Sequence[str], sizes: Sequence[int]) -> None:
        taken = [n for n, name in enumerate(names) if name.lower().endswith(SUFFIXES)]
        self.left_out = [name for n, name in enumerate(names) if n not in taken]
        _check(names, sizes, taken)
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        self.folder = uploads / f"drop-{moment}-{secrets.token_hex(4)}"
        self.folder.mkdir(parents=True)
        kept = make_safe_names([names[n] for n in taken])
        self.files = dict(zip(taken, (self.folder / name for name in kept), strict=True))
        self.sizes = {n: int(sizes[n]) for n in taken}
        self.received = dict.fromkeys(taken, 0)
        self._open: tuple[int, BinaryIO] | None = None

    def part(self, number: int, data: bytes) -> None:
        """Take the next bytes of a file; those of files that are left out are ignored.

        Parameters
        ----------
        number
            Number of the file.
        data
            Its next bytes.
        """
        if number not in self.files:
            return
        self.received[number] += len(data)
        if self.received[number] > self.sizes[number]:
            raise InputError(f"{self.files[number].name} is larger than the browser said; drop it again")
        if self._open is None or self._open[0] != number:
            self._shut()
            self._open = number, self.files[number].open("ab")
        self._open[1].write(data)

    def finish(self) -> Path:
        """Return the folder of the pictures, or the picture if it is only one."""
        self._shut()
        missing = [self.files[n].name for n in self.files if self.received[n] != self.sizes[n]]
        if missing:
            raise InputError(f"{missing[0]} did not arrive whole; drop it again")
        files = list(self.files.values())
        return files[0] if len(files) == 1 else self.folder

    def discard(self) -> None:
        """Delete what has arrived."""
        self._shut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _shut(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _check(names: Sequence[str], sizes: Sequence[int], taken: Sequence[int]) -> None:
    kinds = ", ".join(suffix.removeprefix(".").upper() for suffix in SUFFIXES)
    if not taken:
        first = names[0] if names else "nothing"
        raise InputError(f"{first} is no picture; drop files of these kinds: {kinds}")
    if len(taken) > MOST_FILES:
        raise InputError(
            f"{len(taken)} pictures at once are too many; drop up to {MOST_FILES}, or open their folder"
        )
    large = [names[n] for n in taken if not 0 < int(sizes[n]) <= MOST_BYTES]
    if large:
        raise InputError(
            f"{large[0]} is empty or larger than {MOST_BYTES // 10**6} MB; open it from a folder"
        )
    if sum(int(sizes[n]) for n in taken) > MOST_TOGETHER:
        raise InputError(
            f"the pictures are larger than {MOST_TOGETHER // 10**9} GB together; open their folder instead"
        )


def make_safe_names(names: Sequence[str]) -> list[str]:
    r"""Return file names without folders, hidden files, control characters or doubles.

    Examples
    --------
    >>> safe_names(["../../etc/a b.png", "C:\\x\\a b.png", "..png", "ü*?.TIF"])
    ['a b.png', 'a b-2.png', 'picture.png', 'ü__.TIF']
    """
    safe: list[str] = []
    for name in names:
        bare = name.replace("\\", "/").rpartition("/")[2]
        stem, _, suffix = bare.rpartition(".")
        stem = re.sub(r"[^\w .()+-]", "_", stem).strip(" .-")[:LONGEST_NAME] or "picture"
        taken, whole, n = {other.lower() for other in safe}, f"{stem}.{suffix}", 2
        while whole.lower() in taken:
            whole, n = f"{stem}-{n}.{suffix}", n + 1
        safe.append(whole)
    return safe
