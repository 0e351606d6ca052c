"""Learn from what people said of particles or pictures, and judge the others anew."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from engine.edits import particles, pictures
from engine.learning import scores
from engine.learning.correction import Correction, Lesson, learn_correction
from engine.schema import PICTURES, RETRAINED


class _Kind(NamedTuple):
    """What a result is of: what can be learned from it, and how it looks with other probabilities."""

    lesson: Callable[[xr.DataTree], Lesson]
    judged_anew: Callable[[xr.DataTree, xr.Dataset, np.ndarray], xr.DataTree]


def retrain(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> xr.DataTree:
    """Learn from the objects or pictures whose class a person gave, and judge the others anew.

    Parameters
    ----------
    correction
        What an earlier retraining learned; with it the same is applied.
    """
    learned = learn(result, images, correction=correction)["correction"]
    kind = _kind(result)
    lesson = kind.lesson(result)
    made = Correction(learned["weights"], learned["centre"], learned["scale"])
    edited = kind.judged_anew(result, images, made.applied(lesson.chances, lesson.features))
    edited.attrs[RETRAINED] = json.dumps(learned["report"])
    return edited


def learn(
    result: xr.DataTree,
    images: xr.Dataset,  # noqa: ARG001  (every edit gets them)
    *,
    correction: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments of `retrain` with what it learns, for the recipe."""
    if correction is not None:
        return {"correction": dict(correction)}
    lesson = _kind(result).lesson(result)
    reviewed, truth = lesson.reviewed, lesson.truth[lesson.reviewed]
    made, unseen = learn_correction(lesson)
    found = unseen.argmax(axis=1)
    report = {
        "n_reviewed": int(reviewed.sum()),
        "names": list(lesson.names),
        "before": _confusion(truth, lesson.chances[reviewed].argmax(axis=1), lesson),
        "after": _confusion(truth, found, lesson),
        "unseen": list(zip(lesson.numbers[reviewed].tolist(), found.tolist(), strict=True)),
    }
    return {"correction": {**made._asdict(), "report": report}}


retrain.learn = learn  # type: ignore[attr-defined]  # the pipeline asks for it, so that the recipe holds what was learned


def _kind(result: xr.DataTree) -> _Kind:
    if PICTURES in result.children:
        return _Kind(pictures.lesson, pictures.judged_anew)
    return _Kind(particles.lesson, particles.judged_anew)


def _confusion(truth: np.ndarray, found: np.ndarray, lesson: Lesson) -> list[list[int]]:
    counts: list[list[int]] = scores.confusion(truth, found, n_classes=len(lesson.names)).tolist()
    return counts
