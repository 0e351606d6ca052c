"""Opening by path: who reads what, keys, digests, facts, and what cannot be opened."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from engine import catalogue
from engine.errors import FileError, InputError
from engine.export.store import write_result
from engine.readers import open_images
from engine.schema import label_map


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A stored result of 4 × 5 pixels."""
    labels = xr.DataArray(np.arange(20, dtype=np.uint8).reshape(4, 5) % 3, dims=("y", "x"))
    labels = labels.assign_coords(y=("y", np.arange(4) * 0.5, {"units": "µm"}), x=("x", np.arange(5.0)))
    confidence = labels.astype(np.float32).assign_attrs(units="1").rename("confidence")
    root = xr.Dataset({"labels": label_map(labels, {1: "film", 2: "hBN"}), "confidence": confidence})
    root.attrs = {"mapstack_version": "0", "recipe": "{}"}
    return write_result(xr.DataTree.from_dict({"/": root}), tmp_path / "r.zarr")


@pytest.mark.parametrize("name", ["nothing.npy", "nothing.npy::key", "a\0b", "", "https://example.org/a.npy"])
def test_what_does_not_exist_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="does not exist"):
        open_images(f"{tmp_path}/{name}" if name and ":/" not in name else name)


def test_an_unknown_format_lists_the_formats(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(
        InputError, match=r"a\.txt is of no format that Mapstack knows; there are: results, ell"
    ):
        open_images(tmp_path / "a.txt")


@pytest.mark.parametrize("name", ["a.npy", "a.h5", "a.tif", "a.hspy", "a.png", "a.mat"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(FileError, match=f"{name} is empty"):
        open_images(tmp_path / name)


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(FileError, match="neither a file nor a folder"):
        open_images(tmp_path / "pipe.npy")


def test_names_with_spaces_umlauts_and_newlines_open(tmp_path: Path) -> None:
    path = tmp_path / "Prüf ling\n1.npy"
    np.save(path, np.ones((4, 5)))
    assert open_images(path).attrs["source"] == str(path)


def test_a_named_reader_is_used_and_a_wrong_one_fails_with_one_sentence(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 5)))
    (tmp_path / "a.npy").rename(tmp_path / "a.dat")
    assert open_images(tmp_path / "a.dat", reader="npy").sizes == {"y": 4, "x": 5}
    with pytest.raises(FileError, match=r"a\.dat cannot be read"):
        open_images(tmp_path / "a.dat", reader="hdf5")


def test_chunks_set_the_tiles(ep4_folder: Path) -> None:
    images = open_images(ep4_folder, chunks={"y": 2, "x": 3})
    assert images["delta"].chunks == ((3,), (2, 2, 2), (3, 2))


def test_a_part_of_a_result_cannot_be_opened_as_images(result: Path) -> None:
    with pytest.raises(InputError, match=r"r.zarr is a result, 'spectra' cannot be opened"):
        open_images(f"{result}::spectra")


def test_every_reader_module_is_in_the_catalogue() -> None:
    import engine.readers

    folder = Path(str(engine.readers.__file__)).parent
    found = [p for p in folder.rglob("*.py") if "\ndef accepts(" in p.read_text()]
    readers = {".".join(("engine.readers", *p.relative_to(folder).with_suffix("").parts)) for p in found}
    assert readers == set(catalogue.READERS.values())


@pytest.mark.real
def test_the_real_jasper_ridge_cube_lies_as_its_labels_do(shared: Path) -> None:
    folder = shared / "data" / "hyperspectral" / "jasper_ridge"
    cube = open_images(folder / "jasperRidge2_R198.mat")["Y"]
    labels = open_images(f"{folder}/labels.npz::labels")["values"].values
    assert cube.dims == ("channel", "y", "x")
    assert cube.shape == (198, 100, 100)

    def share_within(values: np.ndarray) -> float:
        parts = [values[:, labels == k] for k in range(1, 5)]
        within = sum(float(((part - part.mean(1, keepdims=True)) ** 2).sum()) for part in parts)
        return within / float(((values - values.mean((1, 2), keepdims=True)) ** 2).sum())

    assert share_within(cube.values) < 0.2
    assert share_within(cube.values.transpose(0, 2, 1)) > 0.8


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "sizes", "units"),
    [
        ("sio2_eds/SiO2_EDS_Spectrum_Image.hspy", {"energy": 2048, "y": 128, "x": 128}, ["eV", "µm", "µm"]),
        ("sio2_eds/SiO2_HAADF_Image.hspy", {"y": 128, "x": 128}, ["µm", "µm"]),
        (
            "graphene_optical/images/7_data0001_normalized.jpg",
            {"channel": 3, "y": 100, "x": 100},
            ["1", "px", "px"],
        ),
    ],
)
def test_the_other_real_cubes_open(shared: Path, path: str, sizes: dict[str, int], units: list[str]) -> None:
    images = open_images(shared / "data" / "hyperspectral" / path)
    assert dict(images.sizes) == sizes
    assert [images[dim].attrs["units"] for dim in sizes] == units
    values: Any = images["values"]
    assert float(values[..., :4, :4].max().compute()) > 0
