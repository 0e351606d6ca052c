"""Fit, run, edit and undo, and do what a recipe says: the one place that joins the engine's parts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr

from engine import catalogue, progress
from engine.analysis import Model, find_shipped_model, is_model, load_model, model_from_dict
from engine.errors import InputError
from engine.export.atomic import appearing
from engine.export.store import open_result, write_result
from engine.inputs import open_labels
from engine.recipe import MODEL, Recipe
from engine.recipes import (
    apply_settings,
    check_source,
    choose_analysis,
    images_of,
    make_recipe,
    make_training_recipe,
    prepare_inputs,
    recipe_for,
    recipe_of,
    stamp,
    with_source,
    without_seed,
)
from engine.schema import MODEL as MODEL_GROUP
from engine.schema import RUNTIME

__all__ = [
    "edit",
    "execute",
    "fit",
    "images_of",
    "load",
    "make_recipe",
    "make_training_recipe",
    "recipe_of",
    "run",
    "undo",
    "with_source",
]


def fit(analysis: str, images: xr.Dataset, labels: xr.DataArray | None = None, **settings: Any) -> Model:
    """Fit an analysis of the catalogue; the model knows the recipe that made it.

    Parameters
    ----------
    analysis
        Name in the catalogue, such as `"kmeans"`.
    images : Dataset, dims ([spectral,] y, x)
    labels : DataArray, dims (y, x), optional
        For analyses that learn from examples.
    settings
        The analysis' settings.

    Raises
    ------
    UnknownNameError, InputError
        If the analysis, a setting or the images cannot be used.
    """
    chosen = choose_analysis(analysis, settings)
    model = chosen.fit(images, labels)
    recipe = replace(recipe_for(chosen, images), output=MODEL)
    return replace(model, recipe=json.loads(recipe.to_json()))


def run(
    analysis: str | None = None,
    images: xr.Dataset | None = None,
    *,
    model: Model | str | Path | None = None,
    recipe: Recipe | xr.DataTree | str | Path | None = None,
    **settings: Any,
) -> xr.DataTree:
    """Fit an analysis (or take a model) and apply it; or do again what a recipe says.

    Parameters
    ----------
    analysis
        Name in the catalogue.
    images : Dataset, dims ([spectral,] y, x)
        With `recipe`: replaces the recorded source.
    model
        A fitted model or its folder; nothing is fitted then, and settings that only concern fitting are
        recorded as unused. Without one, an analysis for which Mapstack brings a model takes that.
    recipe
        A recipe, a result, or any file that Mapstack wrote.
    settings
        The analysis' settings.

    Returns
    -------
    DataTree
        The fit is done; everything else is lazy.

    Raises
    ------
    UnknownNameError, FileError, InputError
        If the analysis, a setting, the images, the model or the recipe cannot be used.
    """
    if recipe is not None:
        return _run_recipe(recipe_of(recipe), images, recipe if isinstance(recipe, xr.DataTree) else None)
    if analysis is None or images is None:
        raise InputError("nothing to run; give an analysis and images, or a recipe")
    if not isinstance(images, xr.Dataset):
        raise InputError(f"the images are of type {type(images).__name__}; give a Dataset, as open returns")
    chosen = choose_analysis(analysis, settings)
    planned = recipe_for(chosen, images)
    model = find_shipped_model(analysis) if model is None else model
    if model is None:
        with progress.stage(0.0, 0.6):
            return _apply(chosen.fit(images), images, planned)
    given = load_model(model) if isinstance(model, str | Path) else model
    if given.analysis != analysis:
        raise InputError(f"the model is one of {given.analysis!r}, not of {analysis!r}; give another")
    fitted, unused = apply_settings(given, chosen, settings)
    return _apply(fitted, images, replace(planned, settings=without_seed(fitted.settings), unused=unused))


def _apply(model: Model, images: xr.Dataset, planned: Recipe) -> xr.DataTree:
    """Apply a model; the result says how it was made, and holds a model that the recipe only names."""
    with progress.stage(0.0, 0.6):
        result = model.predict(images)
    runtime = str(result.attrs.pop(RUNTIME, planned.runtime))
    reference = model.reference()
    if "arrays" not in reference:
        result[MODEL_GROUP] = xr.DataTree(model.to_group())
    return stamp(result, replace(planned, model=reference, runtime=runtime))


def load(path: str | Path) -> xr.DataTree | Model:
    """Open a stored result (lazy) or a model folder."""
    return load_model(path) if is_model(path) else open_result(path)


def edit(
    result: xr.DataTree,
    name: str,
    images: xr.Dataset | None = None,
    /,
    *,
    author: str = "",
    **arguments: Any,
) -> xr.DataTree:
    """Apply one edit of the catalogue (`merge`, `split`, `rename` ...) and note it in the recipe; lazy.

    Parameters
    ----------
    result
        The result to edit; it is not changed.
    name
        Name of the edit.
    images
        The images the result was made from; opened from the recipe's source where not given.
    author
        Who did it, for the record.
    arguments
        The edit's own.

    Raises
    ------
    UnknownNameError, InputError
        If there is no such edit, it is not for results of this kind, or takes other arguments.
    """
    recipe = recipe_of(result)
    chosen = catalogue.find("edits", name)
    images = prepare_inputs(recipe, images)
    arguments = chosen.learn(result, images, **arguments)
    edited = chosen(result, images, **arguments)
    return stamp(edited, recipe.with_edit(name, author=author, **arguments))


def undo(result: xr.DataTree, images: xr.Dataset | None = None) -> xr.DataTree:
    """Return the result as it was before its last edit; lazy.

    Parameters
    ----------
    result
        An edited result; it is not changed.
    images
        The images it was made from; opened from the recipe's source where not given.

    Raises
    ------
    InputError
        If the result was not edited.
    """
    recipe = recipe_of(result)
    if not recipe.edits:
        raise InputError("nothing to undo: the result was not edited; edit it first")
    return _run_recipe(recipe.without_last_edit(), images, result)


def execute(recipe: Recipe, out: Path) -> None:
    """Do what a recipe says and store the result atomically; a job's process runs this.

    Parameters
    ----------
    recipe
        Of a run, or of a training.
    out
        Folder of the result or of the model.

    Raises
    ------
    MapstackError
        If anything the recipe names cannot be used, or the source changed meanwhile.
    """
    progress.report(0.0, "opening")
    if recipe.output == MODEL:
        _train(recipe, out)
        return
    result = _run_recipe(recipe, None, None)
    with progress.stage(0.6, 1.0):
        write_result(result, out, before_rename=lambda: check_source(recipe))


def _train(recipe: Recipe, out: Path) -> None:
    """Train a model on a recipe's source and store it, whole or not at all."""
    images = prepare_inputs(recipe)
    chosen = choose_analysis(recipe.analysis, {**recipe.settings, "seed": recipe.seed})
    model = chosen.fit(images, open_labels(chosen, str(recipe.source), recipe.labels))
    with appearing(out) as draft:
        replace(model, recipe=json.loads(recipe.to_json())).save(draft)
        check_source(recipe)


def _run_recipe(recipe: Recipe, images: xr.Dataset | None, result: xr.DataTree | None) -> xr.DataTree:
    """Do what a recipe says, on its source or on other images; the model may be held by an earlier result."""
    inputs = prepare_inputs(recipe, images)
    settings = {**recipe.settings, "seed": recipe.seed}
    if recipe.model is None:
        done = run(recipe.analysis, inputs, **settings)
        planned = recipe_of(done)
    else:
        model = model_from_dict(recipe.model, result)
        chosen = choose_analysis(recipe.analysis, settings)
        fitted, _ = apply_settings(model, chosen, settings)
        planned = replace(recipe_for(chosen, inputs), settings=without_seed(fitted.settings))
        done = _apply(fitted, inputs, planned)
        planned = recipe_of(done)
    if images is None:
        planned = replace(planned, source=recipe.source, digest=recipe.digest)
    done = stamp(done, replace(planned, unused=recipe.unused))
    for step in recipe.edits:
        done = edit(done, step["name"], inputs, author=step.get("author", ""), **step["arguments"])
    return done
