"""The one door for paths that a page, a URL or a file names: only what lies inside the served roots.

A panel's file selector is no jail: a root `/x/data` would admit its sibling `/x/data_secret`, and links
would lead out. Here every link is followed first, then the real path must lie in a real root.
"""

from collections.abc import Iterable
from pathlib import Path

from engine.errors import FileError


def resolve(path: str | Path, roots: Iterable[str | Path]) -> Path:
    """Real path of something inside one of the roots.

    Parameters
    ----------
    path
        Absolute, or relative to one of the roots (the first that has it).
    roots
        Folders that are served.

    Returns
    -------
    Path
        Absolute, without links, an existing file or folder.

    Raises
    ------
    FileError
        If it is a URL, holds a NUL, lies outside every root, does not exist, or is neither file nor folder.
        Of what lies outside, the sentence does not tell whether it exists.
    """
    text = str(path)
    if not text or "\0" in text or "://" in text:
        raise FileError(
            f"{_short_path(text)} is no path of a file or folder; choose one inside the served folders"
        )
    for root in roots:
        base = _real(Path(root))
        where = _real(base / text) if base is not None else None
        if base is None or where is None or not where.is_relative_to(base) or not _is_known(where):
            continue
        return where
    raise FileError(f"{_short_path(text)} is not in the served folders; choose one that is")


def _real(path: Path) -> Path | None:
    """Return the path with all links followed, None if it cannot be one."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _is_known(path: Path) -> bool:
    """Return whether it is an existing regular file or folder, not a device, a pipe or a socket."""
    try:
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):
        return False


def _short_path(text: str) -> str:
    """Return what was given, on one line and not too long."""
    return repr(text if len(text) <= 120 else f"{text[:117]}...")
