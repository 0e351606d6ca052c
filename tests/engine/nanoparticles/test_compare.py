"""Two populations beside each other, with numbers made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from engine.errors import InputError
from engine.nanoparticles.compare import compare
from engine.schema.kinds import CLASS_MAP, KIND, POPULATION
from engine.statistics.intervals import difference

NAMES = ("yes", "no", "null")


def population(
    counts: Sequence[Sequence[int]], *, shift: float = 0.0, units: str = "nm", names: Sequence[str] = NAMES
) -> xr.DataTree:
    """So many particles by micrograph and class; the radii of a class run from 1, the spacings from 0.2."""
    table = np.asarray(counts)
    image, label = np.nonzero(table)
    repeats = table[image, label]
    image, label = np.repeat(image, repeats), np.repeat(label, repeats) + 1
    place = np.zeros(label.size)
    for value in np.unique(label):
        place[label == value] = np.arange((label == value).sum())
    objects = {
        "image": image,
        "class": label,
        "abstained": np.zeros(label.size, bool),
        "radius": 1 + 0.1 * place + shift,
        "spacing": np.where(label == 3, np.nan, 0.2 + 0.001 * place + shift),
    }
    columns = {name: ("object", values, {"units": units}) for name, values in objects.items()}
    labels = ("label", [1, 2, 3])
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs={KIND: POPULATION.name}),
            "/classes": xr.Dataset({"name": ("label", list(names))}, {"label": labels}),
            "/object_table": xr.Dataset(columns, {"object": np.arange(1, label.size + 1)}),
            "/image_table": xr.Dataset({"file": ("image", [f"{n}.tif" for n in range(len(table))])}),
            "/fractions": xr.Dataset({"count": ("label", table.sum(axis=0))}, {"label": labels}),
        }
    )


FIRST = [[2, 7, 1], [3, 6, 1], [2, 8, 0], [4, 5, 1]]


SECOND = [[6, 4, 0], [7, 3, 0], [5, 5, 0]]


def test_fractions_differ_as_the_counts_by_micrograph_say() -> None:
    found = compare(population(FIRST), population(SECOND * 4))
    expected = difference(FIRST, SECOND * 4)
    assert found["name"].values.tolist() == list(NAMES)
    assert found["fraction_first"].values == pytest.approx([11 / 40, 26 / 40, 3 / 40])
    assert found["difference"].values == pytest.approx([11 / 40 - 18 / 30, 26 / 40 - 12 / 30, 3 / 40])
    np.testing.assert_array_equal(found["low"], expected.low)
    np.testing.assert_array_equal(found["high"], expected.high)
    assert found["high"].sel(label=1) < 0


def test_medians_differ_by_what_was_added_and_the_interval_and_the_test_see_it() -> None:
    apart = compare(population(FIRST, shift=5.0), population(FIRST)).sel(label=2)
    for measure in ("radius", "spacing"):
        assert float(apart[f"{measure}_difference"]) == pytest.approx(5.0)
        assert 0 < apart[f"{measure}_low"] < 5 < apart[f"{measure}_high"]
        values = np.arange(26.0)
        assert float(apart[f"{measure}_p"]) == pytest.approx(stats.mannwhitneyu(values + 1000, values).pvalue)
    alike = compare(population(FIRST), population(FIRST)).sel(label=2)
    assert alike["radius_low"] < 0 < alike["radius_high"]  # not drawn alike, though they are the same
    assert float(alike["radius_p"]) == pytest.approx(1.0)


def test_what_a_collection_lacks_is_not_compared() -> None:
    found = compare(population(FIRST), population(SECOND)).sel(label=3)
    for measure in ("radius", "spacing"):
        assert all(np.isnan(found[f"{measure}_{of}"]) for of in ("difference", "low", "high", "p"))


def test_undecided_particles_do_not_count() -> None:
    first = population(FIRST)
    undecided = first["object_table"].to_dataset()
    undecided["abstained"] = undecided["class"] == 2
    first["object_table"] = xr.DataTree(undecided)
    found = compare(first, population(SECOND))
    assert found["fraction_first"].values == pytest.approx([11 / 14, 0, 3 / 14])
    assert np.isnan(found["radius_p"].sel(label=2))


def test_the_same_seed_gives_the_same_intervals() -> None:
    both = population(FIRST), population(SECOND)
    xr.testing.assert_identical(compare(*both, seed=4), compare(*both, seed=4))


@pytest.mark.parametrize(
    ("second", "match"),
    [
        (
            xr.DataTree(xr.Dataset(attrs={KIND: CLASS_MAP.name})),
            "a comparison is for populations of particles, and the result is one of maps of classes",
        ),
        (population(SECOND, names=("defect", "no", "null")), "yes, no, null, of the other defect, no, null"),
        (population(SECOND, units="px"), "radius of one collection is in nm, of the other in px"),
    ],
)
def test_what_cannot_be_compared_is_refused(second: xr.DataTree, match: str) -> None:
    with pytest.raises(InputError, match=match):
        compare(population(FIRST), second)
