"""Kinds and energies of tracks, and the votes of the network."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.objects import Calibration, Rules, describe_objects
from engine.objects.tracks import Shapes, energies, teller
from engine.simulate.mosaic import CLASSES

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


def test_energies_of_one_electron_an_adu_are_the_charge_times_the_energy_of_an_electron():
    table = xr.Dataset({"charge": ("object", [1000.0, 10.0])})
    found = energies(table, Calibration(1.0, ev_per_electron=3.6), charged=np.array([True, False]))
    np.testing.assert_array_equal(found, [3600.0, np.nan])


def test_no_tracks_have_no_kinds():
    columns = ("area", "length", "width", "eccentricity", "charge", "peak")
    empty = xr.Dataset({name: ("object", np.zeros(0)) for name in columns})
    assert teller("shape")(empty).tolist() == teller("forest")(empty).tolist() == []
