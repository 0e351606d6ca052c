"""Generic cubes: npy, npz, HDF5, NetCDF, Zarr, MATLAB and HyperSpy files open lazily with the right axes."""

import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
import zarr

from engine.errors import FileError, InputError
from engine.readers import describe, guard, open_images, source
from engine.readers.arrays import npy
from engine.readers.stack import guess_dims

Said = Callable[[xr.Dataset], list[str]]
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


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_is_opened_without_reading_its_values(
    tmp_path: Path, write: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source.Source, "__getitem__", lambda *_: pytest.fail("pixels were read"))
    (variable,) = open_images(tmp_path / write(tmp_path)).data_vars.values()
    assert variable.shape == CUBE.shape


@pytest.mark.parametrize("write", WRITERS[:5])
def test_a_file_cut_off_by_half_gives_one_sentence(tmp_path: Path, write: Callable[[Path], str]) -> None:
    path = tmp_path / write(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileError, match=path.name):
        open_images(path).load()


def test_reading_a_tile_of_a_large_npy_takes_only_the_memory_of_the_tile(tmp_path: Path) -> None:
    shape = (8, 2048, 1024)
    with (tmp_path / "large.npy").open("wb") as file:
        header = {"shape": shape, "fortran_order": False, "descr": "<f4"}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 4 * int(np.prod(shape)))
    tracemalloc.start()
    images = open_images(tmp_path / "large.npy", chunks={"y": 64})
    images["values"].data.blocks[0, 5, 0].compute(scheduler="sync")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * 8 * 64 * 1024 * 4


def test_fortran_order_and_big_endian_npy_are_read_by_value(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", np.asfortranarray(CUBE.astype(">i2")))
    images = open_images(tmp_path / "f.npy")
    assert images["values"].dtype == np.dtype("i2")
    np.testing.assert_array_equal(images["values"].values, CUBE)


def test_a_2_d_array_is_a_plain_image(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", CUBE[0])
    np.testing.assert_array_equal(open_images(tmp_path / "a.npy")["values"].values, CUBE[0])


@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((31, 512, 512), ("channel", "y", "x")),
        ((512, 500, 31), ("y", "x", "channel")),
        ((145, 145, 200), ("y", "x", "channel")),
        ((200, 145, 145), ("channel", "y", "x")),
        ((20, 300, 40), ("channel", "y", "x")),
        ((100, 80, 60), ("channel", "y", "x")),
        ((64, 64, 64), ("channel", "y", "x")),
        ((480, 640), ("y", "x")),
    ],
)
def test_axes_without_names_follow_the_stated_rule(shape: tuple[int, ...], dims: tuple[str, ...]) -> None:
    assert guess_dims(shape)[0] == dims


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


def test_an_hdf5_key_is_the_path_in_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"], file["other/data"] = CUBE, CUBE[0]
    images = open_images(f"{tmp_path}/a.h5::/entry/data")
    np.testing.assert_array_equal(images["data"].values, CUBE)
    assert images.attrs["source"].endswith("a.h5::/entry/data")
    with pytest.raises(InputError, match="entry/data, other/data"):
        open_images(tmp_path / "a.h5")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([[CUBE, None]], dtype=object))
    with pytest.raises(InputError, match="no 2-D or 3-D array of numbers"):
        open_images(tmp_path / "a.npz")


def test_an_hdf5_link_to_another_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = CUBE
    (tmp_path / "inside").mkdir()
    with h5py.File(tmp_path / "inside" / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink("../secret.h5", "data")
        file["soft"] = h5py.SoftLink("/link")
    for key in ("", "::link"):
        with pytest.raises(InputError, match=r"a.h5::link leads to another file"):
            open_images(f"{tmp_path}/inside/a.h5{key}")
    with pytest.raises(InputError, match="holds no 2-D or 3-D array"):
        open_images(f"{tmp_path}/inside/a.h5::soft")


def test_hdf5_data_stored_in_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(1000))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (10, 10), "u1", external=[(str(tmp_path / "secret"), 0, 100)])
    with pytest.raises(InputError, match="keeps its data in another file"):
        open_images(tmp_path / "a.h5")


@pytest.mark.parametrize("where", [".", ".."])
def test_a_virtual_hdf5_data_set_opens_only_from_its_own_folder(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    with h5py.File(folder / where / "part.h5", "w") as file:
        file["data"] = CUBE
    layout = h5py.VirtualLayout(CUBE.shape, "f4")
    layout[:] = h5py.VirtualSource(f"{where}/part.h5", "data", CUBE.shape)
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_virtual_dataset("cube", layout)
    if where == ".":
        np.testing.assert_array_equal(open_images(folder / "a.h5")["cube"].values, CUBE)
    else:
        with pytest.raises(InputError, match="files outside its folder"):
            open_images(folder / "a.h5")


def test_bombs_are_refused_by_their_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "HARMLESS_BYTES", 2**20)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (100_000, 100_000), "u1", chunks=(100, 100), compression="gzip")
    zarr.create_array(str(tmp_path / "a.zarr"), shape=(10**5, 10**5), chunks=(10, 10), dtype="u1")
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w") as f,
    ):
        np.lib.format.write_array_header_1_0(f, {"shape": (2, 2**23), "fortran_order": False, "descr": "|u1"})
        for _ in range(2 * 2**23 // 2**20):
            f.write(bytes(2**20))
    for name in ("a.h5", "a.zarr", "a.npz"):
        tracemalloc.start()
        with pytest.raises(InputError, match="damaged or hostile"):
            open_images(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
        tracemalloc.stop()


def test_an_npy_that_claims_more_than_its_bytes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"shape": (9**6, 9**6), "fortran_order": False, "descr": "<f8"}
        )
    with pytest.raises(FileError, match="ends before its last value"):
        open_images(tmp_path / "a.npy")


