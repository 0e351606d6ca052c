"""Tests of `engine.readers.ellipsometry.ep4_folder`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import xarray as xr
from astropy.io import fits
from PIL import Image

import engine
from engine.errors import FileError, InputError, MapstackError
from engine.readers import describe, digest, open_images
from engine.readers.ellipsometry import ep4_folder as reader
from engine.readers.labels.label_files import labels_of
from engine.readers.labels.labelled_folder import list_labelled_images
from engine.simulate import ep4
from engine.simulate.mosaic import Mosaic
from tests.engine.readers.array_files import CUBE
from tests.engine.readers.damaged_files import mutations, outcome

Said = Callable[[xr.Dataset], list[str]]


def rewrite_table(folder: Path, change: Callable[[str], str | bytes]) -> None:
    table = folder / "m.ds.dat"
    changed = change(table.read_text(encoding="latin-1"))
    table.write_bytes(changed if isinstance(changed, bytes) else changed.encode("latin-1"))


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "C:\\secret.png", "..\\secret.png", "link.png"]
)
def test_a_listed_path_that_leaves_the_folder_is_not_opened(
    ep4_folder: Path, warnings_of: Said, name: str
) -> None:
    ep4.write_map(ep4_folder.parent / "secret.png", np.full((6, 5), 42, np.float32))
    (ep4_folder / "link.png").symlink_to(ep4_folder.parent / "secret.png")
    rewrite_table(ep4_folder, lambda text: text.replace("d1.png", name))
    images = open_images(ep4_folder)
    assert images["wavelength"].values.tolist() == [500.0, 520.0]
    assert "lies outside the folder" in warnings_of(images)[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _: "", "is empty"),
        (lambda text: "\n".join(text.split("\n")[:2]), "lists no maps"),
        (lambda text: text.replace("Delta", "Image"), "has no column delta"),
        (lambda text: text.replace(".png", ".jpg"), "no pair of maps of m.ds.dat can be opened"),
        (lambda _: bytes(range(256)), "has no column"),
    ],
)
def test_a_folder_of_which_nothing_can_be_opened_is_refused_with_the_reason(
    ep4_folder: Path, change: Any, sentence: str
) -> None:
    rewrite_table(ep4_folder, change)
    with pytest.raises(MapstackError, match=sentence):
        open_images(ep4_folder)


def test_files_are_the_table_the_sheet_and_the_listed_maps(ep4_folder: Path) -> None:
    (ep4_folder / "notes.txt").write_text("not of the measurement")
    names = {path.name for path in reader.files(ep4_folder)}
    assert names == {"m.ds.dat", "m.dsinfo.xml", *(f"{kind}{n}.png" for kind in "dp" for n in range(3))}


def test_a_folder_without_a_sheet_opens_with_a_warning(ep4_folder: Path, warnings_of: Said) -> None:
    (ep4_folder / "m.dsinfo.xml").unlink()
    assert "no *.dsinfo.xml beside the table" in warnings_of(open_images(ep4_folder))[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_the_digest_of_a_folder_covers_what_lies_in_subfolders(folder: Path):
    before = digest(folder)
    with fits.open(folder / "hard" / "frame_001_truth.fits", mode="update") as file:
        file[0].data[0, 0] = 3
    assert digest(folder) != before


def test_hidden_folders_and_links_out_of_the_folder_are_no_frames(folder: Path, tmp_path: Path):
    inner = folder / "easy"
    (inner / "link.fits").symlink_to(folder / "hard" / "frame_000.fits")
    Mosaic(size=64, n_frames=1).write(inner / ".trash")
    assert engine.open(inner)["file"].values.tolist() == ["frame_000.fits", "frame_001.fits"]


def test_a_folder_of_cubes_is_refused(tmp_path: Path):
    fits.PrimaryHDU(np.zeros((3, 8, 8), np.int16)).writeto(tmp_path / "cube.fits")
    with pytest.raises(InputError, match=r"holds stacks, not frames \(cube.fits 3 × 8 × 8\)"):
        engine.open(tmp_path)


def test_labels_in_another_folder_are_found_by_name_and_missing_ones_are_told(folder: Path, tmp_path: Path):
    elsewhere = tmp_path / "labels"
    elsewhere.mkdir()
    source = folder / "easy"
    for number in (0, 1):
        (source / f"frame_00{number}_truth.fits").rename(elsewhere / f"frame_00{number}.fits")
    assert labels_of(source, labels=elsewhere).shape == (2, 64, 64)
    with pytest.raises(FileError, match=r"no labels for frame_000\.fits, frame_001\.fits; put them beside"):
        labels_of(source)


def test_the_digest_of_a_folder_depends_on_the_measurement_alone(ep4_folder: Path) -> None:
    before = digest(ep4_folder)
    (ep4_folder / "notes.txt").write_text("written later")
    assert digest(ep4_folder) == before
    assert digest(f"{ep4_folder}::50").rpartition("-")[0] == before
    assert len({digest(f"{ep4_folder}{part}") for part in ("", "::50", "::60")}) == 3
    raw = bytearray((ep4_folder / "p2.png").read_bytes())
    raw[-1] ^= 1
    (ep4_folder / "p2.png").write_bytes(raw)
    assert digest(ep4_folder) != before


@pytest.mark.real
def test_the_real_hbn_folder_has_the_known_values(hbn: Path) -> None:
    images = open_images(hbn)
    delta = images["delta"].values[0]
    assert delta.shape == (260, 344)
    found = [np.nanmin(delta), np.nanmedian(delta), np.nanmax(delta)]
    np.testing.assert_allclose(found, [51.02, 141.34, 228.81], atol=0.006)
    assert int(np.isnan(delta).sum()) == 2792
    assert describe(images)["nan_share"] == pytest.approx(0.0679, abs=5e-5)
    assert images["wavelength"].values.tolist() == list(range(550, 801, 25))
    assert images.attrs["objective"] == "Nikon_20x"
    assert images.attrs["comment"].startswith("Demo sample from MIT")
    assert images.attrs["delta_wrapping"] == "0-360°"
    assert json.loads(images.attrs["warnings"]) == []


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


GREY = np.random.default_rng(0).integers(0, 255, (40, 60)).astype(np.uint8)


def save(path: Path, values: np.ndarray = GREY, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, values, **options)
    else:
        Image.fromarray(values).save(path, **options)
    return path


def column(path: Path, name: str, **options) -> dict[str, object]:
    table = list_labelled_images(path, **options)
    return dict(zip(table["file"].values.tolist(), table[name].values.tolist(), strict=True))


def test_the_folder_below_is_the_class_but_not_that_of_a_split(tmp_path: Path) -> None:
    for name in ("Tips/a_10.png", "Tips/a_9.png", "train/Fibres/b.jpg", "test/Tips/deep/c.tif", "d.bmp"):
        save(tmp_path / name)
    assert column(tmp_path, "label") == {
        "Tips/a_9.png": "Tips",
        "Tips/a_10.png": "Tips",
        "d.bmp": "",
        "test/Tips/deep/c.tif": "Tips",
        "train/Fibres/b.jpg": "Fibres",
    }
    assert column(tmp_path, "parent")["Tips/a_9.png"] == "Tips/a_9.png"


def test_a_folder_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; give one micrograph"):
        open_images(tmp_path, reader="micrograph")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["d0.png", "m.ds.dat", "m.dsinfo.xml"])
def test_a_damaged_ellipsometry_folder_gives_images_or_one_sentence(ep4_folder: Path, name: str) -> None:
    outcomes = []
    for changed in mutations((ep4_folder / name).read_bytes(), seed=7):
        (ep4_folder / name).write_bytes(changed)
        outcomes.append(outcome(ep4_folder))
    assert all("\n" not in text for text in outcomes)
    assert (set(outcomes) == {"opened"}) is (name != "m.ds.dat")
