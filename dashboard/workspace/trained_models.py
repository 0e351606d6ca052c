"""Training on a page: frames or pictures to learn from, how it goes, and the models that there are."""

import csv
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from dashboard.workspace.workspace import DEPTH, SKIPPED, Workspace
from engine import catalogue
from engine.analysis import find_shipped_model, is_model
from engine.errors import MapstackError
from engine.readers.fits.frame_folder import LABELS_OF_FRAME
from engine.readers.labels.labelled_folder import LABELS_FILES, MASKS, SPLITS, SUFFIXES
from engine.runtime.job_files import JobFiles
from engine.schema import columns as c

FRAMES: Final = "frames"
"""Folder in the home for simulated frames and pictures."""
SHIPPED: Final = "shipped"
SCORES: Final = {"accuracy": "right", "majority": "right by always saying the most frequent"}
"""Figures of a model of pictures, by what they are called on the page."""
LABELLED: Final = frozenset({"file", "label"})
"""Columns of a csv that says the classes of pictures."""


@dataclass(frozen=True)
class TrainingSubject:
    """The examples that an analysis learns from: their name, and the simulator of them with its settings."""

    analysis: str
    what: str
    simulator: str
    simulated: Mapping[str, Any]


@dataclass(frozen=True)
class TrainedModel:
    """A model that can be applied: its folder, where it comes from, how good it is on what was held out."""

    id: str
    title: str
    folder: Path
    scores: dict[str, float]
    """Figures from 0 to 1 by what they are called on the page."""
    tested_on: str
    history: pd.DataFrame = field(repr=False)
    """Figures of each epoch of its training."""

    @property
    def is_shipped(self) -> bool:
        """True for the model that Mapstack brings."""
        return self.id == SHIPPED


def list_models(workspace: Workspace, analysis: str) -> list[TrainedModel]:
    """Return the model that Mapstack brings, then those that were trained here, the newest first.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    analysis
        Name in the catalogue.

    Returns
    -------
    list[TrainedModel]
        Models, the newest first.
    """
    found = []
    shipped = find_shipped_model(analysis)
    if shipped is not None:
        found.append(_read_model(SHIPPED, "Mapstack's own, of simulated data", shipped))
    for job in workspace.list_jobs():
        folder = JobFiles(workspace.home, job.id).model
        if job.state == "done" and is_model(folder) and job.recipe and job.recipe.analysis == analysis:
            when = job.created[:16].replace("T", " ")
            found.append(_read_model(job.id, f"{Path(str(job.recipe.source)).name}, {when}", folder))
    return found


def _read_model(id: str, title: str, folder: Path) -> TrainedModel:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))["metadata"]
    history = pd.DataFrame(card["history"])
    if "n_pictures" in card:
        *_, held = card["n_pictures"]
        figures = {name: card[name] for name in ("accuracy", "majority") if name in card}
        scores = {SCORES[name]: float(value) for name, value in figures.items()}
        return TrainedModel(
            id, title, folder, scores, f"{held} of {sum(card['n_pictures'])} pictures, held out", history
        )
    scores = {f"F1 {row[c.NAME]}": row["f1"] for row in card["metrics"]}
    n_held, n_frames = len(card["held_out"]), card["n_frames"]
    judged = f"{n_held} of {n_frames} frames, held out" if n_held else "the frames it learned from"
    return TrainedModel(id, title, folder, scores, judged, history)


def read_curves(workspace: Workspace, id: str) -> pd.DataFrame:
    """Read the figures of each epoch of a training job so far; empty before the first.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    id
        Id of the job.

    Returns
    -------
    pd.DataFrame
        One row an epoch.
    """
    try:
        return pd.read_csv(JobFiles(workspace.home, id).curves)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame()


