"""Rules on whole objects: what cannot be gets another class, the rest stays, and the trail tells."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label

from engine.objects import Calibration, Rules, connect_classes, describe_objects
from engine.objects.rules import apply_rules
from engine.objects.tracks import kinds_by_forest, kinds_by_shape
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


@settings(max_examples=50, deadline=None)
@given(
    values=hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 4)
    ),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
)
def test_components_of_classes_are_those_of_scikit_image_for_any_chunking(values, rows, columns):
    found = connect_classes(lazy(values, (rows, columns)), classes=[2, 3, 4]).values
    expected = label(np.where(values >= 2, values, 0), background=0, connectivity=2)
    assert (found > 0).sum() == (values >= 2).sum()
    pairs = np.unique(np.stack([found[found > 0], expected[found > 0]]), axis=1)
    assert pairs.shape[1] == found.max(initial=0) == expected.max(initial=0)
    first = [np.flatnonzero(found.ravel() == n)[0] for n in range(1, found.max(initial=0) + 1)]
    assert first == sorted(first)


def test_a_hot_line_that_the_network_saw_in_parts_is_one_hot_line_and_a_slanting_track_is_none():
    values = empty()
    values[0:100:1, 119] = HOT
    values[10:90:7, 119] = values[11:90:7, 119] = CLUSTER
    values[20:80, 40:42] = np.array([HOT, CLUSTER])
    for step in range(30):
        values[20 + step, 60 + step // 4] = CLUSTER
    found, told = ruled(values)
    assert (found[:, 119] == HOT).all()
    assert (found[24:76, 40:42] == HOT).mean() > 0.9
    assert (found[20:50, 60:68] == CLUSTER).sum() == 30
    assert "a hot line is no cluster" in told


def test_crossing_hot_lines_and_single_hot_pixels_stay_and_a_hot_blob_becomes_a_cluster():
    values = empty()
    values[10, 5:60] = values[2:40, 30] = values[80, 80] = HOT
    values[60:63, 60:63] = HOT
    found, told = ruled(values)
    assert (found[10, 5:60] == HOT).all()
    assert (found[2:40, 30] == HOT).all()
    assert found[80, 80] == HOT
    assert (found[60:63, 60:63] == CLUSTER).all()
    assert told == ["hot pixels lie in lines"]


def test_the_hot_part_of_a_track_joins_it_and_a_long_hot_line_through_it_does_not():
    values = empty()
    values[np.arange(20, 30), np.arange(20, 30)] = CLUSTER
    values[30, 30:38] = HOT
    values[70, :] = HOT
    values[68:73, 50] = CLUSTER
    found, told = ruled(values)
    assert (found[30, 30:38] == CLUSTER).all()
    assert (found[70, :50] == HOT).all()
    assert told == ["a track is of one class"]


def test_glow_inside_the_frame_a_hot_line_called_cluster_and_specks_are_put_right():
    values = empty()
    values[:, :8] = values[40:44, 60:64] = GLOW
    values[90, 20:60] = CLUSTER
    values[5, 100:102] = CLUSTER
    found, told = ruled(values, min_cluster=3)
    assert (found[:, :8] == GLOW).all()
    assert (found[40:44, 60:64] == BACKGROUND).all()
    assert (found[90, 20:60] == HOT).all()
    assert (found[5, 100:102] == BACKGROUND).all()
    assert sorted(told) == ["a cluster has a least size", "a hot line is no cluster", "glow touches the edge"]


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


def test_hot_lines_side_by_side_and_lines_with_gaps_stay_and_wide_hot_areas_do_not():
    values = empty()
    values[10:12, 5:100] = HOT
    for start in (5, 10, 15, 20, 25):
        values[30, start : start + 3] = HOT
    values[50:70, 20:40] = HOT
    values[80, 50:52] = HOT
    found, told = ruled(values)
    np.testing.assert_array_equal(found[:45], values[:45])
    assert (found[50:70, 20:40] == CLUSTER).all()
    assert (found[80, 50:52] == CLUSTER).all()
    assert told == ["hot pixels lie in lines"] * 2


def test_glow_behind_a_hot_column_through_the_frame_stays_and_a_large_island_does_not():
    values = empty()
    values[:, :20] = GLOW
    values[:, 10:12] = HOT
    values[40:60, 60:80] = GLOW
    found, told = ruled(values)
    np.testing.assert_array_equal(found[:, :20], values[:, :20])
    assert (found[40:60, 60:80] == BACKGROUND).all()
    assert told == ["glow touches the edge"]


def test_small_glow_that_touches_a_track_belongs_to_it():
    values = empty()
    values[40:50, 40:50] = CLUSTER
    values[44:46, 44:46] = GLOW
    found, told = ruled(values)
    assert (found[40:50, 40:50] == CLUSTER).all()
    assert told == ["a track is of one class"]


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


def test_objects_have_energies_and_kinds_and_nothing_found_is_an_empty_table():
    frame = Mosaic(size=512, seed=3).frame(0)
    labels, image = lazy(frame.labels + 1), xr.DataArray(frame.image - 8800.0, dims=("y", "x"))
    sure = xr.ones_like(image)
    found = describe_objects(labels, image, sure, names=NAMES, calibration=Calibration(4 / 3), rules=Rules())
    table = found.table
    tracks = table["name"].values == "cluster"
    np.testing.assert_allclose(table["energy"].values[tracks], table["charge"].values[tracks] * 4 / 3 * 3.745)
    assert np.isnan(table["energy"].values[~tracks]).all()
    assert set(table["kind"].values[tracks]) <= {"point", "worm", "line", "blob"}
    assert set(table["kind"].values[~tracks]) <= {""}
    nothing = describe_objects(
        lazy(empty()), sure[:100, :120], sure[:100, :120], names=NAMES, calibration=Calibration(1.0)
    )
    assert nothing.table.sizes["object"] == nothing.audit.sizes["change"] == 0
    assert {"energy", "kind", "name"} <= set(nothing.table.data_vars)


def test_kinds_of_simulated_tracks_are_told_by_shape_and_better_by_the_forest():
    right: dict[str, list[float]] = {"shape": [], "forest": []}
    for difficulty in ("easy", "hard"):
        frame = Mosaic(size=1024, difficulty=difficulty, seed=99).frame(0)
        planes = (frame.labels == 3, frame.image - np.float32(frame.amplifiers[0].pedestal), frame.instance)
        mask, image, tracks = (xr.DataArray(plane, dims=("y", "x")) for plane in planes)
        from engine.objects import connect, measure

        table = measure(connect(mask), image=image, classes=tracks)
        truth = frame.tracks["kind"][table["class"].values - 1]
        right["shape"] += (kinds_by_shape(table) == truth).tolist()
        right["forest"] += (kinds_by_forest(table) == truth).tolist()
    assert np.mean(right["shape"]) > 0.75
    assert np.mean(right["forest"]) > max(0.84, np.mean(right["shape"]))
