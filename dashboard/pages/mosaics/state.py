"""Frames of a folder: the first one, and those beside an open one."""

from pathlib import Path
from typing import Final

from dashboard.workspace.workspace import Workspace
from engine.readers import split_key
from engine.readers.fits.frame_folder import LABELS_OF_FRAME, frames_in

MOST: Final = 500
"""Frames of a folder that are offered."""


def find_first_frame(workspace: Workspace, address: str) -> str:
    """Return the address of the first frame of a folder of frames; of anything else, its own.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    address
        As in the URL.

    Returns
    -------
    str
        Address of one frame.
    """
    path, key = split_key(workspace.find_path(address))
    files = frames_in(Path(path)) if Path(path).is_dir() and not key else []
    return workspace.find_address(str(files[0])) if files else address


def list_frames(workspace: Workspace, address: str) -> dict[str, str]:
    """Return the addresses of the open frame and of those of its kind in its folder, by their file names.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    address
        As in the URL.

    Returns
    -------
    dict[str, str]
        Addresses by file name.
    """
    path, key = split_key(workspace.find_path(address))
    frame = Path(path)
    suffixes = "".join(frame.suffixes[-2:]).lower()
    files = [
        file
        for file in sorted(frame.parent.iterdir())
        if file.name.lower().endswith(suffixes)
        and file.is_file()
        and not file.name.startswith(".")
        and not LABELS_OF_FRAME.fullmatch(file.name)
    ]
    named = {file.name: workspace.find_address(str(file)) for file in files[:MOST]}
    return named | {frame.name + (f"::{key}" if key else ""): address}
