"""Methods section of a paper, from a result: preparation, detection, classes, intervals, software."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.analysis import Model, model_of
from engine.export.sheets import name_model
from engine.recipe import Recipe, Step
from engine.schema import FRACTIONS, IMAGE, IMAGE_TABLE, OBJECT_TABLE, RETRAINED, table
from engine.schema import columns as c
from engine.schema.kinds import POPULATION, check_kind

FOUND_BY: Final = {
    "lattice": "by their lattice (peaks of windowed Fourier spectra above those of noise)",
    "mass": "by their darkness against the support (mass contrast)",
}
LEFT_OUT: Final = (
    "What the classifier takes for no particle is left out; particles without a resolved lattice are null."
)
INTERVALS: Final = (
    "Fractions are of particles that are decided; their 95 % intervals are Wilson's at the effective sample"
    " size that the variation between micrographs leaves (Wilson, J. Am. Stat. Assoc. 22 (1927) 209; Dean &"
    " Pagano, J. Surv. Stat. Methodol. 3 (2015) 484)."
)
OF_ONE: Final = (
    "Fractions are of particles that are decided; their 95 % intervals are Wilson's (J. Am. Stat. Assoc. 22"
    " (1927) 209) and take the particles, all of one micrograph, to be independent."
)
BOOTSTRAP: Final = (
    "The bootstrap intervals beside them are percentiles of drawing micrographs again, with replacement"
    " (Efron, Ann. Stat. 7 (1979) 1)."
)
CORRECTED: Final = (
    "Corrected fractions undo the confusions, misses and false finds of held-out micrographs, with their"
    " uncertainty (Rogan & Gladen, Am. J. Epidemiol. 107 (1978) 71)."
)


def methods_text(result: xr.DataTree) -> str:
    """Return settings, versions and counts of an analysis of particles as one paragraph.

    Raises
    ------
    InputError
        If the result holds no particles.
    """
    check_kind(result, POPULATION, what="a methods text")
    recipe = Recipe.from_json(str(result.attrs["recipe"]))
    sentences = [
        *_describe_preparation(recipe.prepare),
        *_describe_particles(result),
        *_describe_classifier(result, recipe),
        *_describe_review(result),
        *_describe_intervals(result),
        _describe_software(recipe),
    ]
    return " ".join(sentences)


def _describe_preparation(steps: Sequence[Step]) -> list[str]:
    if not steps:
        return []
    said = [f"{step['name']} ({_list_settings(step['arguments'])})" for step in steps]
    return [f"The micrographs were prepared: {'; '.join(said)}."]


def _describe_intervals(result: xr.DataTree) -> list[str]:
    fractions, particles = table(result, FRACTIONS), table(result, OBJECT_TABLE)
    decided = particles[IMAGE].values[~particles[c.ABSTAINED].values & (particles[c.CLASS].values > 0)]
    kinds = {"bootstrap_low": BOOTSTRAP, "corrected": CORRECTED}
    if np.unique(decided).size < 2:
        del kinds["bootstrap_low"]
    shown = [text for name, text in kinds.items() if np.isfinite(fractions.get(name, np.nan)).any()]
    return [INTERVALS if np.unique(decided).size > 1 else OF_ONE, *shown]


def _describe_particles(result: xr.DataTree) -> list[str]:
    micrographs, particles = table(result, IMAGE_TABLE).load(), table(result, OBJECT_TABLE).load()
    read = micrographs[c.PROBLEM].values == ""
    kinds = sorted(set(micrographs[c.FOUND_BY].values[read].tolist()))
    number_by = {kind: int((micrographs[c.FOUND_BY].values[read] == kind).sum()) for kind in kinds}
    ways = [f"in {n} of them {FOUND_BY.get(kind, kind)}" for kind, n in number_by.items()]
    sizes = micrographs[c.PIXEL_SIZE].values
    known = np.unique(sizes[np.isfinite(sizes)])
    units = micrographs[c.PIXEL_SIZE].attrs.get("units", "nm")
    scale = (
        f"with pixels of {known.min():.4g} to {known.max():.4g} {units}"
        if known.size > 1
        else (f"with pixels of {known[0]:.4g} {units}" if known.size else "without a known pixel size")
    )
    number = int((particles[c.CLASS].values > 0).sum())
    edge = int(particles[c.TOUCHES_EDGE].values.sum())
    found = (
        f"{number} particles were found in {int(read.sum())} micrographs {scale},"
        f" {' and '.join(ways) or 'in none of them'}; {edge} of the particles touch an edge of their"
        " micrograph and are counted."
    )
    said = [found, LEFT_OUT]
    if not read.all():
        said.append(f"{int((~read).sum())} micrographs could not be read and are left out.")
    return said


def _describe_classifier(result: xr.DataTree, recipe: Recipe) -> list[str]:
    model = model_of(result)
    learned = model.metadata
    rows = json.loads(str(result.attrs.get("judged", "[]")))
    scores = ", ".join(f"{r['name']} {r['f1']:.2f} ({r['f1_low']:.2f} to {r['f1_high']:.2f})" for r in rows)
    judged = (
        f"Classes were given by {_name_classifier(model)} on {len(learned.get('features', []))} features of"
        " each particle (power spectrum, phase and amplitude of the fringes, texture), learned from"
        f" {learned.get('n_micrographs', 'some')} micrographs ({name_model(model)}); F1 by"
        f" {learned.get('judged_on', 'held-out data')}: {scores or 'not known'}."
    )
    said = [judged]
    certainty = float(recipe.settings.get("certainty", 0))
    unsure = int(table(result, OBJECT_TABLE)[c.ABSTAINED].values.sum())
    if certainty > 0:
        said.append(
            f"{unsure} particles whose best class has a probability below {certainty:g} are undecided."
        )
    return said


def _name_classifier(model: Model) -> str:
    kinds = {"boosting": "gradient-boosted trees", "forest": "a random forest"}
    return kinds.get(str(model.settings.get("classifier")), "a classifier")


def _describe_review(result: xr.DataTree) -> list[str]:
    reviewed = int(table(result, OBJECT_TABLE)[c.REVIEWED].values.sum())
    said = [f"The classes of {reviewed} particles were given or confirmed by a person."] if reviewed else []
    if RETRAINED in result.attrs:
        n = json.loads(str(result.attrs[RETRAINED]))["n_reviewed"]
        said.append(f"The classifier was corrected by what {n} of them taught.")
    return said


def _describe_software(recipe: Recipe) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in recipe.versions.items())
    return f"Settings: {_list_settings(recipe.settings)}; seed = {recipe.seed}. Software: {versions}."


def _list_settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in settings.items())
