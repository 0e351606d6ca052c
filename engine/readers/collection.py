"""A folder of micrographs of whatever formats, as a list of files to open one by one."""

import re
from pathlib import Path
from typing import Final

from engine.errors import FileError, MapstackError
from engine.readers.dispatch import reader_of
from engine.readers.guard import inside
from engine.readers.micrograph_ser import described
from engine.readers.tiff import natural

READERS: Final = ("micrograph", "tiff", "pictures", "fits", "npy", "hyperspy", "hdf5")
"""Readers whose files are micrographs."""

ACCOMPANIES: Final = re.compile(r".+_(masks?\.[^.]+|truth.*|labels?.*)", re.IGNORECASE)
"""Names of what lies beside images: masks, truth and labels of them."""


def members(path: str | Path) -> list[Path]:
    """The micrographs of a folder, in natural order; of a file, that file.

    Files are known by their content. Left out are masks, truth and labels by their names (`NAME_mask.png`,
    `NAME_truth...`, `NAME_label...`), hidden files, links that lead out of the folder, other formats, and an
    EMI whose SER files are there. Subfolders are not looked into.

    Returns
    -------
    list of Path
        Empty if the folder holds none.

    Raises
    ------
    FileError
        If there is no such file or folder.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    try:
        found = [file for file in path.iterdir() if _is_member(file, path)]
    except OSError as error:
        raise FileError(f"{path} cannot be listed ({error.strerror}); give a folder of images") from None
    return sorted(found, key=lambda file: natural(file.name))


def _is_member(file: Path, folder: Path) -> bool:
    if file.name.startswith(".") or ACCOMPANIES.fullmatch(file.name) or not file.is_file():
        return False
    if not inside(file, folder) or (file.suffix.lower() == ".emi" and described(file)):
        return False
    try:
        return reader_of(file) in READERS
    except MapstackError:
        return False
