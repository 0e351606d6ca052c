"""Edits of a result on a page: shown from memory at once, stored a moment later."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import xarray as xr

from dashboard.format import format_area, format_share
from dashboard.workspace.cache import prepare_result
from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.workspace import Workspace
from engine import pipeline
from engine.analysis import find_shipped_model
from engine.export.store import write_result
from engine.recipe import Recipe
from engine.runtime.job_files import JobFiles
from engine.schema import LABEL
from engine.schema import columns as c
from engine.schema.kinds import POPULATION, is_kind, maps_of

IN_MEMORY: Final = 2**28
"""Bytes up to which an edited map is computed once and kept."""


def apply_edit(workspace: Workspace, stack: Stack, result: Result, name: str, /, **arguments: Any) -> Result:
    """Apply one edit and return what to show; takes a moment: call it in a thread.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    stack
        The opened data.
    result
        The result; None: there is none.
    name
        Name of the edit.
    arguments
        Arguments of the edit.

    Returns
    -------
    Result
        The edited result.
    """
    return _in_memory(
        pipeline.edit(result.tree, name, stack.images, author=workspace.user, **arguments), workspace
    )


def undo_last_edit(workspace: Workspace, result: Result) -> Result:
    """Take back the last edit of a result that was opened with edits.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    result
        The result that is shown.

    Returns
    -------
    Result
        The result before its last edit.
    """
    return workspace.run(result.recipe.without_last_edit())


def store_result(workspace: Workspace, result: Result) -> Result:
    """Store an edited result as it is shown; nothing is computed a second time.

    Parameters
    ----------
    workspace
        Where addresses are looked up, and whose jobs and cache are used.
    result
        The result that is shown.

    Returns
    -------
    Result
        The result with the id of its job.
    """
    job = workspace.submit(result.recipe, start=False)
    if job.result is None:
        write_result(result.tree, JobFiles(workspace.home, job.id).result)
        job = workspace.submit(result.recipe, start=False)
    return replace(result, id=job.id)


def _in_memory(tree: xr.DataTree, workspace: Workspace) -> Result:
    """Compute a result's maps and tables once, so that nothing is computed while it is looked at."""
    if is_kind(tree, POPULATION):  # its tables are made already, of its maps a page reads one at a time
        return prepare_result(tree, "", workspace.home)
    names = maps_of(tree)
    maps = {name: tree[name].compute() if tree[name].nbytes < IN_MEMORY else tree[name] for name in names}
    tree = tree.copy()
    tree.dataset = tree.to_dataset().assign(maps)
    return prepare_result(tree, "", workspace.home)


def last_edit(result: Result | None) -> str:
    """Return the name of the last edit, empty if there is none."""
    return "" if result is None or not result.recipe.edits else str(result.recipe.edits[-1]["name"])


def write_code(recipe: Recipe, result: Path | None) -> tuple[str, str]:
    """Return the Python lines and the command that make a result again.

    Parameters
    ----------
    recipe
        The recipe of the result.
    result
        The result; None: there is none.

    Returns
    -------
    tuple[str, str]
        Python lines and command.
    """
    return _python(recipe), _command(recipe, result)


def _python(recipe: Recipe) -> str:
    lines = ["import engine", "", f"images = engine.open({recipe.source!r})"]
    for step in recipe.prepare:
        from engine import catalogue

        module, _, function = catalogue.STEPS[step["name"]].partition(":")
        lines.insert(1, f"from {module} import {function}")
        lines.append(f"images = {function}(images, {_arguments(step['arguments'])})")
    model = own_model(recipe)
    settings = {**({} if model is None else {"model": str(model)}), **list_changed_settings(recipe)}
    parts = (repr(recipe.analysis), "images", _arguments(settings))
    lines.append(f"result = engine.run({', '.join(part for part in parts if part)})")
    for edit in recipe.edits:
        given = {key: value for key, value in edit["arguments"].items() if key != "model"}
        lines.append(f"result = engine.edit(result, {edit['name']!r}, images, {_arguments(given)})")
    lines.append('engine.save(result, "result.zarr")')
    return "\n".join(lines)


def _command(recipe: Recipe, result: Path | None) -> str:
    import shlex

    if (recipe.edits or recipe.prepare) and result is not None:
        return f"mapstack run --recipe {shlex.quote(str(result))} --out result.zarr"
    words = ["mapstack", "run", recipe.analysis, str(recipe.source)]
    model = own_model(recipe)
    words += [] if model is None else ["--model", str(model)]
    for name, value in list_changed_settings(recipe).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--out", "result.zarr"])


def list_changed_settings(recipe: Recipe) -> dict[str, Any]:
    """Return the seed and the settings that differ from their defaults, without those of training."""
    from engine import catalogue

    analysis = catalogue.find("analyses", recipe.analysis)()
    defaults = analysis.settings()
    learned = analysis.training_settings() if analysis.needs_labels else frozenset()
    changed = {name: value for name, value in recipe.settings.items() if value != defaults.get(name)}
    return {name: value for name, value in {**changed, "seed": recipe.seed}.items() if name not in learned}


def own_model(recipe: Recipe) -> Path | None:
    """Return the folder of the trained model of a recipe; None for that of Mapstack, or without one."""
    model = recipe.model or {}
    if "folder" in model:
        folder = Path(str(model["folder"]))
    elif "network" in model:
        folder = Path(str(model["network"])).parent
    else:
        return None
    return None if folder == find_shipped_model(recipe.analysis) else folder


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def class_rows(result: Result | None) -> list[dict[str, Any]]:
    """Return the rows of the class table, ready to be shown."""
    if result is None:
        return []
    table = result.classes
    return [
        {
            "label": int(label),
            "name": str(table[c.NAME].values[row]),
            "color": str(table[c.COLOR].values[row])[:7],
            "share": f"{100 * float(table[c.FRACTION].values[row]):.1f} %",
            "area": format_area(float(table[c.AREA].values[row])) if c.AREA in table else "",
            "confidence": format_share(table["confidence"].values[row]) if "confidence" in table else "",
        }
        for row, label in enumerate(table[LABEL].values)
    ]
