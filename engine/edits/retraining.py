"""Learn from what people said of particles or pictures, and judge the others anew."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from engine.edits import particles, pictures
from engine.schema import PICTURES


def retrain(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> xr.DataTree:
    """Learn from the objects or pictures whose class a person gave, and judge the others anew.

    Parameters
    ----------
    correction
        What an earlier retraining learned; with it the same is applied.
    """
    if PICTURES in result.children:
        return pictures.retrain_images(result, images, correction=correction)
    return particles.retrain(result, images, correction=correction)


def learn(
    result: xr.DataTree, images: xr.Dataset, *, correction: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of `retrain` with what it learns, for the recipe."""
    if PICTURES in result.children:
        return pictures.learn(result, images, correction=correction)
    return particles.learn(result, images, correction=correction)


retrain.learn = learn  # type: ignore[attr-defined]  # the pipeline asks for it, so that the recipe holds what was learned
