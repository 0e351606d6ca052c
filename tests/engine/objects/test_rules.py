"""Rules on whole objects: what cannot be gets another class, the rest stays, and the trail tells."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.objects import Rules
from engine.objects.rules import apply_rules
from engine.simulate.mosaic import CLASSES, Mosaic

NAMES = dict(enumerate(CLASSES, start=1))


BACKGROUND, GLOW, HOT, CLUSTER = NAMES


def lazy(values: np.ndarray, chunks: object = 64) -> xr.DataArray:
    return xr.DataArray(da.from_array(values.astype(np.uint8), chunks=chunks), dims=("y", "x"))


def ruled(values: np.ndarray, **limits: int) -> tuple[np.ndarray, list[str]]:
    found = apply_rules(lazy(values), names=NAMES, rules=Rules(**limits))
    return np.asarray(found.labels), found.audit["rule"].values.tolist()


def empty() -> np.ndarray:
    return np.full((100, 120), BACKGROUND)


def test_the_trail_names_place_classes_and_rule_and_labels_with_other_names_have_none():
    values = empty()
    values[40:44, 60:64] = GLOW
    audit = apply_rules(lazy(values), names=NAMES, rules=Rules()).audit
    row = audit.isel(change=0)
    assert (float(row["y"]), float(row["x"]), int(row["area"])) == (41.5, 61.5, 16)
    assert (int(row["old"]), int(row["new"])) == (GLOW, BACKGROUND)
    other = apply_rules(lazy(values), names={1: "a", 2: "b"}, rules=Rules())
    assert other.audit.sizes["change"] == 0
    np.testing.assert_array_equal(other.labels, values)


def test_places_in_the_trail_are_in_the_units_of_the_coordinates():
    values = empty()
    values[40:44, 60:64] = GLOW
    coords = {dim: (dim, 2.0 * np.arange(n), {"units": "µm"}) for dim, n in (("y", 100), ("x", 120))}
    audit = apply_rules(lazy(values).assign_coords(coords), names=NAMES, rules=Rules()).audit
    assert (audit["y"].values.tolist(), audit["x"].values.tolist()) == ([83], [123])
    assert {audit[dim].attrs["units"] for dim in ("y", "x")} == {"µm"}


def test_the_least_size_is_that_of_the_clusters_which_the_other_rules_make():
    values = empty()
    values[20, 20:22] = CLUSTER
    values[21, 22:26] = HOT
    values[60:62, 60:62] = HOT
    found, told = ruled(values, min_cluster=5)
    assert (found == CLUSTER).sum() == 6
    assert (found[60:62, 60:62] == BACKGROUND).all()
    assert told == ["a track is of one class", "hot pixels lie in lines", "a cluster has a least size"]


@settings(max_examples=40, deadline=None)
@given(
    values=hnp.arrays(
        np.uint8,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=30),
        elements=st.sampled_from([1, 1, 2, 3, 4]),
    ),
    rows=st.integers(3, 30),
    columns=st.integers(3, 30),
)
def test_the_same_rules_hold_for_any_chunking(values, rows, columns):
    limits = Rules(min_cluster=3, glow_island=4)
    whole = apply_rules(lazy(values, -1), names=NAMES, rules=limits)
    tiled = apply_rules(lazy(values, (rows, columns)), names=NAMES, rules=limits)
    np.testing.assert_array_equal(whole.labels, tiled.labels)
    xr.testing.assert_identical(whole.audit, tiled.audit)
    assert tiled.labels.chunks == lazy(values, (rows, columns)).chunks


@pytest.mark.parametrize("difficulty", ["easy", "hard"])
@pytest.mark.parametrize("n_amplifiers", [1, 4])
def test_the_truth_of_simulated_frames_is_left_nearly_as_it_is(difficulty: str, n_amplifiers: int):
    counts = np.zeros((3, 5))
    simulator = Mosaic(size=1024, difficulty=difficulty, n_amplifiers=n_amplifiers, seed=777)
    for number in range(2):
        values = simulator.frame(number).labels + 1
        found, _ = ruled(values)
        for row, mask in enumerate((found == values, values > 0, found > 0)):
            counts[row] += np.bincount(np.where(mask, (values, values, found)[row], 0).ravel(), minlength=5)
    f1 = 2 * counts[0, 1:] / np.maximum(counts[1, 1:] + counts[2, 1:], 1)
    assert f1[counts[1, 1:] > 0].min() >= 0.999
