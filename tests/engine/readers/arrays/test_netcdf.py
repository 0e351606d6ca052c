"""Tests of `engine.readers.arrays.netcdf`."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.readers import open_images
from tests.engine.readers.array_files import (
    CUBE,
    write_netcdf,
)


def test_netcdf_keeps_wavelengths_and_their_units(tmp_path: Path) -> None:
    coords = {"wl": ("wl", [0.5, 0.6, 0.7], {"units": "µm"}), "y": np.arange(8) * 0.5}
    cube = (("y", "x", "wl"), CUBE.transpose(1, 2, 0), {"units": "adu"})
    xr.Dataset({"delta": cube, "psi": cube}, coords).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    images = open_images(tmp_path / "a.nc")
    assert list(images.data_vars) == ["delta", "psi"]
    assert images["psi"].dims == ("wavelength", "y", "x")
    assert images["psi"].attrs["units"] == "adu"
    assert images["wavelength"].attrs["units"] == "µm"
    np.testing.assert_array_equal(images["y"].values, np.arange(8) * 0.5)


def test_netcdf_variables_of_different_dims_need_a_key(tmp_path: Path) -> None:
    dataset = xr.Dataset({"cube": (("wl", "y", "x"), CUBE), "map": (("y", "x"), CUBE[0])})
    dataset.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="several arrays: cube, map"):
        open_images(tmp_path / "a.nc")
    np.testing.assert_array_equal(open_images(f"{tmp_path}/a.nc::map")["map"].values, CUBE[0])


def test_netcdf_that_leads_to_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / write_netcdf(tmp_path)
    with h5py.File(path, "r+") as file:
        file["link"] = h5py.ExternalLink("/etc/other.h5", "data")
    with pytest.raises(InputError, match="link leads to another file"):
        open_images(path)
