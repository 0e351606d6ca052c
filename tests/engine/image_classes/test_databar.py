"""Data bars: found where they are, none invented, nothing of them left."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from engine.errors import InputError
from engine.image_classes.databar import find_databar, without_databar
from engine.readers.labels.labelled_folder import read_gray

HEIGHT, WIDTH = 384, 512


NONE = slice(0, 0)


SEM_BARS = {
    "biological/fei-sem-rbc.tif": slice(1024, 1094),
    "nffa_full/biological_L7_f69fb61d.png": slice(637, 699),
    "nffa_full/patterned_surface_ajay.jpg": slice(635, 697),
}
"""Rows of the bars under `sem`; the two of NFFA are laid over the picture, which goes on below them."""


SEM_WITHOUT = (
    "axon/images/sub-rat3_sample-data10_SEM.png",
    "axon/masks/sub-rat3_sample-data10_SEM_seg-axon-manual.png",
    "axon/masks/sub-rat3_sample-data10_SEM_seg-myelin-manual.png",
    "fibres/fibar_10k.tif",  # a scale drawn into the picture, no strip
    "fibres/fibar_2k.tif",  # as well
    "metal_powder/images/Sc1Tile_001-002-000_0-000.png",
    "metal_powder/images/Sc2Tile_010-006-000_0-000.png",
    "nasa/images/EBC1_S879_062216_3-31cyc0030.png",
    "nasa/images/Super1_spot3_0d_3.png",
    "nasa/masks/EBC1_S879_062216_3-31cyc0030.png",
    "nasa/masks/Super1_spot3_0d_3.png",
    *(f"nffa_tiles/ecp_{n:02}.png" for n in range(10)),
)


HRTEM_UNSURE = "39dda96b25.png"
"""The one picture of `hrtem` with a strip: 12 rows, cut off through its letters. Either answer will do."""


def font(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(max(6, size))


def zeiss(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.text((w * 0.01, h * 0.1), "10 µm", fill=0, font=font(h * 0.3))
    draw.line((w * 0.01, h * 0.7, w * 0.11, h * 0.7), fill=100, width=2)
    for x, upper, lower in (
        (0.25, "EHT = 5.00 kV", "Mag = 3.56 K X"),
        (0.45, "WD = 8 mm", "Signal A = SE2"),
        (0.65, "Date :4 May 2017", "Time :12:23:00"),
    ):
        draw.text((w * x, h * 0.1), upper, fill=0, font=font(h * 0.3))
        draw.text((w * x, h * 0.55), lower, fill=0, font=font(h * 0.3))
    draw.rectangle((0, 0, w - 1, h - 1), outline=0)
    draw.rectangle((w * 0.93, h * 0.2, w * 0.98, h * 0.9), fill=20)


def fei(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    fields = (("det", "ETD"), ("mode", "SE"), ("mag", "35 000 x"), ("HV", "2.00 kV"), ("WD", "9.7 mm"))
    for n, (upper, lower) in enumerate(fields):
        x = w * (0.02 + 0.12 * n)
        draw.text((x, h * 0.05), upper, fill=255, font=font(h * 0.3))
        draw.text((x, h * 0.5), lower, fill=255, font=font(h * 0.3))
        draw.line((x - 5, 0, x - 5, h), fill=120)
    draw.line((w * 0.7, h * 0.25, w * 0.95, h * 0.25), fill=255)
    draw.text((w * 0.75, h * 0.5), "Institute", fill=255, font=font(h * 0.3))


def jeol(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    for x, text in ((0.02, "SEI"), (0.15, "15.0kV"), (0.3, "X5,000"), (0.72, "1µm"), (0.82, "WD 8.2mm")):
        draw.text((w * x, h * 0.2), text, fill=255, font=font(h * 0.5))
    draw.line((w * 0.55, h * 0.4, w * 0.68, h * 0.4), fill=255, width=3)


def hitachi(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.text((w * 0.01, h * 0.2), "SU8010 3.0kV 8.3mm x40.0k SE(UL)", fill=255, font=font(h * 0.45))
    for n in range(11):
        draw.line((w * (0.7 + 0.02 * n), h * 0.1, w * (0.7 + 0.02 * n), h * 0.3), fill=255)
    draw.text((w * 0.88, h * 0.4), "1.00um", fill=255, font=font(h * 0.4))


STYLES: dict[str, tuple[Callable[[ImageDraw.ImageDraw, int, int], None], int, int]] = {
    "zeiss": (zeiss, 255, 36),
    "fei": (fei, 46, 36),
    "jeol": (jeol, 0, 28),
    "hitachi": (hitachi, 0, 32),
}
"""How a bar is written, on what level, and its height."""


def bar(style: str) -> np.ndarray:
    write, level, height = STYLES[style]
    strip = Image.new("L", (WIDTH, height), level)
    write(ImageDraw.Draw(strip), WIDTH, height)
    return np.asarray(strip)


def smooth(rng: np.random.Generator, sigma: float) -> np.ndarray:
    found = ndimage.gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), sigma)
    return found / found.std()


def discs(rng: np.random.Generator, rows: tuple[int, int], n: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    held = np.zeros((HEIGHT, WIDTH), bool)
    for cy, cx, r in rng.uniform((rows[0], 0, 2), (rows[1], WIDTH, radius), (n, 3)):
        held |= (y - cy) ** 2 + (x - cx) ** 2 < r * r
    return held & (y >= rows[0])


def texture(kind: str, seed: int = 0) -> np.ndarray:
    """A picture without a bar; some end in an even strip, as a section through a film does."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise, edge = 3 * rng.normal(size=(HEIGHT, WIDTH)), int(HEIGHT * 0.86)
    above = 110 + 30 * smooth(rng, 2)
    made = {
        "grains": lambda: 128 + 50 * smooth(rng, 3),
        "dark": lambda: 20 + noise,
        "bright": lambda: 240 + 2 * noise,
        "particles": lambda: np.where(discs(rng, (0, HEIGHT), 150, 14), 200, 15) + noise,
        "tip": lambda: np.where(np.abs(x - WIDTH / 2) < (HEIGHT - y) * 0.15, 200, 10) + noise,
        "black end": lambda: np.where(y < edge, above, 0),
        "noisy end": lambda: np.where(y < edge, above, 12) + noise,
        "white end": lambda: np.where(y < edge, above, 255),
        "dust on a black end": lambda: np.where(y < edge, above, 220 * discs(rng, (edge, HEIGHT), 25, 6)),
        "dust on a white end": lambda: np.where(
            y < edge, above, 255 - 200 * discs(rng, (edge, HEIGHT), 40, 6)
        ),
        "stripes": lambda: np.where((y // 30) % 2 == 0, 200, 30) + 0 * noise,
        "lines": lambda: np.where((x // 12) % 2 == 0, 200, 30) + noise,
        "dots": lambda: np.where((x % 24 - 12) ** 2 + (y % 24 - 12) ** 2 < 40, 220, 20) + 0 * noise,
        "dots on an even end": lambda: np.where(
            y < edge, above, np.where((x % 24 - 12) ** 2 + (y % 18 - 9) ** 2 < 30, 220, 20)
        ),
    }
    return made[kind]().clip(0, 255).round().astype(np.uint8)


FLAT_AND_ROUGH = ["grains", "dark", "bright", "particles", "tip", "stripes", "lines", "noisy end"]


ENDING_EVENLY = [
    "black end",
    "white end",
    "dust on a black end",
    "dust on a white end",
    "dots on an even end",
]


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    stored = io.BytesIO()
    Image.fromarray(image).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored))


def covers(found: slice, start: int, stop: int, *, slack: int = 3) -> bool:
    """Whether all rows of a bar were found and hardly more."""
    is_short = found.stop - found.start < HEIGHT / 3
    return is_short and found.start <= start + slack and found.stop >= stop - slack


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", FLAT_AND_ROUGH)
@pytest.mark.parametrize("quality", [None, 90, 60])
def test_a_bar_of_any_style_is_found_below_above_and_over_any_texture(
    style: str, kind: str, quality: int | None
) -> None:
    strip, picture = bar(style), texture(kind)
    over = picture.copy()
    start = HEIGHT - len(strip) - 40
    over[start : start + len(strip)] = strip
    for image, first in (
        (np.vstack([picture, strip]), HEIGHT),
        (np.vstack([strip, picture]), 0),
        (over, start),
    ):
        seen = image if quality is None else jpeg(image, quality)
        assert covers(find_databar(seen), first, first + len(strip))


@pytest.mark.parametrize("kind", [*FLAT_AND_ROUGH, "dots", *ENDING_EVENLY])
@pytest.mark.parametrize("seed", range(3))
def test_none_is_invented_on_pictures_that_end_evenly(kind: str, seed: int) -> None:
    picture = texture(kind, seed)
    for seen in (picture, jpeg(picture, 85), jpeg(picture, 50)):
        for turned in (seen, seen[::-1], np.rot90(seen)):
            assert find_databar(turned) == NONE
            assert without_databar(turned).shape == turned.shape


def test_a_page_of_text_has_no_bar() -> None:
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    for n in range(18):
        ImageDraw.Draw(page).text((20, 10 + 20 * n), "lorem ipsum dolor sit amet " * 2, fill=0, font=font(12))
    assert find_databar(np.asarray(page)) == NONE


def test_black_letters_on_black_are_cut_off_though_the_bar_has_no_border() -> None:
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[discs(np.random.default_rng(1), (0, HEIGHT - 60), 30, 10)] = 200
    image = np.vstack([picture, bar("jeol")])
    assert without_databar(image).max(axis=1)[HEIGHT:].max(initial=0) == 0
    assert len(without_databar(image)) > 0.85 * HEIGHT


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_deep_pictures_below_a_bar_of_full_scale_are_no_flatter_for_it(dtype: type) -> None:
    picture = texture("grains").astype(dtype) * 64
    strip = bar("zeiss").astype(dtype) * 257
    image = np.vstack([picture, strip])
    assert covers(find_databar(image), HEIGHT, len(image))
    assert find_databar(picture) == NONE


def test_no_data_is_no_bar() -> None:
    image = np.vstack([texture("grains"), bar("fei")]).astype(np.float32)
    filled = np.pad(image, ((0, 30), (0, 0)), constant_values=np.nan)
    assert covers(find_databar(filled), HEIGHT, len(image))
    assert find_databar(np.full((64, 64), np.nan)) == NONE
    assert find_databar(np.zeros((64, 64))) == NONE
    assert find_databar(np.zeros((2, 2), np.uint8)) == NONE


def test_only_the_larger_part_beside_a_bar_is_left() -> None:
    image, strip = texture("grains"), bar("zeiss")
    image[300 : 300 + len(strip)] = strip
    np.testing.assert_array_equal(without_databar(image), image[:300])
    np.testing.assert_array_equal(without_databar(image[::-1]), image[::-1][HEIGHT - 300 :])


def test_an_image_of_other_dims_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected one of \(y, x\)"):
        find_databar(np.zeros((3, 8, 8)))


@pytest.mark.real
@pytest.mark.parametrize("name", SEM_BARS)
def test_every_real_bar_is_found_to_the_row(shared: Path, name: str) -> None:
    image = read_gray(shared / "data" / "sem" / name).astype(np.uint8)
    found, bar_rows = find_databar(image), SEM_BARS[name]
    assert abs(found.start - bar_rows.start) <= 1
    assert abs(found.stop - bar_rows.stop) <= 1
    assert find_databar(without_databar(image)) == NONE


@pytest.mark.real
@pytest.mark.parametrize("name", SEM_BARS)
@pytest.mark.parametrize("quality", [90, 40])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3])
def test_real_bars_are_found_in_worse_copies(shared: Path, name: str, quality: int, scale: float) -> None:
    image = jpeg(read_gray(shared / "data" / "sem" / name).astype(np.uint8), quality)
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    smaller = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    found, bar_rows = find_databar(smaller), SEM_BARS[name]
    assert abs(found.start - bar_rows.start * scale) <= 3
    assert abs(found.stop - bar_rows.stop * scale) <= 3


@pytest.mark.real
@pytest.mark.parametrize("name", SEM_WITHOUT)
def test_none_is_invented_on_a_real_picture_without(shared: Path, name: str) -> None:
    assert find_databar(read_gray(shared / "data" / "sem" / name)) == NONE


@pytest.mark.real
def test_none_is_invented_on_real_micrographs_of_other_kinds_nor_on_cuts_of_them(shared: Path) -> None:
    rng = np.random.default_rng(0)
    files = sorted((shared / "data" / "hrtem").rglob("*.png"))
    for file in files + sorted((shared / "data" / "hyperspectral" / "graphene_optical").rglob("*.jpg")):
        if file.name == HRTEM_UNSURE:
            continue
        image = read_gray(file)
        assert find_databar(image) == NONE, file.name
        for n in range(4):
            height, width = (int(rng.integers(edge // 3, edge + 1)) for edge in image.shape)
            assert find_databar(np.rot90(image[:height, :width], n)) == NONE, file.name


@pytest.mark.real
def test_the_lists_of_real_pictures_are_complete(shared: Path) -> None:
    folder = shared / "data" / "sem"
    found = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.suffix in (".png", ".jpg", ".tif")
    }
    assert found == {*SEM_BARS, *SEM_WITHOUT}
