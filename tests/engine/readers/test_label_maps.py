"""Tests of `engine.readers.label_maps`."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits

from engine.errors import InputError
from engine.export.store import write_result
from engine.readers import describe, open_images
from engine.readers.label_maps import open_labels
from engine.readers.labels.label_files import labels_of
from engine.schema import label_map
from engine.simulate.mosaic import Mosaic


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A stored result of 4 × 5 pixels."""
    labels = xr.DataArray(np.arange(20, dtype=np.uint8).reshape(4, 5) % 3, dims=("y", "x"))
    labels = labels.assign_coords(y=("y", np.arange(4) * 0.5, {"units": "µm"}), x=("x", np.arange(5.0)))
    confidence = labels.astype(np.float32).assign_attrs(units="1").rename("confidence")
    root = xr.Dataset({"labels": label_map(labels, {1: "film", 2: "hBN"}), "confidence": confidence})
    root.attrs = {"mapstack_version": "0", "recipe": "{}"}
    return write_result(xr.DataTree.from_dict({"/": root}), tmp_path / "r.zarr")


def test_a_stored_result_opens_as_its_label_map_and_confidence(result: Path) -> None:
    images = open_images(result)
    assert images.attrs["reader"] == "results"
    assert set(images.data_vars) == {"labels", "confidence"}
    assert images["labels"].dtype == np.uint8
    np.testing.assert_array_equal(images["labels"].values, np.arange(20).reshape(4, 5) % 3)
    assert describe(images)["coordinates"]["y"] == {"units": "µm", "first": 0.0, "last": 1.5, "size": 4}
    assert open_labels(result).attrs["flag_meanings"] == "film hBN"


def test_labels_of_a_folder_that_is_no_result_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no result with labels"):
        open_labels(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_label_maps_that_name_a_value_differently_are_refused(folder: Path):
    with fits.open(folder / "hard" / "frame_000_truth.fits", mode="update") as file:
        file[0].header["CLASS2"] = "warm"
    with pytest.raises(InputError, match="calls the value 2 'warm', another file 'hot_pixel'"):
        labels_of(folder)
