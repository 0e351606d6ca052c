"""Open, prepare, fit, predict, edit, save, for a recipe: the one place that joins the engine's parts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import xarray as xr

from engine import catalogue, progress
from engine.analysis import (
    COLLECTION,
    LABELLED,
    Analysis,
    Model,
    is_model,
    load_model,
    model_from_dict,
    shipped_model,
)
from engine.errors import FileError, InputError
from engine.export.atomic import appearing
from engine.export.provenance import read_recipe
from engine.export.store import open_result, write_result
from engine.readers import digest, open_images, split_key
from engine.readers.labelled import picture_labels
from engine.readers.truth import is_result, labels_of
from engine.recipe import MODEL, SOURCE, Recipe, library_versions, mapstack_version, prepare, prepared
from engine.schema import RUNTIME

RECIPE: Final = "recipe"
DIGEST: Final = "source_digest"


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
    chosen = _analysis(analysis, settings)
    model = chosen.fit(images, labels)
    recipe = replace(_recipe(chosen, images), output=MODEL)
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
    """
    if recipe is not None:
        return _run_recipe(recipe_of(recipe), images)
    if analysis is None or images is None:
        raise InputError("nothing to run; give an analysis and images, or a recipe")
    if not isinstance(images, xr.Dataset):
        raise InputError(f"the images are of type {type(images).__name__}; give a Dataset, as open returns")
    chosen = _analysis(analysis, settings)
    wanted = _recipe(chosen, images)
    model = shipped_model(analysis) if model is None else model
    if model is None:
        with progress.stage(0.0, 0.6):
            fitted = chosen.fit(images)
    else:
        given = load_model(model) if isinstance(model, str | Path) else model
        if given.analysis != analysis:
            raise InputError(f"the model is one of {given.analysis!r}, not of {analysis!r}; give another")
        fitted, unused = _with_settings(given, chosen, settings)
        wanted = replace(wanted, settings=_without_seed(fitted.settings), unused=unused)
    with progress.stage(0.0, 0.6):
        result = fitted.predict(images)
    document = replace(fitted, recipe=None).to_dict()
    runtime = str(result.attrs.pop(RUNTIME, wanted.runtime))
    return _stamped(result, replace(wanted, model=document, runtime=runtime))


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
        What to edit; it is not changed.
    name
        Name of the edit.
    images
        The images the result was made from; opened from the recipe's source where not given.
    author
        Who did it, for the record.
    arguments
        The edit's own.
    """
    recipe = recipe_of(result)
    function = catalogue.find("edits", name)
    images = _prepared_images(recipe, None) if images is None else images
    try:
        arguments = function.learn(result, images, **arguments) if hasattr(function, "learn") else arguments
        edited = function(result, images, **arguments)
    except TypeError as error:
        raise InputError(f"edit {name!r}: {error}") from None
    return _stamped(edited, recipe.edited(name, author=author, **arguments))


def undo(result: xr.DataTree, images: xr.Dataset | None = None) -> xr.DataTree:
    """Return the result as it was before its last edit; lazy."""
    recipe = recipe_of(result)
    if not recipe.edits:
        raise InputError("nothing to undo: the result was not edited")
    return _run_recipe(recipe.undone(), images)


def recipe_of(what: Recipe | xr.DataTree | str | Path) -> Recipe:
    """Return the recipe of a result, or of any file that Mapstack wrote."""
    if isinstance(what, Recipe):
        return what
    if isinstance(what, xr.DataTree):
        return Recipe.from_json(what.attrs.get(RECIPE, ""))
    return read_recipe(Path(what))


def make_recipe(
    analysis: str, path: str | Path, *, model: str | Path | None = None, **settings: Any
) -> Recipe:
    """Return the recipe of a run that is yet to be done on a file or folder; what a job is made of."""
    chosen = _analysis(analysis, settings)
    recipe = _recipe(chosen, _opened(path, analysis))
    model = shipped_model(analysis) if model is None else model
    if model is None:
        return recipe
    fitted, unused = _with_settings(load_model(model), chosen, settings)
    settings = _without_seed(fitted.settings)
    return replace(recipe, settings=settings, unused=unused, model=replace(fitted, recipe=None).to_dict())


def make_lesson(
    analysis: str, path: str | Path, *, labels: str | Path | None = None, **settings: Any
) -> Recipe:
    """Return the recipe of a model that is yet to be learned from a file or folder; what a job is made of.

    Parameters
    ----------
    labels
        Where the labels lie; for an analysis that needs them they are looked for beside the images otherwise.

    Raises
    ------
    InputError
        If there are no labels for an analysis that needs them, or labels for one that does not.
    """
    chosen = _analysis(analysis, settings)
    if labels is not None and not chosen.needs_labels:
        raise InputError(f"{analysis} learns without labels; leave them out")
    recipe = replace(_recipe(chosen, _opened(path, analysis)), output=MODEL)
    recipe = recipe if labels is None else replace(recipe, labels=str(Path(labels).absolute()))
    _lesson_labels(chosen, recipe)
    return recipe


def with_source(recipe: Recipe, path: str | Path) -> Recipe:
    """Return the same recipe for another file or folder."""
    images = _opened(path, recipe.analysis)
    return replace(recipe, source=images.attrs[SOURCE], digest=digest(images.attrs[SOURCE]))


def at_source(result: xr.DataTree, recipe: Recipe) -> xr.DataTree:
    """Return the same result as one of the recipe's source: one computation serves equal data anywhere."""
    stamped = result.copy()
    done = replace(recipe_of(result), source=recipe.source)
    stamped.attrs.update({RECIPE: done.to_json(), SOURCE: recipe.source or ""})
    return stamped


