"""Learn from the objects or images whose class a person gave, and classify the others again."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from engine.learning import scores
from engine.learning.correction import Correction, ReviewedExamples, learn_correction
from engine.schema import RETRAINED


def learn(examples: ReviewedExamples) -> dict[str, Any]:
    """Return a correction of the model's probabilities and a report on it, ready for a recipe.

    The report compares, for the reviewed examples, the person's class with the model's before and after the
    correction; after it on parents that the correction was not learned from.
    """
    reviewed = examples.reviewed
    truth = examples.truth[reviewed]
    correction, held_out = learn_correction(examples)
    predicted = held_out.argmax(axis=1)
    report = {
        "n_reviewed": int(reviewed.sum()),
        "names": list(examples.names),
        "before": _confusion(truth, examples.chances[reviewed].argmax(axis=1), examples),
        "after": _confusion(truth, predicted, examples),
        "unseen": list(zip(examples.numbers[reviewed].tolist(), predicted.tolist(), strict=True)),
    }
    return {**correction._asdict(), "report": report}


def retrain(
    result: xr.DataTree,
    images: xr.Dataset,
    correction: Mapping[str, Any] | None,
    *,
    collect: Callable[[xr.DataTree], ReviewedExamples],
    reclassify: Callable[[xr.DataTree, xr.Dataset, np.ndarray], xr.DataTree],
) -> xr.DataTree:
    """Return a result with the classes that corrected probabilities give; what a person gave stays.

    Parameters
    ----------
    result
        A result whose objects or images a person has reviewed.
    images : Dataset
        The images that the result was made from.
    correction
        From `learn`; None: it is learned now.
    collect
        Returns the examples of a result, reviewed or not.
    reclassify
        Returns a result with other probabilities `(example, class)`.

    Raises
    ------
    InputError
        If too little was reviewed to learn from.
    """
    examples = collect(result)
    learned = learn(examples) if correction is None else correction
    made = Correction(learned["weights"], learned["centre"], learned["scale"])
    edited = reclassify(result, images, made.applied(examples.chances, examples.features))
    edited.attrs[RETRAINED] = json.dumps(learned["report"])
    return edited


def _confusion(truth: np.ndarray, predicted: np.ndarray, examples: ReviewedExamples) -> list[list[int]]:
    counts: list[list[int]] = scores.confusion(truth, predicted, n_classes=len(examples.names)).tolist()
    return counts
