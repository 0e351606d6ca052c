"""What was done, in words for the methods section of a paper."""

import json
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.export.collections import check_population
from engine.recipe import Recipe
from engine.schema import FRACTIONS, IMAGE_TABLE, OBJECT_TABLE, table

FOUND_BY: Final = {
    "lattice": "by their lattice (peaks of windowed Fourier spectra above those of noise)",
    "mass": "by their darkness against the support (mass contrast)",
}
INTERVALS: Final = (
    "Fractions are of particles that are decided; their 95 % intervals are Wilson's at the effective sample"
    " size that the variation between micrographs leaves (Dean & Pagano, J. Surv. Stat. Methodol. 3 (2015)"
    " 484)."
)
CORRECTED: Final = (
    "Corrected fractions undo the confusions, misses and false finds of held-out micrographs, with their"
    " uncertainty (Rogan & Gladen, Am. J. Epidemiol. 107 (1978) 71)."
)


def methods_text(result: xr.DataTree) -> str:
    """Settings, versions and counts of an analysis of particles as one paragraph.

    Raises
    ------
    InputError
        If the result holds no particles.
    """
    check_population(result, what="a methods text")
    recipe = Recipe.from_json(str(result.attrs["recipe"]))
    sentences = [
        *_what_was_found(result),
        *_how_judged(result, recipe),
        *_what_people_did(result),
        INTERVALS,
        *([CORRECTED] if np.isfinite(table(result, FRACTIONS)["corrected"].values).any() else []),
        _with_what(recipe),
    ]
    return " ".join(sentences)


def _what_was_found(result: xr.DataTree) -> list[str]:
    micrographs, particles = table(result, IMAGE_TABLE).load(), table(result, OBJECT_TABLE).load()
    read = micrographs["problem"].values == ""
    kinds = sorted(set(micrographs["found_by"].values[read].tolist()))
    ways = [f"{(micrographs['found_by'].values == kind).sum()} {FOUND_BY.get(kind, kind)}" for kind in kinds]
    sizes = micrographs["pixel_size"].values
    known = np.unique(sizes[np.isfinite(sizes)])
    units = micrographs["pixel_size"].attrs.get("units", "nm")
    scale = (
        f"with pixels of {known.min():.4g} to {known.max():.4g} {units}"
        if known.size > 1
        else (f"with pixels of {known[0]:.4g} {units}" if known.size else "without a known pixel size")
    )
    number = int((particles["class"].values > 0).sum())
    edge = int(particles["touches_edge"].values.sum())
    found = (
        f"{number} particles were found in {int(read.sum())} micrographs {scale}, of the micrographs"
        f" {' and '.join(ways)}; {edge} of the particles touch an edge of their micrograph and are counted."
    )
    said = [found]
    if not read.all():
        said.append(f"{int((~read).sum())} micrographs could not be read and are left out.")
    return said


def _how_judged(result: xr.DataTree, recipe: Recipe) -> list[str]:
    document: dict[str, Any] = dict(recipe.model or {})
    learned = document.get("metadata", {})
    rows = json.loads(str(result.attrs.get("judged", "[]")))
    scores = ", ".join(f"{r['name']} {r['f1']:.2f} ({r['f1_low']:.2f} to {r['f1_high']:.2f})" for r in rows)
    judged = (
        f"Classes were given by {_kind(document)} on {len(learned.get('features', []))} features of each"
        " particle (power spectrum, phase and amplitude of the fringes, texture), learned from"
        f" {learned.get('n_micrographs', 'some')} micrographs; F1 by"
        f" {learned.get('judged_on', 'held-out data')}: {scores}."
    )
    said = [judged]
    certainty = float(recipe.settings.get("certainty", 0))
    unsure = int(table(result, OBJECT_TABLE)["abstained"].values.sum())
    if certainty > 0:
        said.append(
            f"{unsure} particles whose best class has a probability below {certainty:g} are undecided."
        )
    return said


def _kind(document: dict[str, Any]) -> str:
    kinds = {"boosting": "gradient-boosted trees", "forest": "a random forest"}
    return kinds.get(str(document.get("settings", {}).get("classifier")), "a classifier")


def _what_people_did(result: xr.DataTree) -> list[str]:
    reviewed = int(table(result, OBJECT_TABLE)["reviewed"].values.sum())
    said = [f"The classes of {reviewed} particles were given or confirmed by a person."] if reviewed else []
    if "retrained" in result.attrs:
        n = json.loads(str(result.attrs["retrained"]))["n_reviewed"]
        said.append(f"The classifier was corrected by what {n} of them taught.")
    return said


def _with_what(recipe: Recipe) -> str:
    settings = ", ".join(f"{name} = {value}" for name, value in recipe.settings.items())
    versions = ", ".join(f"{name} {version}" for name, version in recipe.versions.items())
    return f"Settings: {settings}; seed = {recipe.seed}. Software: {versions}."