def test_a_zarr_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    zarr.save_array(str(tmp_path / "a.zarr"), CUBE)
    (tmp_path / "secret").write_bytes(bytes(1000))
    chunk = next(
        path for path in (tmp_path / "a.zarr").rglob("*") if path.is_file() and path.name != "zarr.json"
    )
    chunk.unlink()
    chunk.symlink_to(tmp_path / "secret")
    with pytest.raises(FileError, match="a link that leads out"):
        open_images(tmp_path / "a.zarr")


def test_a_zarr_codec_that_could_run_code_is_refused(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), data=CUBE, zarr_format=2, compressors=None)
    document = tmp_path / "a.zarr" / ".zarray"
    document.write_text(document.read_text().replace('"compressor": null', '"compressor": {"id": "pickle"}'))
    assert "pickle" in document.read_text()
    with pytest.raises(FileError, match=r"a\.zarr cannot be read"):
        open_images(tmp_path / "a.zarr")


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


def _write_hspy(path: Path, data: np.ndarray, axes: list[dict[str, Any]]) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("Experiments/Map 1")
        group["data"] = data
        for n, facts in enumerate(axes):
            group.create_group(f"axis-{n}").attrs.update(facts)


def test_a_hyperspy_spectrum_image_has_energies_in_ev_and_pixels_in_µm(tmp_path: Path) -> None:
    pixel = {"navigate": True, "scale": 20.0, "offset": 0.0, "units": "nm"}
    energy = {"navigate": False, "scale": 0.01, "offset": -0.1, "units": "keV"}
    _write_hspy(tmp_path / "a.hspy", CUBE.transpose(1, 2, 0), [pixel, pixel, energy])
    images = open_images(tmp_path / "a.hspy")
    assert images["values"].dims == ("energy", "y", "x")
    np.testing.assert_array_equal(images["values"].values, CUBE)
    np.testing.assert_allclose(images["energy"].values, [-100, -90, -80])
    assert images.attrs["title"] == "Map 1"
    assert describe(images)["pixel_size"] == {"y": 20.0, "x": 20.0, "units": "nm"}


def test_a_hyperspy_stack_of_images_has_the_dim_image(tmp_path: Path) -> None:
    axes = [{"navigate": True, "units": "s", "scale": 1.0}, {"navigate": False}, {"navigate": False}]
    _write_hspy(tmp_path / "a.hspy", CUBE, axes)
    images = open_images(tmp_path / "a.hspy")
    assert images["values"].dims == ("image", "y", "x")


def test_a_hyperspy_line_scan_is_refused(tmp_path: Path) -> None:
    _write_hspy(tmp_path / "a.hspy", CUBE[0], [{"navigate": True}, {"navigate": False}])
    with pytest.raises(InputError, match="neither an image nor a stack"):
        open_images(tmp_path / "a.hspy")


def test_stored_arrays_of_an_npz_are_read_by_byte_ranges(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", cube=CUBE)
    header = npy._npz_headers(tmp_path / "a.npz")["cube"]
    assert header.offset is not None
    raw = (tmp_path / "a.npz").read_bytes()[header.offset :]
    np.testing.assert_array_equal(np.frombuffer(raw[: CUBE.nbytes], "f4").reshape(CUBE.shape), CUBE)


def test_tiles_are_whole_stored_chunks_about_32_mb_large() -> None:
    tiles = source.tile_chunks((128, 128, 2048), 4, spectral=2, stored=(8, 8, 2048))
    assert tiles == (32, 128, 2048)
    assert source.tile_chunks((22, 4096, 4096), 4, spectral=0) == (22, 93, 4096)
    huge = source.tile_chunks((22, 8192, 8192), 4, spectral=0, stored=(1, 8192, 8192))
    assert np.prod(huge) * 4 <= source.MOST_TILE_BYTES


def test_a_file_replaced_after_opening_is_refused_not_shown(tmp_path: Path) -> None:
    path = tmp_path / write_npy(tmp_path)
    images = open_images(path)
    np.save(path, np.zeros((3, 8, 11), np.float32))
    with pytest.raises(FileError, match=r"a\.npy has changed since it was opened"):
        images.load()


@pytest.mark.parametrize(
    ("labels", "dim"), [(("y", "x", "energy"), "energy"), (("a", "b", "wl"), "wavelength")]
)
def test_the_names_of_hdf5_axes_are_used(tmp_path: Path, labels: tuple[str, ...], dim: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE.transpose(1, 2, 0)
        for n, label in enumerate(labels):
            file["cube"].dims[n].label = label
    images = open_images(tmp_path / "a.h5")
    assert images["cube"].dims == (dim, "y", "x")
    np.testing.assert_array_equal(images["cube"].values, CUBE)


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