def list_folders(workspace: Workspace, subject: TrainingSubject) -> dict[str, str]:
    """Return the folders that can be learned from by what they are called on the page, for `folder_of`.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    subject
        What is learned from.

    Returns
    -------
    dict[str, str]
        Addresses by the text of the choice.
    """
    found = {}
    look, what = FINDERS[subject.what], subject.what
    for root in workspace.roots:
        for folder, n_labelled in look(root):
            address = workspace.find_address(str(folder))
            found[f"{address}: {n_labelled} labelled {what}"] = address
    for folder, n_labelled in look(workspace.home / FRAMES):
        found[f"simulated {folder.name}: {n_labelled} {what}"] = str(folder)
    return found


def _find_labelled_frames(root: Path) -> Iterator[tuple[Path, int]]:
    """Find the folders below a root in which files hold the labels of frames, and how many do."""
    for name, below, files in os.walk(root):
        depth = len(Path(name).relative_to(root).parts)
        below[:] = sorted(each for each in below if not each.startswith(SKIPPED)) if depth < DEPTH else []
        n_labelled = sum(LABELS_OF_FRAME.fullmatch(file) is not None for file in files)
        if n_labelled:
            yield Path(name), n_labelled


def _find_labelled_pictures(root: Path) -> Iterator[tuple[Path, int]]:
    """Find folders of pictures with classes, by a csv or by a folder a class; count the pictures."""
    for name, below, _ in os.walk(root):
        folder = Path(name)
        depth = len(folder.relative_to(root).parts)
        below[:] = sorted(each for each in below if not each.startswith(SKIPPED)) if depth < DEPTH else []
        n_labelled = _count_in_csv(folder) or _count_in_class_folders(folder)
        if n_labelled:
            below[:] = []
            yield folder, n_labelled


def _count_in_csv(folder: Path) -> int:
    """Count the pictures that the csv of labels in a folder names, 0 without one."""
    where = next((folder / name for name in LABELS_FILES if (folder / name).is_file()), None)
    if where is None:
        return 0
    try:
        with where.open(newline="", encoding="utf-8-sig") as file:
            head = next(csv.reader([file.readline().replace(";", ",")]), [])
            return sum(1 for _ in file) if {part.strip() for part in head} >= LABELLED else 0
    except (OSError, UnicodeError, csv.Error):
        return 0


def _count_in_class_folders(folder: Path) -> int:
    """Count the pictures in the folders of a folder, where each of two or more folders is a class; else 0."""
    try:
        inside = [each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(SKIPPED)]
    except OSError:
        return 0
    parts = [each for each in inside if SPLITS.fullmatch(each.name)]
    if parts:
        return sum(_count_in_class_folders(part) for part in parts)
    counts = [_count_pictures(each) for each in inside if not MASKS.fullmatch(each.name)]
    return sum(counts) if sum(count > 0 for count in counts) > 1 else 0


def _count_pictures(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(entry.name.lower().endswith(SUFFIXES) for entry in entries)


FINDERS: Final[Mapping[str, Callable[[Path], Iterator[tuple[Path, int]]]]] = {
    "frames": _find_labelled_frames,
    "pictures": _find_labelled_pictures,
}
"""How folders to learn from are looked for."""


def simulate_examples(workspace: Workspace, kind: str, settings: dict[str, Any]) -> Path:
    """Write labelled frames or pictures into the home and return their folder.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    kind
        Name of the simulator.
    settings
        Settings of the simulator.

    Returns
    -------
    Path
        The written folder.
    """
    folder = workspace.home / FRAMES / secrets.token_hex(3)
    return Path(catalogue.find("simulators", kind)(**settings).write(folder))


def find_folder(workspace: Workspace, text: str) -> str:
    """Return the path of a folder that a user chose: in the served folders, or simulated here.

    Parameters
    ----------
    workspace
        In whose roots the folder is looked for.
    text
        The path that the user chose.

    Raises
    ------
    MapstackError
        If it is neither.
    """
    own = (workspace.home / FRAMES).resolve()
    if text and Path(text).is_absolute() and Path(text).resolve().is_relative_to(own):
        return text
    if not text:
        raise MapstackError("no labelled folder is chosen; choose one, or simulate some")
    return workspace.find_path(text)
