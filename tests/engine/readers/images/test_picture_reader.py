"""Tests of `engine.readers.images.picture_reader`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import xarray as xr
from astropy.io import fits
from PIL import Image

import engine
from engine.errors import FileError, InputError
from engine.preprocess.intensity import intensity
from engine.readers import describe, digest, open_images
from engine.readers.labels.label_files import labels_of
from engine.readers.labels.labelled_folder import list_labelled_images, read_gray
from engine.simulate import ep4
from tests.engine.readers.sem_texts import FEI, HITACHI, write

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


def test_a_jpeg_with_other_data_behind_it_is_complete(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes() + b"\0" * 500)
    behind = save(tmp_path / "b.png")
    behind.write_bytes(behind.read_bytes() + b"\0" * 5000)
    problems = column(tmp_path, "problem")
    assert problems["a.jpg"] == ""
    assert "copy it again" in problems["b.png"]  # more behind it than it holds itself


def test_masks_beside_images_hidden_files_and_links_that_lead_out_are_no_pictures(tmp_path: Path) -> None:
    outside = save(tmp_path / "outside.png")
    for name in ("in/images/a.png", "in/masks/a.png", "in/.hidden/a.png", "in/.a.png"):
        save(tmp_path / name)
    (tmp_path / "in" / "link.png").symlink_to(outside)
    assert list(column(tmp_path / "in", "label")) == ["images/a.png"]


def test_one_picture_and_an_empty_folder_are_tables_too(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    assert column(path, "problem") == {"a.png": ""}
    (tmp_path / "none").mkdir()
    assert list_labelled_images(tmp_path / "none").sizes["image"] == 0


def test_deep_pictures_keep_their_levels(tmp_path: Path) -> None:
    deep = (GREY.astype(np.uint16) * 257)[:, ::-1]
    for suffix in (".png", ".tif"):
        np.testing.assert_array_equal(read_gray(save(tmp_path / f"a{suffix}", deep)), deep)


def test_a_truncated_picture_is_one_sentence(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif", ".bmp"):
        path = save(tmp_path / f"a{suffix}")
        path.write_bytes(path.read_bytes()[:-600])
        with pytest.raises(FileError, match="copy it again") as caught:
            read_gray(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileError, match="does not exist"):
        read_gray(tmp_path / "none.png")


@pytest.mark.real
def test_every_real_picture_opens_and_has_its_label(shared: Path) -> None:
    folder = shared / "data" / "sem"
    table = list_labelled_images(folder)
    assert table["problem"].values.tolist() == [""] * 20
    assert (table["label"] != "").sum() == 19
    for file in table["file"].values:
        found = read_gray(folder / str(file))
        assert found.ndim == 2
        assert np.isfinite(found).all()


JEOL = (
    "$CM_FORMAT JEOL-SEM\r\n$CM_VERSION 1.0\r\n$CM_INSTRUMENT JSM-7600F\r\n$CM_SIGNAL SEI\r\n$CM_MAG 5000\r\n"
    "$CM_ACCEL_VOLT 15.0\r\n$CM_FULL_SIZE 32 20\r\n$$SM_MICRON_BAR 160\r\n$$SM_MICRON_MARKER 4um\r\n"
    "$$SM_WD 8.2\r\n"
)


def facts(path: Path) -> dict[str, object]:
    """Steps of y and x, units and attrs of an opened picture."""
    images = open_images(path)
    names = ("magnification", "voltage", "working_distance", "detector", "instrument")
    steps = {dim: float(images[dim][1] - images[dim][0]) for dim in ("y", "x")}
    kept = {name: images.attrs[name] for name in names if name in images.attrs}
    return {
        **steps,
        "units": images["x"].attrs["units"],
        **kept,
        "notes": json.loads(images.attrs["warnings"]),
    }


def taken(scale: tuple[float, float], magnification: float, voltage: float, wd: float, *names: str):
    return {
        "y": pytest.approx(scale[0]),
        "x": pytest.approx(scale[1]),
        "units": "nm",
        "magnification": pytest.approx(magnification),
        "voltage": pytest.approx(voltage),
        "working_distance": pytest.approx(wd),
        "detector": names[0],
        "instrument": names[1],
        "notes": [],
    }


@pytest.mark.parametrize("tag", [34680, 34682])
def test_fei_tags_give_pixel_size_and_how_the_picture_was_taken(tmp_path: Path, tag: int) -> None:
    path = write(tmp_path / "a.tif", tag=tag, text=FEI)
    assert facts(path) == taken((250.0, 200.0), 0.4 / 6.4e-6, 5.0, 4.1, "TLD", "Helios G4")


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".bmp"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HITACHI, taken((19.84375, 19.84375), 5000, 15, 8.1, "SE(U)", "Hitachi SU8010")),
        (JEOL, taken((25.0, 25.0), 5000, 15, 8.2, "SEI", "JEOL JSM-7600F")),
    ],
)
def test_a_text_beside_a_picture_tells_the_same(
    tmp_path: Path, suffix: str, text: str, expected: dict[str, object]
) -> None:
    assert facts(write(tmp_path / f"a{suffix}", beside=text)) == expected


def test_a_text_in_utf_16_is_read_and_is_part_of_what_the_picture_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", beside=HITACHI.encode("utf-16"))
    assert facts(path)["x"] == pytest.approx(19.84375)
    before = digest(path)
    path.with_suffix(".txt").write_text(HITACHI.replace("19.84375", "20"))
    assert digest(path) != before


@pytest.mark.parametrize("text", ["PixelSize=3\n$ 5 a piece\n", b"\xff\xfe$CM_", b"\0"])
def test_another_text_beside_a_picture_says_nothing(tmp_path: Path, text: str | bytes) -> None:
    found = facts(write(tmp_path / "a.png", beside=text))
    assert (found["x"], found["units"], found["notes"]) == (1.0, "px", [])


def test_the_pixel_size_of_a_picture_of_another_width_is_told_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", tag=34682, text=FEI.replace("ResolutionX=32", "ResolutionX=64"))
    found = facts(path)
    assert (found["units"], found["detector"]) == ("px", "TLD")
    assert "64 pixels wide, and this one has 32" in found["notes"][0]


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("biological/fei-sem-rbc.tif", taken((7.70833, 7.70833), 35000, 2, 9.65589, "ETD", "Teneo")),
        ("fibres/fibar_10k.tif", taken((29.29687, 29.29687), 10000, 25, 8.74, "SE1", "Zeiss EVO 15")),
        ("fibres/fibar_2k.tif", taken((146.4844, 146.4844), 2000, 20, 7.61, "SE1", "Zeiss EVO 15")),
    ],
)
def test_real_pictures_tell_what_their_data_bars_show(
    shared: Path, name: str, expected: dict[str, object]
) -> None:
    assert facts(shared / "data" / "sem" / name) == expected


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


def test_a_cube_of_three_measured_frames_is_no_colour_picture(tmp_path: Path):
    fits.PrimaryHDU(np.zeros((3, 8, 8), np.int16)).writeto(tmp_path / "cube.fits")
    with pytest.raises(InputError, match="there are 3 channels; give a single frame"):
        intensity(engine.open(tmp_path / "cube.fits"))


Said = Callable[[xr.Dataset], list[str]]


CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


def test_pictures_open_grey_as_an_image_and_coloured_as_channels(tmp_path: Path, warnings_of: Said) -> None:
    grey, colours = CUBE[0].astype(np.uint8), CUBE.transpose(1, 2, 0).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(colours).convert("RGBA").save(tmp_path / "colours.png")
    Image.fromarray(CUBE[1]).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(open_images(tmp_path / "grey.png")["values"].values, grey)
    images = open_images(tmp_path / "colours.png")
    np.testing.assert_array_equal(images["values"].values, CUBE.astype(np.uint8))
    assert "transparency was left out" in warnings_of(images)[0]
    np.testing.assert_array_equal(open_images(tmp_path / "deep.png")["values"].values, CUBE[1])


def test_a_picture_of_one_bit_is_of_the_dtype_that_it_says(tmp_path: Path) -> None:
    Image.fromarray(CUBE[0] % 3 == 0).save(tmp_path / "a.png")
    images = open_images(tmp_path / "a.png")
    assert images["values"].values.dtype == images["values"].dtype == np.uint8
    np.testing.assert_array_equal(images["values"].values, CUBE[0] % 3 == 0)


def test_one_map_of_an_ellipsometer_is_refused_as_a_picture(tmp_path: Path) -> None:
    ep4.write_map(tmp_path / "a.png", np.ones((4, 5), np.float32))
    with pytest.raises(InputError, match="open the folder that it lies in"):
        open_images(tmp_path / "a.png")


def test_only_the_8_bit_picture_is_opened_with_0_as_no_data_and_a_warning(
    ep4_folder: Path, warnings_of: Said
) -> None:
    Image.fromarray(np.array([[0, 7, 255]] * 6, np.uint8).repeat(2, axis=1)[:, :5]).save(
        ep4_folder / "p1.png"
    )
    images = open_images(ep4_folder)
    assert images["psi"].dtype == np.float32
    np.testing.assert_array_equal(images["psi"].values[1, 0], [np.nan, np.nan, 7, 7, 255])
    assert "1 of 6 maps hold only the 8-bit picture" in warnings_of(images)[0]
    assert describe(images)["nan_share"] == pytest.approx(13 / 30)


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("scottlab_au_cdse/gen_30_0_image.png", (132, 133)),
        ("cdse_defect_examples/np_no.png", (302, 305)),
        ("emps/images/01ac659240.png", (512, 587)),
        ("au_particles_temseg/images/frame_1.png", (369, 369)),
    ],
)
def test_non_square_and_coloured_pictures_have_one_intensity_a_pixel(
    hrtem: Path, name: str, sizes: tuple[int, int], warnings_of: Said
) -> None:
    from PIL import Image

    images = engine.open(hrtem / name)
    grey = intensity(images)
    assert grey.shape == sizes
    with Image.open(hrtem / name) as picture:
        luma = np.asarray(picture.convert("RGB").convert("L"), np.float64)
        mode = picture.mode
    assert np.abs(grey.values - luma).max() <= 0.51
    assert warnings_of(images) == (["The picture's transparency was left out."] if mode == "RGBA" else [])
