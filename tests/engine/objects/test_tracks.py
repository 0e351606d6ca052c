"""Kinds and energies of tracks, and the votes of the network."""

import numpy as np
import xarray as xr

from engine.objects import Calibration
from engine.objects.tracks import energies, kinds_by_forest, kinds_by_shape, teller
from engine.simulate.mosaic import Mosaic


def test_energies_of_one_electron_an_adu_are_the_charge_times_the_energy_of_an_electron():
    table = xr.Dataset({"charge": ("object", [1000.0, 10.0])})
    found = energies(table, Calibration(1.0, ev_per_electron=3.6), charged=np.array([True, False]))
    np.testing.assert_array_equal(found, [3600.0, np.nan])


def test_no_tracks_have_no_kinds():
    columns = ("area", "length", "width", "eccentricity", "charge", "peak")
    empty = xr.Dataset({name: ("object", np.zeros(0)) for name in columns})
    assert teller("shape")(empty).tolist() == teller("forest")(empty).tolist() == []


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
