"""Two populations of particles beside each other."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.nanoparticles.tables import counts_of
from engine.schema import CLASSES, IMAGE, IMAGE_TABLE, LABEL, OBJECT_TABLE, table
from engine.schema import columns as c
from engine.schema.kinds import POPULATION, check_kind
from engine.statistics.intervals import class_fractions, difference_of

MEASURES: Final = ("radius", "spacing")
N_DRAWS: Final = 1000


def compare(first: xr.DataTree, second: xr.DataTree, *, seed: int = 0) -> xr.Dataset:
    """Return how much the fractions of the classes, sizes and spacings of two collections differ.

    Parameters
    ----------
    first, second
        Results of the analysis `particles` that share no micrograph.
    seed
        Of the drawing of micrographs for the intervals of medians.

    Returns
    -------
    Dataset, dim label
        `name`, `fraction_first`, `fraction_second`, their `difference` (first minus second) with the ends
        `low` and `high` of its 95 % interval; and of radius and spacing the `_difference` of medians with
        its interval `_low`, `_high` from drawing micrographs again, and `_p`, the p-value of Mann & Whitney's
        test, which takes all particles to be independent. NaN where a collection has no such particle.

    Raises
    ------
    InputError
        If one is no population of particles, their classes differ, or lengths are in different units.

    References
    ----------
    R. G. Newcombe, Stat. Med. 17 (1998) 873 (the interval of a difference); B. Efron, Ann. Stat. 7 (1979) 1;
    H. B. Mann, D. R. Whitney, Ann. Math. Stat. 18 (1947) 50.
    """
    both = [_particles(result) for result in (first, second)]
    _check_classes(first, second)
    shares = [class_fractions(counts_of(objects, n_images=n)) for objects, n in both]
    apart = difference_of(*shares)
    classes = table(first, CLASSES)
    columns = {
        "name": classes[c.NAME].values,
        "fraction_first": shares[0].fraction,
        "fraction_second": shares[1].fraction,
        "difference": apart.fraction,
        "low": apart.low,
        "high": apart.high,
    }
    for measure in MEASURES:
        _check_units(both, measure)
        found = [
            _medians(objects, n_images, measure, classes[LABEL].values, [seed, which])
            for which, (objects, n_images) in enumerate(both)  # the collections are drawn independently
        ]
        columns[f"{measure}_difference"] = found[0][0] - found[1][0]
        draws = found[0][1:] - found[1][1:]
        known = np.isfinite(draws).any(axis=0)
        for end, share in (("low", 0.025), ("high", 0.975)):
            column = np.full(known.size, np.nan)
            column[known] = np.nanquantile(draws[:, known], share, axis=0)
            columns[f"{measure}_{end}"] = column
        columns[f"{measure}_p"] = np.array(
            [
                _mann_whitney(*(_of_class(o, measure, label) for o, _ in both))
                for label in classes[LABEL].values
            ]
        )
    return xr.Dataset(
        {name: (LABEL, values) for name, values in columns.items()}, {LABEL: classes[LABEL].values}
    )


def _particles(result: xr.DataTree) -> tuple[xr.Dataset, int]:
    check_kind(result, POPULATION, what="a comparison")
    return table(result, OBJECT_TABLE).load(), table(result, IMAGE_TABLE).sizes[IMAGE]


def _check_classes(first: xr.DataTree, second: xr.DataTree) -> None:
    named = [
        dict(zip(classes[LABEL].values.tolist(), classes[c.NAME].values.tolist(), strict=True))
        for classes in (table(first, CLASSES), table(second, CLASSES))
    ]
    if named[0] != named[1]:
        told = [", ".join(map(str, names.values())) for names in named]
        raise InputError(
            f"the classes of one collection are {told[0]}, of the other {told[1]}; name them alike (rename)"
        )


def _of_class(objects: xr.Dataset, measure: str, label: int) -> np.ndarray:
    """Return what was measured of the decided particles of a class."""
    values = objects[measure].values
    there = (objects[c.CLASS].values == label) & ~objects[c.ABSTAINED].values
    return np.asarray(values[there & np.isfinite(values)])


def _mann_whitney(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p-value of two samples coming from one distribution; NaN if one is empty."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(first, second).pvalue) if first.size and second.size else float("nan")


def _check_units(both: list[tuple[xr.Dataset, int]], measure: str) -> None:
    units = [str(objects[measure].attrs.get("units")) for objects, _ in both]
    if units[0] != units[1]:
        raise InputError(
            f"the {measure} of one collection is in {units[0]}, of the other in {units[1]}; give the pixel"
            " size (--pixel-size) of the one without"
        )


def _medians(
    objects: xr.Dataset, n_images: int, measure: str, labels: np.ndarray, seed: Sequence[int]
) -> np.ndarray:
    """Median of each class, and of as many drawings of micrographs, `(1 + draw, class)`."""
    rng = np.random.default_rng(seed)
    weights = np.vstack(
        [np.ones(n_images), rng.multinomial(n_images, np.full(n_images, 1 / n_images), N_DRAWS)]
    )
    found = np.full((len(weights), labels.size), np.nan)
    values, image = objects[measure].values, objects[IMAGE].values
    for k, label in enumerate(labels):
        there = (objects[c.CLASS].values == label) & np.isfinite(values) & ~objects[c.ABSTAINED].values
        if there.any():
            found[:, k] = _medians_by_weight(values[there], weights[:, image[there]])
    return found


def _medians_by_weight(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Medians of values that count as often as `weights` (draw, value) says; NaN where none does."""
    order = np.argsort(values)
    sums = np.cumsum(weights[:, order], axis=1)
    half = sums[:, -1:] / 2
    places = (sums < half).sum(axis=1)
    return np.where(sums[:, -1] > 0, values[order][np.minimum(places, values.size - 1)], np.nan)
