"""Tests of `engine.objects.describe`."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.objects import Calibration, Rules, describe_objects
from engine.objects.tracks import Shapes
from engine.simulate.mosaic import CLASSES, Mosaic

NAMES = dict(enumerate(CLASSES, start=1))


@pytest.fixture
def labels() -> xr.DataArray:
    """A track of ten pixels, three of which look hot, and a hot pixel."""
    values = np.ones((40, 40), np.uint8)
    values[np.arange(10, 17), np.arange(10, 17)] = 4
    values[17, 17:20] = 3
    values[30, 30] = 3
    return xr.DataArray(da.from_array(values, chunks=16), dims=("y", "x"))


def test_votes_are_the_share_of_an_objects_pixels_that_were_of_its_class_before_the_rules(labels):
    charge = xr.ones_like(labels, dtype="f4")
    found = describe_objects(labels, charge, charge, names=NAMES, calibration=Calibration(2.0), rules=Rules())
    table = found.table
    assert table["name"].values.tolist() == ["cluster", "hot_pixel"]
    assert table["area"].values.tolist() == [10, 1]
    assert table["votes"].values.tolist() == [0.7, 1.0]
    assert table["energy"].values[0] == pytest.approx(10 * 2 * 3.745)
    assert found.labels.chunks == found.objects.chunks == labels.chunks


def test_kinds_follow_the_limits_given_and_a_way_that_is_not_there_is_refused(labels):
    charge = xr.ones_like(labels, dtype="f4")
    calibration = Calibration(float("nan"))
    found = describe_objects(
        labels, charge, charge, names=NAMES, calibration=calibration, kinds=Shapes(blob_thickness=0)
    )
    assert found.table["kind"].values.tolist() == ["blob", "", ""]
    assert np.isnan(found.table["energy"].values).all()
    with pytest.raises(InputError, match="one of shape, forest"):
        describe_objects(labels, charge, charge, names=NAMES, calibration=calibration, kinds="colour")


BACKGROUND, GLOW, HOT, CLUSTER = NAMES


def lazy(values: np.ndarray, chunks: object = 64) -> xr.DataArray:
    return xr.DataArray(da.from_array(values.astype(np.uint8), chunks=chunks), dims=("y", "x"))


def empty() -> np.ndarray:
    return np.full((100, 120), BACKGROUND)


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
