"""Tests of `engine.readers.fits.frame_folder`."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import engine
from engine.__main__ import main
from engine.errors import InputError
from engine.preprocess.intensity import intensity
from engine.readers import open_images
from engine.readers.description import header_number
from engine.readers.labels.label_files import labels_of, read_labels
from engine.simulate.mosaic import CLASSES, Mosaic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_a_folder_of_frames_is_a_stack_in_the_order_of_names_without_the_labels(folder: Path):
    images = engine.open(folder)
    assert images["values"].dims == ("image", "y", "x")
    names = ["easy/frame_000.fits", "easy/frame_001.fits", "hard/frame_000.fits", "hard/frame_001.fits"]
    assert images["file"].values.tolist() == names
    for number, name in enumerate(names):
        np.testing.assert_array_equal(images["values"][number], fits.getdata(folder / name))


def test_frames_of_amplifiers_are_put_together(tmp_path: Path):
    simulator = Mosaic(size=64, n_frames=2, n_amplifiers=4, seed=1)
    simulator.write(tmp_path)
    images = engine.open(tmp_path)
    expected = engine.open(f"{tmp_path}/frame_001.fits::mosaic")
    np.testing.assert_array_equal(images["values"][1], expected["values"])


def test_a_stack_has_what_all_frames_share(folder: Path):
    images = engine.open(folder)
    assert images["values"].attrs["units"] == "adu"
    assert header_number(images, "GAIN") == pytest.approx(1.3333)
    assert header_number(images, "FRAME") is None
    assert header_number(engine.open(folder / "easy" / "frame_001.fits"), "FRAME") == 1


def test_info_describes_a_folder_of_frames(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["info", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["reader"], facts["sizes"]) == ("frames", {"image": 4, "y": 64, "x": 64})


def test_frames_of_different_shapes_are_refused(folder: Path):
    Mosaic(size=32, n_frames=1, seed=1).write(folder / "other")
    with pytest.raises(InputError, match="frames of different shapes"):
        engine.open(folder)


def test_labels_lie_beside_the_frames_and_name_their_classes(folder: Path):
    labels = labels_of(folder)
    assert labels.shape == (4, 64, 64)
    assert labels.attrs["flag_meanings"].split() == list(CLASSES)
    np.testing.assert_array_equal(labels[3], fits.getdata(folder / "hard" / "frame_001_truth.fits"))
    one = labels_of(folder / "easy" / "frame_000.fits")
    np.testing.assert_array_equal(one, read_labels(folder / "easy" / "frame_000_truth.fits"))
    np.testing.assert_array_equal(read_labels(folder)[0], one)


def test_a_folder_of_frames_has_no_single_intensity(folder: Path):
    with pytest.raises(InputError, match=r"these are 2 frames; give one of them, .*easy/frame_000\.fits"):
        intensity(engine.open(folder / "easy"))


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["real/M13_blue_0001", "real/a8280271", "semireal_A1", "semireal_A2", "semireal_A1_label"]
)
def test_real_frames_are_astropys_bit_for_bit(shared: Path, name: str) -> None:
    path = shared / "data" / "ccd" / f"{name}.fits"
    with fits.open(path, memmap=False) as hdus:
        expected = hdus[0].data
        assert open_images(path)["values"].dtype == expected.dtype.newbyteorder("=")
        np.testing.assert_array_equal(open_images(path, chunks={"y": 100})["values"].values, expected)
