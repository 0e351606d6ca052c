"""Generic cubes: npy, npz, HDF5, NetCDF, Zarr, MATLAB and HyperSpy files open lazily with the right axes."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from engine.errors import FileError, InputError
from engine.readers import open_images
from tests.engine.readers.array_files import (
    CUBE,
    write_classic_netcdf,
    write_hdf5,
    write_matlab,
    write_named_zarr,
    write_netcdf,
    write_npy,
    write_npz,
    write_packed_npz,
    write_zarr,
    write_zarr_2,
)

Said = Callable[[xr.Dataset], list[str]]


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
def test_every_format_gives_the_cube_back_lazily_with_the_spectral_dim_first_and_whole(
    tmp_path: Path, write: Callable[[Path], str]
) -> None:
    images = open_images(tmp_path / write(tmp_path))
    (name,) = images.data_vars
    variable = images[name]
    assert variable.dims[1:] == ("y", "x")
    assert variable.chunks is not None
    assert len(variable.chunks[0]) == 1
    assert variable.dtype == np.float32
    np.testing.assert_array_equal(variable.values, CUBE)
    assert {variable.attrs["units"], images["y"].attrs["units"], images["x"].attrs["units"]} == {"1", "px"}
    assert images[variable.dims[0]].attrs["units"]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("index", [np.s_[1], np.s_[::-1, 2:5, ::-3], np.s_[:, 3, [0, 7, 2]], np.s_[0:0]])
def test_every_format_gives_any_selection(tmp_path: Path, write: Callable[[Path], str], index: Any) -> None:
    images = open_images(tmp_path / write(tmp_path), chunks={"y": 4, "x": 5})
    (variable,) = images.data_vars.values()
    np.testing.assert_array_equal(variable.data[index].compute(), CUBE[index])


@pytest.mark.parametrize("write", WRITERS)
def test_every_lazy_array_can_be_sent_to_a_worker(tmp_path: Path, write: Callable[[Path], str]) -> None:
    images = open_images(tmp_path / write(tmp_path))
    (variable,) = pickle.loads(pickle.dumps(images)).data_vars.values()  # noqa: S301
    np.testing.assert_array_equal(variable.values, CUBE)


@pytest.mark.parametrize("write", WRITERS[:5])
def test_a_file_cut_off_by_half_gives_one_sentence(tmp_path: Path, write: Callable[[Path], str]) -> None:
    path = tmp_path / write(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileError, match=path.name):
        open_images(path).load()


def test_a_2_d_array_is_a_plain_image(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", CUBE[0])
    np.testing.assert_array_equal(open_images(tmp_path / "a.npy")["values"].values, CUBE[0])


def test_the_decision_about_axes_is_told(tmp_path: Path, warnings_of: Said) -> None:
    np.save(tmp_path / "a.npy", CUBE)
    assert "3 × 8 × 10 array have no names: the first one" in warnings_of(open_images(tmp_path / "a.npy"))[0]


def test_of_several_arrays_one_must_be_named_and_the_error_lists_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", cube=CUBE, image=CUBE[0], vector=CUBE[0, 0])
    with pytest.raises(InputError, match=r"several arrays: cube, image; name one, as in a.npz::cube"):
        open_images(tmp_path / "a.npz")
    with pytest.raises(InputError, match="no array 'labels'; there are: cube, image"):
        open_images(f"{tmp_path}/a.npz::labels")
    assert open_images(f"{tmp_path}/a.npz::image")["values"].dims == ("y", "x")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([[CUBE, None]], dtype=object))
    with pytest.raises(InputError, match="no 2-D or 3-D array of numbers"):
        open_images(tmp_path / "a.npz")


def test_a_file_replaced_after_opening_is_refused_not_shown(tmp_path: Path) -> None:
    path = tmp_path / write_npy(tmp_path)
    images = open_images(path)
    np.save(path, np.zeros((3, 8, 11), np.float32))
    with pytest.raises(FileError, match=r"a\.npy has changed since it was opened"):
        images.load()
