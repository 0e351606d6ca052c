"""Training on a page: frames to learn from, how it goes, and the models that there are."""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from dashboard.state.library import DEPTH, SKIPPED, Library
from engine import catalogue
from engine.analysis import is_model, shipped_model
from engine.errors import MapstackError
from engine.readers.frames import LABELS_OF_FRAME
from engine.runtime import jobs
from engine.runtime.place import Place

FRAMES: Final = "frames"
"""Folder in the home for simulated frames."""
SHIPPED: Final = "shipped"


@dataclass(frozen=True)
class Trained:
    """A model that can be applied: its folder, where it comes from, how good it is on frames held out."""

    id: str
    title: str
    folder: Path
    f1: dict[str, float]
    judged_on: str
    history: pd.DataFrame = field(repr=False)
    """Figures of each epoch of its training."""

    @property
    def shipped(self) -> bool:
        """Whether it is the one that Mapstack brings."""
        return self.id == SHIPPED


def models(library: Library, analysis: str) -> list[Trained]:
    """The model that Mapstack brings, then those that were trained here, the newest first."""
    found = []
    shipped = shipped_model(analysis)
    if shipped is not None:
        found.append(_trained(SHIPPED, "Mapstack's own", shipped))
    for job in jobs.list(library.home):
        folder = Place(library.home, job.id).model
        if job.state == "done" and is_model(folder) and job.recipe and job.recipe.analysis == analysis:
            when = job.created[:16].replace("T", " ")
            found.append(_trained(job.id, f"{Path(str(job.recipe.source)).name}, {when}", folder))
    return found


def _trained(id: str, title: str, folder: Path) -> Trained:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))["metadata"]
    f1 = {row["name"]: row["f1"] for row in card["metrics"]}
    n_held, n_frames = len(card["held_out"]), card["n_frames"]
    judged = f"{n_held} of {n_frames} frames, held out" if n_held else "the frames it learned from"
    return Trained(id, title, folder, f1, judged, pd.DataFrame(card["history"]))


def curves(library: Library, id: str) -> pd.DataFrame:
    """Figures of each epoch of a training job so far; empty before the first."""
    try:
        return pd.read_csv(Place(library.home, id).curves)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame()


def folders(library: Library) -> dict[str, str]:
    """Folders of labelled frames by what they are called on the page, for `folder_of`."""
    found = {}
    for root in library.roots:
        for folder, n_labelled in _labelled(root):
            address = library.address(str(folder))
            found[f"{address}: {n_labelled} labelled frames"] = address
    for folder, n_labelled in _labelled(library.home / FRAMES):
        found[f"simulated {folder.name}: {n_labelled} frames"] = str(folder)
    return found


def _labelled(root: Path) -> Iterator[tuple[Path, int]]:
    """Folders below a root in which files hold the labels of frames, and how many do."""
    for name, below, files in os.walk(root):
        depth = len(Path(name).relative_to(root).parts)
        below[:] = sorted(each for each in below if not each.startswith(SKIPPED)) if depth < DEPTH else []
        n_labelled = sum(LABELS_OF_FRAME.fullmatch(file) is not None for file in files)
        if n_labelled:
            yield Path(name), n_labelled


def simulate(library: Library, kind: str, settings: dict[str, Any]) -> Path:
    """Write labelled frames into the home; their folder."""
    folder = library.home / FRAMES / secrets.token_hex(3)
    return Path(catalogue.find("simulators", kind)(**settings).write(folder))


def folder_of(library: Library, text: str) -> str:
    """Path of a folder of frames that a user chose: in the served folders, or simulated here.

    Raises
    ------
    MapstackError
        If it is neither.
    """
    own = (library.home / FRAMES).resolve()
    if text and Path(text).is_absolute() and Path(text).resolve().is_relative_to(own):
        return text
    if not text:
        raise MapstackError("no folder of labelled frames is chosen; choose one, or simulate frames")
    return library.path(text)
