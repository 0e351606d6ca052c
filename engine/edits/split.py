"""Split one class by clustering its pixels again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from engine import blocks
from engine.analysis import model_from_dict
from engine.cluster import KMeans
from engine.edits.class_maps import map_labels, rebuild
from engine.palette import class_colors
from engine.recipe import Recipe
from engine.schema import CONFIDENCE, LABELS, MASK, PIXEL, labels_dtype, pixel_map
from engine.schema.accessors import check_class, colors_of, names_of


def split(
    result: xr.DataTree,
    images: xr.Dataset,
    *,
    label: int,
    n_clusters: int = 2,
    seed: int = 0,
    model: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """Split a class into parts: the largest keeps its number, the others get the next free ones.

    Parameters
    ----------
    label
        The class.
    n_clusters
        Number of parts.
    seed
        Of the clustering.
    model
        What an earlier split learned (`Model.to_dict`); with it the same parts are found on other images.
    """
    if model is None:
        model = learn_parts(result, images, label=label, n_clusters=n_clusters, seed=seed)["model"]
    names, colors = names_of(result), colors_of(result)
    parts = model_from_dict(model).predict(_mask_others(images, result, label))
    numbers = [label, *range(max(names) + 1, max(names) + n_clusters)]
    lookup = np.array([0, *numbers], dtype=labels_dtype(max(*numbers, max(names))))
    palette = class_colors(max(numbers))
    for part, number in enumerate(numbers[1:], start=2):
        names[number] = f"{names[label]} part {part}"
        colors[number] = palette[number - 1]
    relabelled = map_labels(
        result, _insert_parts, pixel_map(parts, LABELS), numbers=lookup, dtype=lookup.dtype
    )
    return rebuild(
        result, images, relabelled, names=names, colors=colors, confidence=_lower_confidence(result, parts)
    )


def learn_parts(
    result: xr.DataTree,
    images: xr.Dataset,
    *,
    label: int,
    n_clusters: int = 2,
    seed: int = 0,
    model: Any = None,
) -> dict[str, Any]:
    """Return the arguments of `split` with what it learns from these images, for the recipe.

    Parameters
    ----------
    result : DataTree
        A class map.
    images : Dataset, dims ([spectral,] y, x)
        The images.
    label : int
        The class to split.
    n_clusters : int
        Number of parts.
    seed : int
        Seed of every random choice.
    model : mapping, optional
        Earlier learned parts; they are kept.
    """
    check_class(names_of(result), label)
    if model is None:
        analysis = KMeans(**{**_settings_of(result), "n_clusters": n_clusters, "seed": seed, "min_area": 0})
        model = replace(analysis.fit(_mask_others(images, result, label)), recipe=None).to_dict()
    return {"label": label, "n_clusters": n_clusters, "seed": seed, "model": model}


def _settings_of(result: xr.DataTree) -> dict[str, Any]:
    """Return the settings of the clustering that made a result; none for the result of another analysis."""
    recipe = Recipe.from_json(str(result.attrs["recipe"]))
    return dict(recipe.settings) if recipe.analysis == KMeans.analysis else {}


def _mask_others(images: xr.Dataset, result: xr.DataTree, label: int) -> xr.Dataset:
    """Return the images with everything but one class masked."""
    outside = map_labels(result, _is_other, label=label, dtype=bool)
    return images.assign({MASK: outside.rename(MASK).assign_attrs(units="1")})


def _is_other(labels: np.ndarray, *, label: int) -> np.ndarray:
    return np.asarray(labels != label)


def _insert_parts(labels: np.ndarray, parts: np.ndarray, *, numbers: np.ndarray) -> np.ndarray:
    return np.where(parts > 0, numbers[parts], labels.astype(numbers.dtype))


def _lower_confidence(result: xr.DataTree, parts: xr.DataTree) -> xr.DataArray:
    """Return the lower of both margins where the class was split, the old one elsewhere."""
    arrays = [
        blocks.as_tiles(pixel_map(tree, name))
        for tree, name in ((result, CONFIDENCE), (parts, CONFIDENCE), (parts, LABELS))
    ]
    data = blocks.map_tiles(_lower_of_both, *arrays, dtype=np.float32)
    old = pixel_map(result, CONFIDENCE)
    return xr.DataArray(data, dims=PIXEL, coords=old.coords, attrs=old.attrs, name=CONFIDENCE)


def _lower_of_both(old: np.ndarray, new: np.ndarray, parts: np.ndarray) -> np.ndarray:
    return np.where(parts > 0, np.minimum(old, new), old)
