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

FRAMES: Final = "frames"
"""Folder in the home for simulated frames and pictures."""
SHIPPED: Final = "shipped"
SCORES: Final = {"accuracy": "right", "majority": "right by always saying the most frequent"}
"""Figures of a model of pictures, by what they are called on the page."""
LABELLED: Final = frozenset({"file", "label"})
"""Columns of a csv that says the classes of pictures."""


@dataclass(frozen=True)
class TrainingSubject:
    """What an analysis learns from: what one is called, and what simulates them, with which settings."""

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
    judged_on: str
    history: pd.DataFrame = field(repr=False)
    """Figures of each epoch of its training."""

    @property
    def shipped(self) -> bool:
        """Whether it is the one that Mapstack brings."""
        return self.id == SHIPPED


def list_models(workspace: Workspace, analysis: str) -> list[TrainedModel]:
    """The model that Mapstack brings, then those that were trained here, the newest first."""
    found = []
    shipped = find_shipped_model(analysis)
    if shipped is not None:
        found.append(_trained(SHIPPED, "Mapstack's own, of simulated data", shipped))
    for job in workspace.list_jobs():
        folder = JobFiles(workspace.home, job.id).model
        if job.state == "done" and is_model(folder) and job.recipe and job.recipe.analysis == analysis:
            when = job.created[:16].replace("T", " ")
            found.append(_trained(job.id, f"{Path(str(job.recipe.source)).name}, {when}", folder))
    return found


def _trained(id: str, title: str, folder: Path) -> TrainedModel:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))["metadata"]
    history = pd.DataFrame(card["history"])
    if "n_pictures" in card:
        *_, held = card["n_pictures"]
        figures = {name: card[name] for name in ("accuracy", "majority") if name in card}
        scores = {SCORES[name]: float(value) for name, value in figures.items()}
        return TrainedModel(
            id, title, folder, scores, f"{held} of {sum(card['n_pictures'])} pictures, held out", history
        )
    scores = {f"F1 {row['name']}": row["f1"] for row in card["metrics"]}
    n_held, n_frames = len(card["held_out"]), card["n_frames"]
    judged = f"{n_held} of {n_frames} frames, held out" if n_held else "the frames it learned from"
    return TrainedModel(id, title, folder, scores, judged, history)


def read_curves(workspace: Workspace, id: str) -> pd.DataFrame:
    """Figures of each epoch of a training job so far; empty before the first."""
    try:
        return pd.read_csv(JobFiles(workspace.home, id).curves)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame()


def list_folders(workspace: Workspace, subject: TrainingSubject) -> dict[str, str]:
    """Folders that can be learned from by what they are called on the page, for `folder_of`."""
    found = {}
    look, what = LOOK[subject.what], subject.what
    for root in workspace.roots:
        for folder, n_labelled in look(root):
            address = workspace.find_address(str(folder))
            found[f"{address}: {n_labelled} labelled {what}"] = address
    for folder, n_labelled in look(workspace.home / FRAMES):
        found[f"simulated {folder.name}: {n_labelled} {what}"] = str(folder)
    return found


def _labelled_frames(root: Path) -> Iterator[tuple[Path, int]]:
    """Folders below a root in which files hold the labels of frames, and how many do."""
    for name, below, files in os.walk(root):
        depth = len(Path(name).relative_to(root).parts)
        below[:] = sorted(each for each in below if not each.startswith(SKIPPED)) if depth < DEPTH else []
        n_labelled = sum(LABELS_OF_FRAME.fullmatch(file) is not None for file in files)
        if n_labelled:
            yield Path(name), n_labelled


def _labelled_pictures(root: Path) -> Iterator[tuple[Path, int]]:
    """Folders below a root whose pictures have classes, by a csv or by a folder a class, and how many."""
    for name, below, _ in os.walk(root):
        folder = Path(name)
        depth = len(folder.relative_to(root).parts)
        below[:] = sorted(each for each in below if not each.startswith(SKIPPED)) if depth < DEPTH else []
        n_labelled = _told(folder) or _in_classes(folder)
        if n_labelled:
            below[:] = []
            yield folder, n_labelled


def _told(folder: Path) -> int:
    """Pictures that the csv of labels in a folder names, 0 without one."""
    where = next((folder / name for name in LABELS_FILES if (folder / name).is_file()), None)
    if where is None:
        return 0
    try:
        with where.open(newline="", encoding="utf-8-sig") as file:
            head = next(csv.reader([file.readline().replace(";", ",")]), [])
            return sum(1 for _ in file) if {part.strip() for part in head} >= LABELLED else 0
    except (OSError, UnicodeError, csv.Error):
        return 0


def _in_classes(folder: Path) -> int:
    """Pictures in the folders of a folder, where each of two or more folders is a class; else 0."""
    try:
        inside = [each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(SKIPPED)]
    except OSError:
        return 0
    parts = [each for each in inside if SPLITS.fullmatch(each.name)]
    if parts:
        return sum(_in_classes(part) for part in parts)
    counts = [_n_pictures(each) for each in inside if not MASKS.fullmatch(each.name)]
    return sum(counts) if sum(count > 0 for count in counts) > 1 else 0


def _n_pictures(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(one.name.lower().endswith(SUFFIXES) for one in entries)


LOOK: Final[Mapping[str, Callable[[Path], Iterator[tuple[Path, int]]]]] = {
    "frames": _labelled_frames,
    "pictures": _labelled_pictures,
}
"""How folders to learn from are looked for."""


def simulate_examples(workspace: Workspace, kind: str, settings: dict[str, Any]) -> Path:
    """Write labelled frames or pictures into the home; their folder."""
    folder = workspace.home / FRAMES / secrets.token_hex(3)
    return Path(catalogue.find("simulators", kind)(**settings).write(folder))


def find_folder(workspace: Workspace, text: str) -> str:
    """Path of a folder that a user chose: in the served folders, or simulated here.

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
