"""Pictures in folders with the classes they are of: by a csv of labels, or a folder per class.

No picture is decoded to list it. Tens of thousands are judged by their header and their last bytes; one that
cannot be read is listed with the sentence that says why, and never fatal.
"""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.collection import ACCOMPANIES, PIXEL_SIZE
from engine.readers.guard import inside
from engine.readers.images.picture_files import Picture, judge_picture, read_gray
from engine.readers.images.tiff import natural
from engine.readers.stack import dumps
from engine.schema import IMAGE, PIXEL, X, Y, label_map

__all__ = ["list_labelled_images", "read_gray"]

LABELS_FILES: Final = ("labels.csv", "truth.csv")
"""Names of the csv of labels, the first that is there."""
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
    source: str = ""


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is a folder with pictures in folders below it, or with a csv of labels.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    if head or not path.is_dir():
        return False
    return _csv_of(path) is not None or next(_list_files(path), None) is not None


def files(path: Path) -> list[Path]:
    """Return the files that the images come from, and the csv of their labels."""
    told = _csv_of(path)
    return [*(path / name for name in _list_files(path)), *([] if told is None else [told])]


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open the pictures of a folder and its subfolders lazily, as grey, dims (image, y, x), one chunk each.

    The columns of `list_labelled_images` are coordinates along `image`. Smaller pictures are filled up with
    NaN below and on the right. Pictures that cannot be read are left out, and told in a warning.

    Parameters
    ----------
    path
        The file or folder.
    key
        Part of it that `::KEY` picks; None for the whole.
    chunks : mapping of str to int, optional
        Pixels of a tile along `y` and `x`.

    Raises
    ------
    InputError
        If a key is given, or no picture can be read.
    """
    if key is not None:
        raise InputError(f"{path.name} is a folder of pictures and has no part {key!r}; leave the key out")
    rows, judged = _compare_labels(path, None)
    listed = _table(path, rows, judged)
    good = [n for n, problem in enumerate(listed["problem"].values) if not problem]
    if not good:
        raise InputError(f"no picture of {path.name} can be read; give a folder of PNG, JPEG, TIFF or BMP")
    shapes = [judged[n].shape for n in good]
    edges = (max(shape[0] for shape in shapes), max(shape[1] for shape in shapes))
    stack = _Stack(tuple(str(path / rows[n].file) for n in good), edges)
    planes = da.from_array(stack, chunks=(1, *edges), name=False, meta=np.empty((0, 0, 0), np.float32))
    told = listed.isel({IMAGE: good}).drop_vars("problem")
    coords = {str(name): column for name, column in told.data_vars.items()}
    places = {
        dim: (dim, np.arange(n, dtype=np.float64), {"units": "px"})
        for dim, n in zip(PIXEL, edges, strict=True)
    }
    notes = [str(problem) for problem in listed["problem"].values if problem]
    images = {"intensity": ((IMAGE, Y, X), planes, {"units": "1"})}
    return xr.Dataset(images, {**coords, **places}, {"warnings": dumps(notes)})


class _Stack:
    """Pictures as one array `(image, y, x)`, read when they are indexed."""

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, files: tuple[str, ...], edges: tuple[int, int]) -> None:
        self.files, self.edges = files, edges
        self.shape = (len(files), *edges)

    def __getitem__(self, index: tuple[Any, ...]) -> np.ndarray:
        chosen = np.arange(len(self.files))[index[0]]
        planes = np.stack([self._plane(self.files[n]) for n in np.atleast_1d(chosen)])
        return (planes if chosen.ndim else planes[0])[(..., *index[1:])]

    def _plane(self, file: str) -> np.ndarray:
        values = read_gray(file)
        short = [(0, edge - n) for edge, n in zip(self.edges, values.shape, strict=True)]
        return np.pad(values, short, constant_values=np.nan) if np.any(short) else values


def list_labelled_images(path: str | Path, labels: str | Path | None = None) -> xr.Dataset:
    """List the pictures of a folder and its subfolders with their classes, without decoding any.

    Parameters
    ----------
    path
        A folder, or one picture.
    labels
        A csv with the columns `file` (relative to it), `label` and, if several pictures are of one original,
        `parent`; `labels.csv` or `truth.csv` in the folder if there is one. Without a csv the first folder
        below `path` that is not one of a split (`train`, `test` ...) is the class.

    Returns
    -------
    Dataset, dims (image,)
        Variables `file`, relative to `path`; `label`, "" for none; `parent`, the file itself where the csv
        names none; `origin`, the csv's column `source`, "" for none; `pixel_size` in nm, `magnification` and
        `voltage` in kV, NaN for unknown; `detector`; `problem`, why a file cannot be read, "" for none. In
        natural order, the csv's files in its own.

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
    rows, judged = _compare_labels(path, labels)
    return _table(root, rows, judged)


