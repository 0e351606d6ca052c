"""The commands of the command line; the options are declared in `engine.__main__`."""

import json
import math
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine import catalogue
from engine.errors import FileError, InputError, MapstackError
from engine.recipe import Recipe
from engine.schema import IMAGE, IMAGE_TABLE, LABELS, pixel_map, table
from engine.schema import columns as c

SETTING: Final = "setting."
"""Prefix of the parsed options that are settings of an analysis or simulator."""


def list_entries(options: Namespace) -> None:
    """List readers, analyses, simulators and exporters."""
    kinds = [options.kind] if options.kind else ["readers", "analyses", "simulators", "exporters"]
    entries = {
        kind: {name: catalogue.summarise(kind, name) for name in catalogue.ENTRIES[kind]} for kind in kinds
    }
    lines = [f"{name:<14} {doc}" for docs in entries.values() for name, doc in docs.items()]
    _print(entries, options.json, lines)


def info(options: Namespace) -> None:
    """Print the description of a file or folder."""
    from engine.readers import describe, open_images

    facts = describe(open_images(options.path))
    _print(facts, options.json, [f"{name:<12} {_plain(value)}" for name, value in facts.items()])


def fit(options: Namespace) -> None:
    """Fit an analysis and store the model."""
    from engine.analysis import copy_model
    from engine.recipes import make_training_recipe

    recipe = make_training_recipe(options.analysis, options.path, labels=options.labels, **_settings(options))
    model = _do_job(_add_preparation(recipe, options), options)
    print(copy_model(model, options.out))  # noqa: T201


def run(options: Namespace) -> None:
    """Run an analysis on files or folders and store the results."""
    from engine.export.store import copy_result, open_result
    from engine.schema.accessors import warnings_of

    recipes = _make_recipes(options)
    targets = [options.out] if len(recipes) == 1 else _name_targets(options.out, recipes)
    for recipe, out in zip(recipes, targets, strict=True):
        if out.exists() and not options.overwrite:
            raise FileError(f"{out} exists; give another --out, or --overwrite to replace it")
        stored = _do_job(recipe, options)
        print(copy_result(stored, out, source=recipe.source, overwrite=options.overwrite))  # noqa: T201
        for warning in warnings_of(open_result(stored)):
            print(f"warning: {warning}", file=sys.stderr)  # noqa: T201


def choose_number(options: Namespace) -> None:
    """Recommend a number of clusters."""
    from engine.cluster import choose_k
    from engine.readers import open_images

    if not 1 < options.kmin <= options.kmax:
        raise InputError(f"--kmin {options.kmin} --kmax {options.kmax}; give 2 <= kmin <= kmax")
    with _progress_bar():
        images = open_images(options.path)
        chosen = choose_k(images, k=range(options.kmin, options.kmax + 1), seed=options.seed).to_dict()
    if options.out is not None:
        _write_text(options.out, json.dumps(_replace_nonfinite(chosen), indent=1))
    columns = ("distortion", "calinski_harabasz", "davies_bouldin", "silhouette", "stability")
    table = [f"{'k':>3} " + " ".join(f"{name:>18}" for name in columns)]
    for row, k in enumerate(chosen["k"]):
        table.append(f"{k:>3} " + " ".join(f"{_number(chosen[name][row]):>18}" for name in columns))
    _print(
        chosen, options.json, [*table, f"recommended: {chosen['recommended'] or 'none'} ({chosen['reason']})"]
    )


def score(options: Namespace) -> None:
    """Compare a result with the truth."""
    from engine.export.store import open_result
    from engine.statistics import agreement

    names = [name.strip() for name in options.names.split(",")] if options.names else None
    result = open_result(options.result)
    truth = _open_truth(result, Path(options.truth))
    scores = agreement(pixel_map(result, LABELS), truth, names=names, ignore=tuple(options.ignore))
    lines = [f"{name:<10} {_number(scores[name])}" for name in ("accuracy", "ari", "nmi")]
    lines.append(f"{'class':<20} {'precision':>10} {'recall':>10} {'f1':>10} {'iou':>10} {'support':>10}")
    for row in scores["classes"]:
        figures = [_number(row[column]) for column in ("precision", "recall", "f1", "iou", "support")]
        lines.append(f"{row[c.NAME]:<20} " + " ".join(f"{figure:>10}" for figure in figures))
    _print(scores, options.json, lines)


