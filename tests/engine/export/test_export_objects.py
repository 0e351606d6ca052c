"""Results with objects: every format holds their table, and their regions lie where the objects are."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits
from astropy.table import Table

from engine.export.rasters import write_fits
from engine.objects import Calibration, Rules, describe_objects
from engine.readers.labels.label_files import read_labels
from engine.recipe import Recipe
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe

NAMES = dict(enumerate(CLASSES, start=1))


def segmented(values: np.ndarray, recipe: Recipe) -> xr.DataTree:
    """Result of a frame with these classes, laid out as a U-Net's; pixels of 2 µm."""
    coords = {
        dim: (dim, 2.0 * np.arange(n), {"units": "µm"}) for dim, n in zip("yx", values.shape, strict=True)
    }
    labels = xr.DataArray(values.astype(np.uint8), coords, ("y", "x")).chunk(16)
    charge = xr.full_like(labels, 5, dtype="f4").assign_attrs(units="adu")
    confidence = xr.full_like(labels, 0.75, dtype="f4")
    found = describe_objects(
        labels, charge, confidence, names=NAMES, calibration=Calibration(1.0), rules=Rules()
    )
    tree = describe(xr.Dataset({"values": charge}), found.labels, confidence, names=NAMES)
    entropy = confidence.assign_attrs(units="1")
    tree.dataset = tree.to_dataset().assign(entropy=entropy, objects=found.objects)
    tree["object_table"], tree["audit"] = xr.DataTree(found.table), xr.DataTree(found.audit)
    tree.attrs.update(recipe=recipe.to_json(), title="frame")
    return tree


@pytest.fixture(params=["some", "none"])
def frame(request: pytest.FixtureRequest, recipe: Recipe) -> xr.DataTree:
    """A line, a tilted track, a hot block that becomes a cluster, and glow at the edge; or nothing at all."""
    values = np.ones((40, 50), np.uint8)
    if request.param == "some":
        values[5, 10:30] = 3
        values[np.arange(12, 20), np.arange(30, 38)] = 4
        values[30:33, 20:23] = 3
        values[:, :3] = 2
    return segmented(values, recipe)


def test_fits_holds_all_maps_and_both_tables_with_units(frame: xr.DataTree, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (path,) = write_fits(frame, tmp_path)
    with fits.open(path, checksum=True) as units:
        units.verify("exception")
        for name in ("confidence", "entropy", "objects"):
            np.testing.assert_array_equal(units[name.upper()].data, frame[name])
        assert [units[0].header[f"CLASS{value}"] for value in NAMES] == list(CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, audit = (Table.read(path, hdu=name) for name in ("OBJECT_TABLE", "AUDIT"))
    expected = frame["object_table"].to_dataset(inherit=False)
    assert len(rows) == expected.sizes["object"]
    for name in ("object", "class", "y", "charge", "touches_edge", "votes"):
        np.testing.assert_array_equal(np.asarray(rows[name]), expected[name].values)
    assert [str(text) for text in rows["name"]] == expected["name"].values.tolist()
    assert {name: str(rows[name].unit) for name in ("y", "area", "charge", "energy", "orientation")} == {
        "y": "um",
        "area": "pix2",
        "charge": "adu",
        "energy": "eV",
        "orientation": "rad",
    }
    assert rows["votes"].unit is None
    assert len(audit) == frame["audit"].sizes["change"]
    assert [str(text) for text in audit["rule"]] == frame["audit"]["rule"].values.tolist()


def test_labels_in_fits_are_read_as_truth_with_the_names_of_the_classes(
    frame: xr.DataTree, tmp_path: Path
) -> None:
    truth = read_labels(write_fits(frame, tmp_path)[0])
    np.testing.assert_array_equal(truth, frame["labels"])
    assert str(truth.attrs["flag_meanings"]).split() == list(CLASSES)
