"""Tests of `engine.readers.source`."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
import zarr

from engine.readers import open_images, source

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


WRITERS = [
    write_npy,
    write_npz,
    write_packed_npz,
    write_hdf5,
    write_netcdf,
    write_classic_netcdf,
    write_zarr,
    write_zarr_2,
    write_named_zarr,
    write_matlab,
]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_is_opened_without_reading_its_values(
    tmp_path: Path, write: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source.Source, "__getitem__", lambda *_: pytest.fail("pixels were read"))
    (variable,) = open_images(tmp_path / write(tmp_path)).data_vars.values()
    assert variable.shape == CUBE.shape


def test_tiles_are_whole_stored_chunks_about_32_mb_large() -> None:
    tiles = source.tile_chunks((128, 128, 2048), 4, spectral=2, stored=(8, 8, 2048))
    assert tiles == (32, 128, 2048)
    assert source.tile_chunks((22, 4096, 4096), 4, spectral=0) == (22, 93, 4096)
    huge = source.tile_chunks((22, 8192, 8192), 4, spectral=0, stored=(1, 8192, 8192))
    assert np.prod(huge) * 4 <= source.MOST_TILE_BYTES


def test_the_title_reader_source_and_warnings_are_always_there(tmp_path: Path) -> None:
    np.save(tmp_path / "sample.npy", np.ones((4, 5)))
    attrs = open_images(tmp_path / "sample.npy").attrs
    assert attrs == {"title": "sample", "reader": "npy", "source": f"{tmp_path}/sample.npy", "warnings": "[]"}
