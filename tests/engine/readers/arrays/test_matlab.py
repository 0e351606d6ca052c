"""Tests of `engine.readers.arrays.matlab`."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from engine.readers import open_images
from tests.engine.readers.array_files import CUBE


def test_a_matlab_matrix_of_bands_by_pixels_is_folded_down_the_columns(tmp_path: Path) -> None:
    flat = CUBE.transpose(0, 2, 1).reshape(3, 80)
    sizes = {"nRow": 8, "nCol": 10}
    for name, matrix in (("bands_first", flat), ("pixels_first", flat.T)):
        scipy.io.savemat(tmp_path / f"{name}.mat", {"Y": matrix, **sizes})
        images = open_images(tmp_path / f"{name}.mat")
        assert images["Y"].dims == ("channel", "y", "x")
        np.testing.assert_array_equal(images["Y"].values, CUBE)


@pytest.mark.parametrize("unfolded", [True, False])
def test_matlab_7_3_is_read_as_matlab_sees_it(tmp_path: Path, unfolded: bool) -> None:
    matrix = CUBE.transpose(0, 2, 1).reshape(3, 80) if unfolded else CUBE.transpose(1, 2, 0)
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["Y"] = matrix.T
        file["nRow"], file["nCol"] = [[8.0]], [[10.0]]
    with (tmp_path / "a.mat").open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" "))
    images = open_images(tmp_path / "a.mat")
    assert images.attrs["reader"] == "matlab"
    np.testing.assert_array_equal(images["Y"].values, CUBE)
