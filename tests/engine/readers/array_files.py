"""Writers of arrays in the formats of numpy, HDF5, netCDF, zarr and MATLAB."""

from pathlib import Path

import h5py
import numpy as np
import scipy.io
import xarray as xr
import zarr

CUBE = np.arange(3 * 8 * 10, dtype=np.float32).reshape(3, 8, 10)


def write_npy(path: Path) -> str:
    np.save(path / "a.npy", CUBE)
    return "a.npy"


def write_npz(path: Path) -> str:
    np.savez(path / "a.npz", cube=CUBE, names=np.array(["a", "b"]))
    return "a.npz"


def write_packed_npz(path: Path) -> str:
    np.savez_compressed(path / "a.npz", cube=CUBE)
    return "a.npz"


def write_hdf5(path: Path) -> str:
    with h5py.File(path / "a.h5", "w") as file:
        file.create_dataset("entry/cube", data=CUBE, chunks=(3, 4, 5), compression="gzip")
        file["name"] = "sample"
    return "a.h5"


def write_netcdf(path: Path) -> str:
    xr.Dataset({"cube": (("band", "row", "col"), CUBE)}).to_netcdf(path / "a.nc", engine="h5netcdf")
    return "a.nc"


def write_classic_netcdf(path: Path) -> str:
    xr.Dataset({"cube": (("band", "row", "col"), CUBE)}).to_netcdf(path / "a.nc", engine="scipy")
    return "a.nc"


def write_zarr(path: Path) -> str:
    zarr.save_array(str(path / "a.zarr"), CUBE)
    return "a.zarr"


def write_zarr_2(path: Path) -> str:
    zarr.create_array(str(path / "a.zarr"), data=CUBE, chunks=(1, 4, 5), zarr_format=2)
    return "a.zarr"


def write_named_zarr(path: Path) -> str:
    xr.Dataset({"cube": (("y", "x", "energy"), CUBE.transpose(1, 2, 0))}).to_zarr(
        path / "a.zarr", consolidated=False
    )
    return "a.zarr"


def write_matlab(path: Path) -> str:
    scipy.io.savemat(path / "a.mat", {"cube": CUBE.transpose(1, 2, 0)}, do_compression=True)
    return "a.mat"
