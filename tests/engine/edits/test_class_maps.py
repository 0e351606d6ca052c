"""Tests of `engine.edits.class_maps`."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import engine
from engine.edits.class_maps import merge, relabel, relabel_objects
from engine.errors import InputError
from engine.objects import Calibration, Rules, describe_objects
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe

NAMES = dict(enumerate(CLASSES, start=1))


BACKGROUND, GLOW, HOT, CLUSTER = NAMES


@pytest.fixture
def images() -> xr.Dataset:
    values = np.full((60, 80), 103, np.uint16)
    return xr.Dataset({"values": (("y", "x"), values, {"units": "adu"})})


@pytest.fixture
def result(images: xr.Dataset) -> xr.DataTree:
    """A track of which a part looked hot, two hot pixels, another track, on a level of 100 adu."""
    values = np.full((60, 80), BACKGROUND, np.uint8)
    values[np.arange(10, 18), np.arange(10, 18)] = CLUSTER
    values[18, 18:20] = HOT
    values[30, 30] = values[40, 40] = HOT
    values[50:54, 60:64] = CLUSTER
    labels = xr.DataArray(da.from_array(values, chunks=32), dims=("y", "x"))
    confidence = xr.full_like(labels, 0.5, dtype="f4")
    above = images["values"].astype("f4") - 100
    found = describe_objects(
        labels, above, confidence, names=NAMES, calibration=Calibration(2.0), rules=Rules()
    )
    tree = describe(images, found.labels, confidence, names=NAMES)
    tree.dataset = tree.to_dataset().assign(entropy=confidence / 2, objects=found.objects)
    tree["object_table"], tree["audit"] = xr.DataTree(found.table), xr.DataTree(found.audit)
    calibration = '{"electrons_per_adu": 2.0, "ev_per_electron": 3.745}'
    tree.attrs.update(background='{"level": 100.0}', calibration=calibration)
    return tree


def test_objects_get_another_class_and_are_measured_again(result: xr.DataTree, images: xr.Dataset) -> None:
    before = result["object_table"].to_dataset(inherit=False)
    assert before["name"].values.tolist() == ["cluster", "hot_pixel", "hot_pixel", "cluster"]
    edited = relabel_objects(result, images, objects=[4, 2], label=GLOW)
    expected = np.asarray(result["labels"]).copy()
    expected[50:54, 60:64] = expected[30, 30] = GLOW
    np.testing.assert_array_equal(edited["labels"], expected)
    table = edited["object_table"].to_dataset(inherit=False)
    assert table["name"].values.tolist() == ["cluster", "glowing", "hot_pixel", "glowing"]
    assert table["charge"].values.tolist() == [30, 3, 3, 48]
    np.testing.assert_allclose(table["energy"].values[0], 30 * 2 * 3.745)
    assert np.isnan(table["energy"].values[1:]).all()
    np.testing.assert_array_equal(edited["objects"], result["objects"])


def test_entropy_the_trail_of_the_rules_and_votes_of_other_objects_stay(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    edited = relabel_objects(result, images, objects=[4], label=HOT)
    np.testing.assert_array_equal(edited["entropy"], result["entropy"])
    xr.testing.assert_identical(
        edited["audit"].to_dataset(inherit=False), result["audit"].to_dataset(inherit=False)
    )
    np.testing.assert_array_equal(result["object_table"]["votes"], [0.8, 1, 1, 1])
    np.testing.assert_array_equal(edited["object_table"]["votes"], [0.8, 1, 1, np.nan])


def test_objects_turned_into_background_are_none_any_more_and_numbers_stay_consecutive(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    edited = relabel_objects(result, images, objects=[1], label=BACKGROUND)
    table = edited["object_table"].to_dataset(inherit=False)
    assert table["object"].values.tolist() == [1, 2, 3]
    assert np.asarray(edited["objects"]).max() == 3


def test_a_polygon_that_cuts_an_object_makes_two(result: xr.DataTree, images: xr.Dataset) -> None:
    box = [[59.5, 49.5], [61.5, 49.5], [61.5, 53.5], [59.5, 53.5]]
    edited = relabel(result, images, polygon=box, label=HOT)
    table = edited["object_table"].to_dataset(inherit=False)
    assert table.sizes["object"] == 5
    assert sorted(table["area"].values.tolist()) == [1, 1, 8, 8, 10]


def test_merging_classes_joins_objects_that_touch(result: xr.DataTree, images: xr.Dataset) -> None:
    box = [[59.5, 49.5], [61.5, 49.5], [61.5, 53.5], [59.5, 53.5]]
    cut = relabel(result, images, polygon=box, label=HOT)
    merged = merge(cut, images, labels=[HOT, CLUSTER])
    table = merged["object_table"].to_dataset(inherit=False)
    assert set(table["class"].values.tolist()) == {HOT}
    assert sorted(table["area"].values.tolist()) == [1, 1, 10, 16]


def test_objects_can_be_relabelled_where_the_result_comes_from_a_store(
    result: xr.DataTree, images: xr.Dataset, tmp_path: object
) -> None:
    engine.save(result, f"{tmp_path}/a.zarr")
    loaded = engine.load(f"{tmp_path}/a.zarr")
    edited = relabel_objects(loaded, images, objects=[2, 3], label=BACKGROUND)
    engine.save(edited, f"{tmp_path}/b.zarr")
    table = engine.load(f"{tmp_path}/b.zarr")["object_table"]
    assert table["name"].values.tolist() == ["cluster", "cluster"]
    assert table["votes"].values.tolist() == [0.8, 1.0]


def test_a_number_of_no_object_and_a_class_that_is_not_there_are_refused(
    result: xr.DataTree, images: xr.Dataset
) -> None:
    with pytest.raises(InputError, match="no object 9; the result has 4"):
        relabel_objects(result, images, objects=[1, 9], label=HOT)
    with pytest.raises(InputError, match="no class 7"):
        relabel_objects(result, images, objects=[1], label=7)
    del result["object_table"]
    with pytest.raises(InputError, match="no table 'object_table'"):
        relabel_objects(result, images, objects=[1], label=HOT)