def _open_truth(result: xr.DataTree, path: Path) -> xr.DataArray:
    """Open the truth of a result; of a collection, the labels of its micrographs in their order."""
    from engine.readers.labels.label_files import is_result, labels_of_files, read_labels

    if IMAGE not in result.dims or not path.is_dir() or is_result(path):
        return read_labels(path)
    files = table(result, IMAGE_TABLE)[c.FILE].values.tolist()
    return labels_of_files(files, str(result.attrs.get("source", path)), labels=path)


def compare(options: Namespace) -> None:
    """Compare the particles of two collections."""
    from engine.export.store import open_result
    from engine.nanoparticles.compare import compare as compared

    found = compared(open_result(options.first), open_result(options.second))
    columns = {str(name): column.values.tolist() for name, column in found.data_vars.items()}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    lines = [f"{'class':<12} {'first':>8} {'second':>8} {'difference':>12}  95 % interval"]
    for row in rows:
        shares = f"{_number(row['fraction_first']):>8} {_number(row['fraction_second']):>8}"
        ends = f"{_number(row[c.LOW])} to {_number(row[c.HIGH])}"
        lines.append(f"{row[c.NAME]:<12} {shares} {_number(row['difference']):>12}  {ends}")
        for measure in ("radius", "spacing"):
            ends = f"{_number(row[f'{measure}_low'])} to {_number(row[f'{measure}_high'])}"
            apart = f"{_number(row[f'{measure}_difference']):>14}  {ends}"
            lines.append(f"  median {measure:<25} {apart}  p {_number(row[f'{measure}_p'])}")
    _print({"classes": rows}, options.json, lines)


def export(options: Namespace) -> None:
    """Write a result in another format."""
    from engine.export.store import open_result
    from engine.recipes import images_of

    write, result = catalogue.find("exporters", options.to), open_result(options.result)
    images = images_of(result) if write.needs_images else None
    for path in write(result, options.out, images=images):
        print(path)  # noqa: T201


def simulate(options: Namespace) -> None:
    """Write simulated data in the true file format, with the truth."""
    simulator = catalogue.find("simulators", options.kind)(**_settings(options))
    print(simulator.write(options.out))  # noqa: T201


def manage_jobs(options: Namespace) -> None:
    """List, show, cancel or resume jobs."""
    from engine.runtime import jobs

    if options.action == "list":
        found = [_job_facts(job) for job in jobs.list(options.results)]
        lines = [
            f"{j['id']}  {j['state']:<12} {j['progress']:>4.0%}  {j['doing'] or j['error'] or ''}"
            for j in found
        ]
        _print(found, options.json, lines)
        return
    if options.id is None:
        raise InputError(f"jobs {options.action} needs the ID of a job; 'jobs list' shows them")
    job = getattr(jobs, options.action)(options.id, options.results)
    facts = _job_facts(job)
    shown = {**facts, "recipe": facts["recipe"] and facts["recipe"]["analysis"]}
    _print(facts, options.json, [f"{name:<10} {_plain(value)}" for name, value in shown.items()])


def _make_recipes(options: Namespace) -> list[Recipe]:
    """Return one recipe a path, from the analysis with its settings or from `--recipe`."""
    from engine.inputs import list_inputs
    from engine.recipes import make_recipe, recipe_of, with_source

    if options.recipe is not None:
        recipe = recipe_of(options.recipe)
        paths = options.what
        recipes = [with_source(recipe, path) for path in paths] if paths else [recipe]
    else:
        if len(options.what) < 2:
            raise InputError("run needs an analysis and at least one file or folder, or --recipe FILE")
        name, *given = options.what
        paths = [path for each in given for path in list_inputs(each, name)]
        settings = _settings(options)
        recipes = [make_recipe(name, path, model=options.model, **settings) for path in paths]
    return [_add_preparation(recipe, options) for recipe in recipes]


