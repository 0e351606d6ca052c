"""Folders of frames, their labels, the sky they show, and the one intensity of whatever a file holds."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

import engine
from engine.errors import FileError, InputError
from engine.preprocess.intensity import intensity
from engine.readers import digest
from engine.readers.facts import header_number
from engine.readers.sky import sky_position, sky_text
from engine.readers.truth import labels_of, read_labels
from engine.simulate.mosaic import CLASSES, Mosaic

SKY = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 17.0,
    "CRPIX2": 9.0,
    "CRVAL1": 83.75,
    "CRVAL2": -5.5,
    "CDELT1": -1e-4,
    "CDELT2": 1e-4,
}


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


def test_the_digest_of_a_folder_covers_what_lies_in_subfolders(folder: Path):
    before = digest(folder)
    with fits.open(folder / "hard" / "frame_001_truth.fits", mode="update") as file:
        file[0].data[0, 0] = 3
    assert digest(folder) != before


def test_frames_of_amplifiers_are_put_together(tmp_path: Path):
    simulator = Mosaic(size=64, n_frames=2, n_amplifiers=4, seed=1)
    simulator.write(tmp_path)
    images = engine.open(tmp_path)
    expected = engine.open(f"{tmp_path}/frame_001.fits::mosaic")
    np.testing.assert_array_equal(images["values"][1], expected["values"])


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


def test_labels_in_another_folder_are_found_by_name_and_missing_ones_are_told(folder: Path, tmp_path: Path):
    elsewhere = tmp_path / "labels"
    elsewhere.mkdir()
    source = folder / "easy"
    for number in (0, 1):
        (source / f"frame_00{number}_truth.fits").rename(elsewhere / f"frame_00{number}.fits")
    assert labels_of(source, labels=elsewhere).shape == (2, 64, 64)
    with pytest.raises(FileError, match=r"no labels for frame_000\.fits, frame_001\.fits; put them beside"):
        labels_of(source)


def test_a_position_on_the_sky_is_that_of_astropy():
    header = fits.Header(SKY.items())
    for x, y in ((0, 0), (16, 8), (30.5, -3.25)):
        expected = [float(value) for value in WCS(header).pixel_to_world_values(x, y)]
        assert sky_position(json.dumps(SKY), x, y) == pytest.approx(expected, abs=1e-12)
    assert sky_text(json.dumps(SKY), 16, 8) == "RA 05h35m00.00s  Dec -05°30′00.0″"
    assert sky_position(json.dumps({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}), 0, 0) is None
    assert sky_text("", 0, 0) == ""


def test_the_gain_is_read_from_the_header(folder: Path):
    images = engine.open(folder / "easy" / "frame_000.fits")
    assert header_number(images, "GAIN") == pytest.approx(1.3333)
    assert header_number(images, "NONE") is None


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "P"])
def test_pictures_of_all_kinds_have_one_intensity(mode: str, tmp_path: Path):
    rng = np.random.default_rng(0)
    shape = (12, 15, len(mode)) if mode in ("RGB", "RGBA") else (12, 15)
    values = rng.integers(0, 256, shape).astype(np.uint16 if mode == "I;16" else np.uint8)
    picture = Image.fromarray(values).convert("P") if mode == "P" else Image.fromarray(values)
    picture.save(tmp_path / "frame.png")
    found = intensity(engine.open(tmp_path / "frame.png"))
    assert found.dims == ("y", "x")
    assert found.shape == (12, 15)
    if len(shape) == 3:
        np.testing.assert_allclose(found, values[..., :3] @ [0.299, 0.587, 0.114], rtol=1e-5)
    elif mode != "P":
        np.testing.assert_array_equal(found, values)


def test_what_holds_several_images_has_no_single_intensity():
    stack = xr.Dataset({"delta": (("wavelength", "y", "x"), np.zeros((11, 4, 4)))})
    with pytest.raises(InputError, match="there are 11 wavelengths; give a single frame"):
        intensity(stack)
