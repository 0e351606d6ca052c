"""Folders of frames, their labels, the sky they show, and the one intensity of whatever a file holds."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

import engine
from engine.__main__ import main
from engine.errors import FileError, InputError
from engine.preprocess.intensity import intensity
from engine.readers import digest
from engine.readers.description import header_number
from engine.readers.fits import image_units
from engine.readers.fits.image_units import Image as Image_
from engine.readers.fits.image_units import load
from engine.readers.fits.sky import sky_position, sky_text
from engine.readers.labels.label_files import labels_of, read_labels
from engine.schema import label_map
from engine.simulate.mosaic import CLASSES, Mosaic
from engine.statistics import agreement

Said = Callable[[xr.Dataset], list[str]]

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


def test_a_part_of_one_frame_reads_that_part_of_that_file(folder: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[str, tuple[slice, ...]]] = []

    def watched(path: Path, image: Image_, window: tuple[slice, ...]) -> np.ndarray:
        seen.append((path.name, window))
        return load(path, image, window)

    monkeypatch.setattr(image_units, "load", watched)
    images = engine.open(folder / "hard")
    assert seen == []
    part = images["values"][1, 3:9, 4:20].values
    np.testing.assert_array_equal(part, fits.getdata(folder / "hard" / "frame_001.fits")[3:9, 4:20])
    assert seen == [("frame_001.fits", (slice(3, 9, None), slice(4, 20, None)))]


def test_a_stack_has_what_all_frames_share(folder: Path):
    images = engine.open(folder)
    assert images["values"].attrs["units"] == "adu"
    assert header_number(images, "GAIN") == pytest.approx(1.3333)
    assert header_number(images, "FRAME") is None
    assert header_number(engine.open(folder / "easy" / "frame_001.fits"), "FRAME") == 1


def test_what_is_wrong_with_one_frame_is_said_with_its_name(folder: Path, warnings_of: Said):
    frame = folder / "easy" / "frame_001.fits"
    with fits.open(frame, mode="append") as file:
        file.append(fits.ImageHDU(np.zeros((64, 64), np.int16)))
    frame.write_bytes(frame.read_bytes()[:-5000])
    assert "easy/frame_001.fits: HDU 1 is cut off; copy the file again." in warnings_of(engine.open(folder))
    frame.write_bytes(frame.read_bytes()[:4000])
    with pytest.raises(FileError, match=r"frame_001\.fits"):
        engine.open(folder)


def test_hidden_folders_and_links_out_of_the_folder_are_no_frames(folder: Path, tmp_path: Path):
    inner = folder / "easy"
    (inner / "link.fits").symlink_to(folder / "hard" / "frame_000.fits")
    Mosaic(size=64, n_frames=1).write(inner / ".trash")
    assert engine.open(inner)["file"].values.tolist() == ["frame_000.fits", "frame_001.fits"]


def test_a_folder_of_cubes_is_refused(tmp_path: Path):
    fits.PrimaryHDU(np.zeros((3, 8, 8), np.int16)).writeto(tmp_path / "cube.fits")
    with pytest.raises(InputError, match=r"holds stacks, not frames \(cube.fits 3 × 8 × 8\)"):
        engine.open(tmp_path)


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


def test_labels_in_another_folder_are_found_by_name_and_missing_ones_are_told(folder: Path, tmp_path: Path):
    elsewhere = tmp_path / "labels"
    elsewhere.mkdir()
    source = folder / "easy"
    for number in (0, 1):
        (source / f"frame_00{number}_truth.fits").rename(elsewhere / f"frame_00{number}.fits")
    assert labels_of(source, labels=elsewhere).shape == (2, 64, 64)
    with pytest.raises(FileError, match=r"no labels for frame_000\.fits, frame_001\.fits; put them beside"):
        labels_of(source)


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


def test_labels_of_a_frame_may_be_a_picture_or_an_array_and_its_name_may_have_dots(tmp_path: Path):
    frame, values = tmp_path / "m13.v2.fits", np.eye(8, dtype=np.uint8)
    fits.PrimaryHDU(np.zeros((8, 8), np.int16)).writeto(frame)
    Image.fromarray(values).save(tmp_path / "m13.v2_label.png")
    np.testing.assert_array_equal(labels_of(frame), values)
    before = digest(tmp_path)
    (tmp_path / "m13.v2_label.png").unlink()
    assert digest(tmp_path) != before
    (tmp_path / "labels").mkdir()
    np.save(tmp_path / "labels" / "m13.v2.npy", values)
    np.testing.assert_array_equal(labels_of(frame, labels=tmp_path / "labels"), values)
    np.savez(tmp_path / "truth.npz", labels=values)
    np.testing.assert_array_equal(labels_of(frame, labels=tmp_path / "truth.npz"), values)


def test_label_maps_that_name_a_value_differently_are_refused(folder: Path):
    with fits.open(folder / "hard" / "frame_000_truth.fits", mode="update") as file:
        file[0].header["CLASS2"] = "warm"
    with pytest.raises(InputError, match="calls the value 2 'warm', another file 'hot_pixel'"):
        labels_of(folder)


def test_labels_stored_as_floats_keep_their_names_and_names_their_apostrophes(tmp_path: Path):
    header = fits.Header({"CLASS0": "sky", "CLASS1": "Newton's ring"})
    fits.PrimaryHDU(np.eye(8, dtype=np.float32), header).writeto(tmp_path / "a_label.fits")
    labels = read_labels(tmp_path / "a_label.fits")
    assert labels.dtype.kind == "i"
    assert labels.attrs["flag_meanings"] == "sky Newton's_ring"


def test_truth_is_scored_by_the_names_in_its_header(folder: Path):
    truth = read_labels(folder / "easy" / "frame_000_truth.fits")
    named = label_map((truth + 1).astype(np.uint8), dict(enumerate(CLASSES, 1)))
    assert agreement(named, truth)["accuracy"] == 1
    assert {row["name"] for row in agreement(named, truth)["classes"]} <= set(CLASSES)
    given = agreement(named, truth, names=["a", "b", "c", "d"][: len(np.unique(truth))])
    assert [row["name"] for row in given["classes"]] == ["a", "b", "c", "d"][: len(np.unique(truth))]


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
    picture = Image.fromarray(values)
    if mode == "P":
        picture = Image.fromarray(rng.integers(0, 256, (12, 15, 3), dtype=np.uint8)).convert("P")
        values = np.asarray(picture.convert("RGB"))
    picture.save(tmp_path / "frame.png")
    found = intensity(engine.open(tmp_path / "frame.png"))
    assert found.dims == ("y", "x")
    assert found.chunks is not None
    assert found.attrs["units"] == "1"
    assert found["x"].attrs["units"] == "px"
    if values.ndim == 3:
        np.testing.assert_allclose(found, values[..., :3] @ [0.299, 0.587, 0.114], rtol=1e-5)
    else:
        np.testing.assert_array_equal(found, values)


def test_the_numbers_of_a_picture_with_a_palette_stay(tmp_path: Path):
    picture = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    picture.putpalette([255, 0, 0, 0, 255, 0] * 6)
    picture.save(tmp_path / "labels.png")
    np.testing.assert_array_equal(engine.open(tmp_path / "labels.png")["values"], picture)


def test_what_holds_several_images_has_no_single_intensity():
    stack = xr.Dataset({"delta": (("wavelength", "y", "x"), np.zeros((11, 4, 4)))})
    with pytest.raises(InputError, match="there are 11 wavelengths; give a single frame"):
        intensity(stack)


def test_a_cube_of_three_measured_frames_is_no_colour_picture(tmp_path: Path):
    fits.PrimaryHDU(np.zeros((3, 8, 8), np.int16)).writeto(tmp_path / "cube.fits")
    with pytest.raises(InputError, match="there are 3 channels; give a single frame"):
        intensity(engine.open(tmp_path / "cube.fits"))


def test_a_folder_of_frames_has_no_single_intensity(folder: Path):
    with pytest.raises(InputError, match=r"these are 2 frames; give one of them, .*easy/frame_000\.fits"):
        intensity(engine.open(folder / "easy"))