def _name_targets(folder: Path, recipes: Sequence[Recipe]) -> list[Path]:
    """Return one result a recipe, named after its source; sources of the same name are numbered."""
    from engine.export.store import read_store_version

    if read_store_version(folder) is not None:
        raise FileError(f"{folder} is a result; give a folder for the results of several files as --out")
    names = [Path(str(recipe.source).partition("::")[0]).stem for recipe in recipes]
    before = [names[:i].count(name) for i, name in enumerate(names)]
    return [folder / f"{name}{f'_{n + 1}' if n else ''}.zarr" for name, n in zip(names, before, strict=True)]


def _add_preparation(recipe: Recipe, options: Namespace) -> Recipe:
    """Add the preparation that options ask for."""
    if options.pixel_size is None:
        return recipe
    match = re.fullmatch(r"(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)\s*(nm|um|µm|mm)", options.pixel_size)
    if match is None or not 0 < float(match[1]) < math.inf:
        raise InputError(
            f"--pixel-size is {options.pixel_size!r}; give a positive number with nm, um or mm, such as 0.5um"
        )
    arguments = {"size": float(match[1]), "unit": match[2].replace("um", "µm")}
    return replace(recipe, prepare=(*recipe.prepare, {"name": "pixel_size", "arguments": arguments}))


def _do_job(recipe: Recipe, options: Namespace) -> Path:
    """Do a job in this process, under the scheduler that the options name; return its result."""
    from engine.runtime import client, jobs

    job = jobs.submit(recipe, home=options.results, start=False)
    if job.state != "done":
        with client.connect(options.scheduler, workers=options.workers), _progress_bar() as show:
            job = jobs.work(
                job.id, options.results, on_progress=lambda now: show(now.share, _doing(now.doing, now.left))
            )
    if job.state == "cancelled":
        raise KeyboardInterrupt
    if job.state != "done" or job.result is None:
        why = job.error or f"job {job.id} is {job.state}; see 'mapstack jobs show {job.id}'"
        raise MapstackError(why if str(recipe.source) in why else f"{recipe.source}: {why}")
    return Path(job.result)


@contextmanager
def _progress_bar() -> Iterator[Any]:
    """Draw progress on stderr, only on a terminal."""
    from engine import progress

    def show(share: float, doing: str) -> None:
        if sys.stderr.isatty():
            bar = "█" * round(20 * share)
            print(f"\r\033[K{bar:░<20} {share:4.0%} {doing}", end="", file=sys.stderr, flush=True)  # noqa: T201

    with progress.reporting(show):
        yield show
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201


def _settings(options: Namespace) -> dict[str, Any]:
    return {
        name.removeprefix(SETTING): value for name, value in vars(options).items() if name.startswith(SETTING)
    }


def _job_facts(job: Any) -> dict[str, Any]:
    facts: dict[str, Any] = job.to_dict()
    return facts


def _doing(doing: str, left: float | None) -> str:
    return doing if left is None else f"{doing}, {left:.0f} s left"


def _print(document: Any, as_json: bool, lines: Sequence[str]) -> None:
    if as_json:
        print(json.dumps(_replace_nonfinite(document), ensure_ascii=False, default=str))  # noqa: T201
    else:
        print("\n".join(lines))  # noqa: T201


def _replace_nonfinite(value: Any) -> Any:
    """Return a document without NaN and infinity, which JSON does not know: they become null."""
    if isinstance(value, Mapping):
        return {name: _replace_nonfinite(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _replace_nonfinite(value.tolist())
    if isinstance(value, list | tuple):
        return [_replace_nonfinite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_plain(item) for item in value)
    return "-" if value is None else str(value)


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write {path} ({error.strerror}); give another --out") from None
