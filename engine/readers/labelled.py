"""Pictures in folders with the classes they are of: by a csv of labels, or a folder per class.

A table, not a stack: no picture is decoded to list it. Tens of thousands are judged by their header and their
last bytes; one that cannot be read is listed with the sentence that says why, and never fatal.
"""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.collection import ACCOMPANIES, PIXEL_SIZE
from engine.readers.guard import inside
from engine.readers.picture_files import judge_picture, read_gray
from engine.readers.tiff import natural
from engine.schema import IMAGE

__all__ = ["labelled_images", "read_gray"]

LABELS_FILE: Final = "labels.csv"
SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
"""Names of files that are listed even where they turn out to be no picture."""
SPLITS: Final = re.compile(r"(train|val|valid|test)(ing|idation)?|hold-?_?out", re.IGNORECASE)
"""Folders that hold the folders per class of one part of a split; not classes themselves."""
MASKS: Final = re.compile(r"masks?|labels?|truth|seg(map|mentation)s?", re.IGNORECASE)
"""Folders that hold no pictures but masks of those in the folder `images` beside."""


@dataclass(frozen=True)
class _Row:
    """One picture of the table."""

    file: str
    label: str
    parent: str
    problem: str = ""


def labelled_images(path: str | Path, labels: str | Path | None = None) -> xr.Dataset:
    """List the pictures of a folder and its subfolders with their classes, without decoding any.

    Parameters
    ----------
    path
        A folder, or one picture.
    labels
        A csv with the columns `file` (relative to it), `label` and, if several pictures are of one original,
        `parent`; `labels.csv` in the folder if there is one. Without a csv the first folder below `path` that
        is not one of a split (`train`, `test` ...) is the class.

    Returns
    -------
    Dataset, dims (image,)
        Variables `file`, relative to `path`; `label`, "" for none; `parent`, the file itself where the csv
        names none; `pixel_size` in nm, `magnification` and `voltage` in kV, NaN for unknown; `detector`;
        `problem`, why a file cannot be read, "" for none. In natural order, the csv's files in its own.

    Raises
    ------
    FileError
        If there is no such file or folder, or the csv cannot be read.
    InputError
        If the csv lacks a column.
    """
    path = Path(path)
    if not path.exists():
        raise FileError(f"{path} does not exist; give a folder of pictures")
    root = path if path.is_dir() else path.parent
    told = _told(root, labels)
    found = _pictures(path) if path.is_dir() else [path.name]
    others = [_Row(file, "" if told else _class(file), file) for file in found if file not in told]
    return _table(root, [*told.values(), *others])


def _told(root: Path, labels: str | Path | None) -> dict[str, _Row]:
    """Rows of the csv of labels by file, empty if there is none."""
    where = root / LABELS_FILE if labels is None else Path(labels)
    if labels is None and not where.is_file():
        return {}
    try:
        with where.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            lines = list(csv.DictReader(file, delimiter=";" if head.count(";") > head.count(",") else ","))
    except (OSError, UnicodeError, csv.Error) as error:
        raise FileError(f"{where.name} cannot be read ({error}); give a csv of labels") from None
    names = [name.strip() for name in lines[0] if name] if lines else []
    if not {"file", "label"} <= set(names):
        raise InputError(
            f"{where.name} has the columns {', '.join(names) or 'of nothing'}; expected file, label and,"
            " if wanted, parent"
        )
    return _by_file(root, where, lines)


def _by_file(root: Path, where: Path, lines: list[dict[str, str | None]]) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    for line in lines:
        cells = {str(name).strip(): (value or "").strip() for name, value in line.items() if name}
        file = os.path.relpath(where.parent / cells["file"].replace("\\", "/"), root).replace(os.sep, "/")
        before = rows.get(file)
        problem = before.problem if before else ""
        if before is not None and before.label != cells["label"]:
            problem = f"{where.name} gives it two labels, {before.label} and {cells['label']}; leave one"
        if not cells["file"] or file.startswith("../"):
            problem = f"{where.name} names a file that is not in {root.name}; give its path from there"
        label = before.label if before else cells["label"]
        rows[file] = _Row(file, label, cells.get("parent") or file, problem)
    return rows


def _pictures(folder: Path) -> list[str]:
    """Files below a folder that are pictures by name or by content, relative to it, in natural order."""
    found = []
    for here, below, names in os.walk(folder):
        has_images = "images" in below
        below[:] = [name for name in below if name[0] != "." and not (has_images and MASKS.fullmatch(name))]
        place = Path(here).relative_to(folder)
        found += [(place / name).as_posix() for name in names if _is_listed(Path(here, name), folder)]
    return sorted(found, key=natural)


def _is_listed(file: Path, folder: Path) -> bool:
    if file.name.startswith(".") or ACCOMPANIES.fullmatch(file.name):
        return False
    if file.is_symlink() and not inside(file, folder):
        return False
    return file.suffix.lower() in SUFFIXES


def _class(file: str) -> str:
    """Class of a file by the folders it lies in."""
    return next((name for name in file.split("/")[:-1] if not SPLITS.fullmatch(name)), "")


def _table(root: Path, rows: list[_Row]) -> xr.Dataset:
    judged = [judge_picture(root / row.file) for row in rows]
    problems = [row.problem or picture.problem for row, picture in zip(rows, judged, strict=True)]
    taken = [picture.acquisition for picture in judged]
    columns: Mapping[str, tuple[np.ndarray, str]] = {
        "file": (_texts(row.file for row in rows), "1"),
        "label": (_texts(row.label for row in rows), "1"),
        "parent": (_texts(row.parent for row in rows), "1"),
        PIXEL_SIZE: (np.array([np.mean(t.pixel_size) for t in taken], np.float64), "nm"),
        "magnification": (np.array([t.magnification for t in taken], np.float64), "1"),
        "voltage": (np.array([t.voltage for t in taken], np.float64), "kV"),
        "detector": (_texts(t.detector for t in taken), "1"),
        "problem": (_texts(problems), "1"),
    }
    variables = {name: (IMAGE, values, {"units": units}) for name, (values, units) in columns.items()}
    return xr.Dataset(variables, attrs={"source": str(root.absolute())})


def _texts(values: Iterator[str] | list[str]) -> np.ndarray:
    return np.array(list(values), dtype=str)
