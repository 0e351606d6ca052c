"""Tests of `engine.readers.labels.label_files`."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from PIL import Image

from engine.errors import FileError, InputError
from engine.readers.labels.label_files import labels_of, read_labels
from engine.schema import class_names
from engine.simulate.mosaic import Mosaic

LABELS = np.array([[0, 1, 2], [2, 2, 1]], np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    Image.fromarray(LABELS).save(tmp_path / "t.png")
    tifffile.imwrite(tmp_path / "t.tif", LABELS)
    fits.PrimaryHDU(LABELS.astype(np.int16)).writeto(tmp_path / "t.fits")
    np.save(tmp_path / "t.npy", LABELS.astype(float))
    np.savez(tmp_path / "t.npz", labels=LABELS, names=np.array(["substrate", "thin film"]))
    return {path.suffix: path for path in tmp_path.iterdir()}


@pytest.mark.parametrize("suffix", [".png", ".tif", ".fits", ".npy", ".npz"])
def test_a_label_map_reads_alike_from_every_format(files: dict[str, Path], suffix: str) -> None:
    labels = read_labels(files[suffix])
    assert labels.dims == ("y", "x")
    assert labels.dtype.kind in "ui"
    np.testing.assert_array_equal(labels, LABELS)


def test_names_in_an_npz_become_the_classes_names(files: dict[str, Path]) -> None:
    assert class_names(read_labels(files[".npz"])) == {1: "substrate", 2: "thin_film"}


def test_what_is_no_label_map_is_refused_with_one_sentence(tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", np.zeros((2, 3, 4)))
    np.save(tmp_path / "half.npy", np.full((2, 2), 0.5))
    np.savez(tmp_path / "other.npz", a=LABELS)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nonsense")
    (tmp_path / "note.txt").write_text("1 2 3")
    (tmp_path / "note.md").write_text("1 2 3")
    for name, kind, what in (
        ("cube.npy", InputError, "expected one value a pixel"),
        ("half.npy", InputError, "no whole numbers"),
        ("other.npz", InputError, "expected one called 'labels'"),
        ("broken.png", FileError, "cannot read labels from"),
        ("note.txt", InputError, "note.txt has no section 'Radius Size:'"),
        ("note.md", InputError, "is no label map"),
        ("none.png", FileError, "does not exist"),
    ):
        with pytest.raises(kind, match=what):
            read_labels(tmp_path / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_labels_that_are_not_where_they_should_be_are_not_looked_for_elsewhere(folder: Path):
    frame = folder / "easy" / "frame_000.fits"
    with pytest.raises(FileError, match="elsewhere does not exist"):
        labels_of(frame, labels=folder / "elsewhere")
    with pytest.raises(InputError, match="is one label map, easy holds several frames"):
        labels_of(folder / "easy", labels=folder / "easy" / "frame_000_truth.fits")
    (folder / "easy" / "frame_000_truth.fits").unlink()
    Mosaic(size=64, n_frames=1).write(folder)
    with pytest.raises(FileError, match=r"no labels for frame_000\.fits"):
        labels_of(folder)


def test_labels_stored_as_floats_keep_their_names_and_names_their_apostrophes(tmp_path: Path):
    header = fits.Header({"CLASS0": "sky", "CLASS1": "Newton's ring"})
    fits.PrimaryHDU(np.eye(8, dtype=np.float32), header).writeto(tmp_path / "a_label.fits")
    labels = read_labels(tmp_path / "a_label.fits")
    assert labels.dtype.kind == "i"
    assert labels.attrs["flag_meanings"] == "sky Newton's_ring"
