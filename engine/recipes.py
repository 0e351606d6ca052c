"""Recipes: make one for a path, find that of a result or file, note it in a result, check its source."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import xarray as xr

from engine import catalogue
from engine.analysis import Analysis, Model, find_shipped_model, load_model
from engine.errors import FileError, InputError
from engine.export.provenance import read_recipe
from engine.inputs import open_inputs, open_labels
from engine.readers import digest
from engine.recipe import MODEL, SOURCE, Recipe, library_versions, list_steps, mapstack_version, prepare
from engine.schema import KIND

RECIPE: Final = "recipe"
DIGEST: Final = "source_digest"


def choose_analysis(name: str, settings: Mapping[str, Any]) -> Analysis:
    """Return an analysis of the catalogue with its settings.

    Parameters
    ----------
    name
        Name in the catalogue.
    settings
        By name; the defaults hold for the others.

    Raises
    ------
    UnknownNameError, InputError
        If there is no such analysis or setting, or a value is out of bounds.
    """
    analysis: Analysis = catalogue.find("analyses", name)(**settings)
    return analysis


def make_recipe(
    analysis: str, path: str | Path, *, model: str | Path | None = None, **settings: Any
) -> Recipe:
    """Return the recipe of a run that is yet to be done on a file or folder; a job is made of it.

    Parameters
    ----------
    analysis
        Name in the catalogue.
    path
        The file or folder.
    model
        Folder of a model; the shipped one is taken where there is one.
    settings
        The analysis' settings.

    Raises
    ------
    UnknownNameError, FileError, InputError
        If the analysis, a setting, the path or the model cannot be used.
    """
    chosen = choose_analysis(analysis, settings)
    recipe = recipe_for(chosen, open_inputs(path, analysis))
    model = find_shipped_model(analysis) if model is None else model
    if model is None:
        return recipe
    fitted, unused = apply_settings(load_model(model), chosen, settings)
    return replace(recipe, settings=without_seed(fitted.settings), unused=unused, model=fitted.reference())


def make_training_recipe(
    analysis: str, path: str | Path, *, labels: str | Path | None = None, **settings: Any
) -> Recipe:
    """Return the recipe of a model that is yet to be trained on a file or folder; a job is made of it.

    Parameters
    ----------
    analysis
        Name in the catalogue.
    path
        The file or folder.
    labels
        Where the labels lie; for an analysis that needs them they are looked for beside the images otherwise.
    settings
        The analysis' settings.

    Raises
    ------
    InputError
        If there are no labels for an analysis that needs them, or labels for one that does not.
    """
    chosen = choose_analysis(analysis, settings)
    if labels is not None and not chosen.needs_labels:
        raise InputError(f"{analysis} learns without labels; leave them out")
    recipe = replace(recipe_for(chosen, open_inputs(path, analysis)), output=MODEL)
    recipe = recipe if labels is None else replace(recipe, labels=str(Path(labels).absolute()))
    open_labels(chosen, str(recipe.source), recipe.labels)
    return recipe


def recipe_for(chosen: Analysis, images: xr.Dataset) -> Recipe:
    """Return the recipe of an analysis of images, without a model.

    Parameters
    ----------
    chosen
        The analysis with its settings.
    images : Dataset, dims ([spectral,] y, x)
    """
    source = images.attrs.get(SOURCE)
    settings = chosen.settings()
    return Recipe(
        analysis=chosen.analysis,
        settings=without_seed(settings),
        source=source,
        digest=None if source is None else digest(source),
        prepare=list_steps(images),
        seed=settings["seed"],
        versions=library_versions(),
    )


def with_source(recipe: Recipe, path: str | Path) -> Recipe:
    """Return the same recipe for another file or folder.

    Parameters
    ----------
    recipe
        Of any source.
    path
        The file or folder that takes its place.
    """
    images = open_inputs(path, recipe.analysis)
    return replace(recipe, source=images.attrs[SOURCE], digest=digest(images.attrs[SOURCE]))


def recipe_of(what: Recipe | xr.DataTree | str | Path) -> Recipe:
    """Return the recipe of a result, or of any file that Mapstack wrote."""
    if isinstance(what, Recipe):
        return what
    if isinstance(what, xr.DataTree):
        return Recipe.from_json(what.attrs.get(RECIPE, ""))
    return read_recipe(Path(what))


def apply_settings(model: Model, chosen: Analysis, given: Mapping[str, Any]) -> tuple[Model, tuple[str, ...]]:
    """Return a model with the given settings that concern prediction, and the names of the unused ones.

    Parameters
    ----------
    model
        The fitted model.
    chosen
        The analysis with its settings.
    given
        The settings that were given, by name.
    """
    unused = tuple(sorted(set(given) & chosen.training_settings()))
    applied = {
        name: value for name, value in chosen.settings().items() if name in given and name not in unused
    }
    return replace(model, settings={**model.settings, **applied}), unused


def stamp(result: xr.DataTree, recipe: Recipe) -> xr.DataTree:
    """Return a result whose attributes say its kind, and how, from what and when it was made.

    Parameters
    ----------
    result
        Of the analysis that the recipe names.
    recipe
        How it was made.
    """
    stamped = result.copy()
    stamped.attrs.update(
        {
            KIND: catalogue.find("analyses", recipe.analysis).kind.name,
            RECIPE: recipe.to_json(),
            SOURCE: recipe.source or "",
            DIGEST: recipe.digest or "",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "mapstack_version": mapstack_version(),
        }
    )
    return stamped


def prepare_inputs(recipe: Recipe, images: xr.Dataset | None = None) -> xr.Dataset:
    """Return the images of a recipe, opened from its source if not given, prepared as it says; lazy.

    Parameters
    ----------
    recipe
        Of a run or a training.
    images : Dataset, dims ([spectral,] y, x), optional
        Take the place of the recipe's source.

    Raises
    ------
    FileError
        If the source is not there any more, or changed.
    """
    if images is None:
        if recipe.source is None:
            raise InputError("the recipe's images were in memory, not in a file; give the images or a path")
        check_source(recipe)
        images = open_inputs(recipe.source, recipe.analysis)
    return images if list_steps(images) else prepare(images, recipe.prepare)


def images_of(result: xr.DataTree) -> xr.Dataset:
    """Open the images that a result was made from, prepared as they were; lazy.

    Raises
    ------
    FileError
        If they are not there any more, or changed.
    """
    return prepare_inputs(recipe_of(result))


def check_source(recipe: Recipe) -> None:
    """Refuse a recipe whose source has changed since it was made.

    Raises
    ------
    FileError
        If the source is not there any more, or changed.
    """
    if recipe.source is None or recipe.digest is None:
        return
    if digest(recipe.source) != recipe.digest:
        raise FileError(
            f"{recipe.source} changed since the recipe was made; give its path to run the recipe on it anew"
        )


def without_seed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without the seed, which a recipe holds by itself."""
    return {name: value for name, value in settings.items() if name != "seed"}
