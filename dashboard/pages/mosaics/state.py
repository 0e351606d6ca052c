"""Frames that lie side by side in a folder: the first one, and those beside an open one."""

from pathlib import Path
from typing import Final

from dashboard.workspace.workspace import Workspace
from engine.readers import split_key
from engine.readers.fits.frame_folder import LABELS_OF_FRAME, frames_in

MOST: Final = 500
"""Frames of a folder that are offered."""


def find_first_frame(workspace: Workspace, address: str) -> str:
    """Address of the first frame of a folder of frames; of anything else, its own."""
    path, key = split_key(workspace.find_path(address))
    found = frames_in(Path(path)) if Path(path).is_dir() and not key else []
    return workspace.find_address(str(found[0])) if found else address


def list_frames(workspace: Workspace, address: str) -> dict[str, str]:
    """Addresses of the open frame and of those of its kind in its folder, by their file names."""
    path, key = split_key(workspace.find_path(address))
    here = Path(path)
    suffixes = "".join(here.suffixes[-2:]).lower()
    found = [
        file
        for file in sorted(here.parent.iterdir())
        if file.name.lower().endswith(suffixes)
        and file.is_file()
        and not file.name.startswith(".")
        and not LABELS_OF_FRAME.fullmatch(file.name)
    ]
    named = {file.name: workspace.find_address(str(file)) for file in found[:MOST]}
    return named | {here.name + (f"::{key}" if key else ""): address}
