"""Training on a page: frames to learn from, how it goes, and the models that there are."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.state.library import Library
from engine import catalogue
from engine.analysis import is_model, load_model, shipped_model
from engine.errors import MapstackError
from engine.runtime import jobs
from engine.runtime.place import Place

FRAMES = "frames"
"""Folder in the home for simulated frames."""


@dataclass(frozen=True)
class Trained:
    """A model that can be applied: its folder, where it comes from, how good it is on frames held out."""

    id: str
    title: str
    folder: Path
    f1: dict[str, float]
    judged_on: str


def models(library: Library, analysis: str) -> list[Trained]:
    """The model that Mapstack brings, then those that were trained here, the newest first."""
    found = []
    shipped = shipped_model(analysis)
    if shipped is not None:
        found.append(_trained("", "Mapstack's own", shipped))
    for job in jobs.list(library.home):
        folder = Place(library.home, job.id).model
        if job.state == "done" and is_model(folder) and job.recipe and job.recipe.analysis == analysis:
            title = f"{Path(str(job.recipe.source)).name}, {job.recipe.settings.get('n_steps')} steps"
            found.append(_trained(job.id, title, folder))
    return found


def _trained(id: str, title: str, folder: Path) -> Trained:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))["metadata"]
    f1 = {row["name"]: row["f1"] for row in card["metrics"]}
    return Trained(id, title, folder, f1, f"{len(card['held_out'])} of {card['n_frames']} frames")


def curves(library: Library, id: str) -> pd.DataFrame:
    """Figures of each epoch of a training job so far; empty before the first."""
    try:
        return pd.read_csv(Place(library.home, id).curves)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame()


def history(folder: Path) -> pd.DataFrame:
    """Figures of each epoch of a finished training."""
    return pd.DataFrame(load_model(folder).metadata["history"])


def simulate(library: Library, kind: str, settings: dict[str, Any]) -> Path:
    """Write labelled frames into the home; their folder."""
    folder = library.home / FRAMES / secrets.token_hex(6)
    return Path(catalogue.find("simulators", kind)(**settings).write(folder))


def folder_of(library: Library, text: str) -> str:
    """Path of a folder of frames that a user named: in the served folders, or simulated here.

    Raises
    ------
    MapstackError
        If it is neither.
    """
    own = (library.home / FRAMES).resolve()
    if text and Path(text).is_absolute() and Path(text).resolve().is_relative_to(own):
        return text
    if not text.strip():
        raise MapstackError("no folder of labelled frames is named; type one, or simulate frames")
    return library.path(text.strip())