def execute(recipe: Recipe, out: Path) -> None:
    """Do what a recipe says and store the result atomically; what a job's process runs.

    Raises
    ------
    MapstackError
        If anything the recipe names cannot be used, or the source changed meanwhile.
    """
    progress.report(0.0, "opening")
    if recipe.output == MODEL:
        _learn(recipe, out)
        return
    result = _run_recipe(recipe, None)
    with progress.stage(0.6, 1.0):
        write_result(result, out, before_rename=lambda: _check_digest(recipe))


def _learn(recipe: Recipe, out: Path) -> None:
    """Learn a model from a recipe's source and store it, whole or not at all."""
    images = _prepared_images(recipe, None)
    chosen = _analysis(recipe.analysis, {**recipe.settings, "seed": recipe.seed})
    model = chosen.fit(images, _lesson_labels(chosen, recipe))
    with appearing(out) as draft:
        replace(model, recipe=json.loads(recipe.to_json())).save(draft)
        _check_digest(recipe)


def _lesson_labels(chosen: Analysis, recipe: Recipe) -> xr.DataArray | None:
    """Labels to learn from, lazy; None for an analysis that needs none."""
    if not chosen.needs_labels:
        return None
    if chosen.takes == LABELLED:
        return picture_labels(str(recipe.source), labels=recipe.labels)
    if recipe.labels is not None:
        return labels_of(str(recipe.source), labels=recipe.labels)
    return labels_of(str(recipe.source))


def _run_recipe(recipe: Recipe, images: xr.Dataset | None) -> xr.DataTree:
    same_source = images is None
    images = _prepared_images(recipe, images)
    model = None if recipe.model is None else model_from_dict(recipe.model)
    result = run(recipe.analysis, images, model=model, **{**recipe.settings, "seed": recipe.seed})
    done = recipe_of(result)
    if same_source:
        done = replace(done, source=recipe.source, digest=recipe.digest)
    result = _stamped(result, replace(done, unused=recipe.unused))
    for step in recipe.edits:
        result = edit(result, step["name"], images, author=step.get("author", ""), **step["arguments"])
    return result


def _prepared_images(recipe: Recipe, images: xr.Dataset | None) -> xr.Dataset:
    if images is None:
        if recipe.source is None:
            raise InputError("the recipe's images were in memory, not in a file; give the images or a path")
        _check_digest(recipe)
        images = _opened(recipe.source, recipe.analysis)
    return images if prepared(images) else prepare(images, recipe.prepare)


def images_of(result: xr.DataTree) -> xr.Dataset:
    """Open the images that a result was made from, prepared as they were; lazy.

    Raises
    ------
    FileError
        If they are not there any more, or changed.
    """
    return _prepared_images(recipe_of(result), None)


def _opened(path: str | Path, analysis: str) -> xr.Dataset:
    """Open what an analysis is applied to: a folder is a collection to one that takes collections."""
    where, key = split_key(path)
    folder = where.is_dir() and key is None and not is_result(where)
    takes = catalogue.find("analyses", analysis).takes
    return open_images(path, reader=takes if folder and takes in (COLLECTION, LABELLED) else None)


def _check_digest(recipe: Recipe) -> None:
    if recipe.source is None or recipe.digest is None:
        return
    if digest(recipe.source) != recipe.digest:
        raise FileError(
            f"{recipe.source} changed since the recipe was made; give its path to run the recipe on it anew"
        )


def _analysis(name: str, settings: dict[str, Any]) -> Analysis:
    chosen: Analysis = catalogue.find("analyses", name)(**settings)
    return chosen


def _with_settings(model: Model, chosen: Analysis, given: dict[str, Any]) -> tuple[Model, tuple[str, ...]]:
    """Apply the given settings that concern predicting to a model; the others are unused."""
    unused = tuple(sorted(set(given) & chosen.fit_only))
    applied = {
        name: value for name, value in chosen.settings().items() if name in given and name not in unused
    }
    return replace(model, settings={**model.settings, **applied}), unused


def _recipe(chosen: Analysis, images: xr.Dataset) -> Recipe:
    source = images.attrs.get(SOURCE)
    settings = chosen.settings()
    return Recipe(
        analysis=chosen.analysis,
        settings=_without_seed(settings),
        source=source,
        digest=None if source is None else digest(source),
        prepare=prepared(images),
        seed=settings["seed"],
        versions=library_versions(),
    )


def _without_seed(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "seed"}


def _stamped(result: xr.DataTree, recipe: Recipe) -> xr.DataTree:
    stamped = result.copy()
    stamped.attrs.update(
        {
            RECIPE: recipe.to_json(),
            SOURCE: recipe.source or "",
            DIGEST: recipe.digest or "",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "mapstack_version": mapstack_version(),
        }
    )
    return stamped