def picture_labels(source: str | Path, *, labels: str | Path | None = None) -> xr.DataArray:
    """Return the classes of the pictures of a folder as numbers.

    Parameters
    ----------
    source
        As `path` of `list_labelled_images`.
    labels
        As of `list_labelled_images`.

    Returns
    -------
    DataArray, dims (image,), uint16
        From 1 in the order of the alphabet, 0 for none, with `flag_meanings` and the coordinate `file`.

    Raises
    ------
    FileError, InputError
        As `list_labelled_images`.
    """
    listed = list_labelled_images(source, labels)
    names = sorted(set(listed["label"].values.tolist()) - {""})
    numbers = {"": 0, **{name: n for n, name in enumerate(names, 1)}}
    values = np.array([numbers[name] for name in listed["label"].values.tolist()], np.uint16)
    told = xr.DataArray(values, {"file": listed["file"]}, dims=IMAGE)
    return label_map(told, dict(enumerate(names, 1))) if names else told


def _compare_labels(path: Path, labels: str | Path | None) -> tuple[list[_Row], list[Picture]]:
    """Return what is known of each picture of a folder, or of one."""
    root = path if path.is_dir() else path.parent
    told = _read_labels(root, labels)
    found = _pictures(path) if path.is_dir() else [path.name]
    rows = [*told.values(), *(_Row(f, "" if told else _class(f), f) for f in found if f not in told)]
    return rows, [judge_picture(root / row.file) for row in rows]


def _csv_of(folder: Path) -> Path | None:
    """Return the csv of labels in a folder."""
    return next((folder / name for name in LABELS_FILES if (folder / name).is_file()), None)


def _read_labels(root: Path, labels: str | Path | None) -> dict[str, _Row]:
    """Return the rows of the csv of labels by file, empty if there is none."""
    where = _csv_of(root) if labels is None else Path(labels)
    if where is None:
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
        rows[file] = _Row(file, label, cells.get("parent") or file, problem, cells.get("source", ""))
    return rows


def _pictures(folder: Path) -> list[str]:
    """Return the files below a folder that are pictures by name, relative to it, in natural order."""
    return sorted(_list_files(folder), key=natural)


def _list_files(folder: Path) -> Iterator[str]:
    for here, below, names in os.walk(folder):
        has_images = "images" in below
        below[:] = [name for name in below if name[0] != "." and not (has_images and MASKS.fullmatch(name))]
        place = Path(here).relative_to(folder)
        yield from ((place / name).as_posix() for name in names if _is_listed(Path(here, name), folder))


def _is_listed(file: Path, folder: Path) -> bool:
    if file.name.startswith(".") or ACCOMPANIES.fullmatch(file.name):
        return False
    if file.is_symlink() and not inside(file, folder):
        return False
    return file.suffix.lower() in SUFFIXES


def _class(file: str) -> str:
    """Return the class of a file by the folders it lies in."""
    return next((name for name in file.split("/")[:-1] if not SPLITS.fullmatch(name)), "")


def _table(root: Path, rows: list[_Row], judged: list[Picture]) -> xr.Dataset:
    problems = [row.problem or picture.problem for row, picture in zip(rows, judged, strict=True)]
    taken = [picture.acquisition for picture in judged]
    columns: Mapping[str, tuple[np.ndarray, str]] = {
        "file": (_texts(row.file for row in rows), "1"),
        "label": (_texts(row.label for row in rows), "1"),
        "parent": (_texts(row.parent for row in rows), "1"),
        "origin": (_texts(row.source for row in rows), "1"),
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
