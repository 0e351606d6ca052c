"""Tests of `engine.readers.fits.headers`."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

import engine
from engine.errors import FileError, InputError
from engine.readers import describe, open_images
from engine.readers.description import header_number
from engine.readers.labels.label_files import read_labels
from engine.schema import label_map
from engine.simulate.mosaic import CLASSES, Mosaic
from engine.statistics import agreement

RNG = np.random.default_rng(5)


FRAME = RNG.integers(0, 2**16, (37, 53)).astype(np.uint16)


def sparse(path: Path, shape: tuple[int, int]) -> Path:
    """Write a frame of uint16 whose values take no room on the disk."""
    header = fits.PrimaryHDU(np.zeros((1, 1), np.uint16)).header
    header["NAXIS1"], header["NAXIS2"] = shape[::-1]
    path.write_bytes(header.tostring().encode())
    with path.open("r+b") as file:
        file.truncate(len(header.tostring()) + -(-2 * shape[0] * shape[1] // 2880) * 2880)
    return path


def camera(path: Path, scene: np.ndarray, pedestals: list[float], keyword: str = "DETSEC") -> Path:
    """Cut a scene into 2 x 2 amplifiers, 5 columns of overscan each; the right ones read mirrored in x, the
    upper ones in y; two columns in front of the exposed ones hold nonsense."""
    units: list[Any] = [fits.PrimaryHDU()]
    height, width = scene.shape[0] // 2, scene.shape[1] // 2
    noise = np.random.default_rng(1)
    for n, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        part = scene[row * height : (row + 1) * height, column * width : (column + 1) * width]
        part = part[:: -1 if row else 1, :: -1 if column else 1] + pedestals[n]
        overscan = pedestals[n] + np.tile([-3, -1, 0, 1, 3], (height, 1))
        junk = noise.integers(0, 9, (height, 2))
        hdu = fits.ImageHDU(np.hstack([junk, part, overscan]).astype(np.uint16), name=f"AMP{n}")
        x = f"{2 * width}:{width + 1}" if column else f"1:{width}"
        y = f"{2 * height}:{height + 1}" if row else f"1:{height}"
        hdu.header[keyword] = f"[{x},{y}]"
        hdu.header["DATASEC"] = f"[3:{width + 2},1:{height}]"
        hdu.header["BIASSEC"] = f"[{width + 3}:{width + 7},1:{height}]"
        units.append(hdu)
    fits.HDUList(units).writeto(path, overwrite=True)
    return path


SCENE = RNG.integers(0, 5000, (60, 44))


def hostile(text: str, size: int = 2880) -> bytes:
    """A header of the given cards, separated by `|`, and zeros."""
    cards = "".join(card.ljust(80) for card in [*text.split("|"), "END"])
    return cards.ljust(-(-len(cards) // 2880) * 2880).encode() + b"\0" * size


START = "SIMPLE  =                    T|BITPIX  =                   16|NAXIS   =                    2"


HUGE = f"{START}|NAXIS1  =               100000|NAXIS2  =               100000"


HOSTILE = {
    "huge": hostile(HUGE),
    "endless": hostile(f"{START}|NAXIS1  = {'9' * 60}|NAXIS2  =               100000"),
    "negative": hostile(f"{START}|NAXIS1  =                   -5|NAXIS2  =                    5"),
    "no_axes": hostile(START),
    "bitpix": hostile("SIMPLE  =                    T|BITPIX  =                   17|NAXIS   =      0"),
    "no_bitpix": hostile("SIMPLE  =                    T|NAXIS   =                    0"),
    "many_axes": hostile("SIMPLE  =                    T|BITPIX  =        8|NAXIS   =   99999999"),
    "no_end": b"SIMPLE  =                    T".ljust(80) * 36 * 3,
    "cut": b"SIMPLE  =                    T".ljust(100),
    "bscale": hostile(f"{START}|NAXIS1  = 5|NAXIS2  = 5|BSCALE  = 'wide'"),
    "magic": b"SIMPLE  =" + bytes(range(256)) * 20,
}


def test_header_units_and_world_coordinates_are_kept(tmp_path: Path) -> None:
    header = fits.Header({"BUNIT": "electrons", "OBJECT": "O'Neil", "CTYPE1": "RA---TAN"})
    header.update({"CTYPE2": "DEC--TAN", "CRVAL1": 250.4, "CRVAL2": 36.5, "CRPIX1": 26.0, "CD1_1": -1e-4})
    fits.PrimaryHDU(FRAME, header).writeto(tmp_path / "a.fits")
    images = open_images(tmp_path / "a.fits")
    facts = describe(images)
    assert facts["units"] == {"values": "electron"}
    assert facts["wcs"]["CTYPE1"] == "RA---TAN"
    assert (facts["wcs"]["CRVAL1"], facts["wcs"]["CD1_1"]) == (250.4, -1e-4)
    assert json.loads(json.dumps(facts)) == facts
    again = fits.Header.fromstring(images.attrs["header"], sep="\n")
    assert again["OBJECT"] == "O'Neil"
    fits.PrimaryHDU(FRAME).writeto(tmp_path / "b.fits")
    facts = describe(open_images(tmp_path / "b.fits"))
    assert (facts["units"], facts["wcs"]) == ({"values": "adu"}, None)


def test_a_3_gb_frame_opens_at_once_by_its_header(tmp_path: Path) -> None:
    path = sparse(tmp_path / "big.fits", (40_000, 40_000))
    assert path.stat().st_size > 3e9
    code = (
        "import sys, psutil, engine.readers, engine.readers.fits.fits_reader, dask.array, xarray\n"
        "rss = lambda: psutil.Process().memory_info().rss / 1e6\n"
        "counters = psutil.Process().io_counters\n"
        "before, start = rss(), counters().read_chars\n"
        "images = engine.readers.open_images(sys.argv[1])\n"
        "print((counters().read_chars - start) / 1e6, rss() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    megabytes_read, megabytes_held = map(float, done.stdout.split())
    assert megabytes_read < 30
    assert megabytes_held < 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({1: {"DATASEC": None}}, "no DATASEC in HDU 1"),
        ({2: {"BIASSEC": None}}, "no BIASSEC in HDU 2, but in others"),
        ({1: {"DETSEC": "[1:2"}}, "DETSEC = '\\[1:2' in HDU 1; expected ranges"),
        ({1: {"DETSEC": "[1:20,1:30]"}}, "the place of HDU 1 on the detector has 20 × 30 pixels"),
        ({1: {"BIASSEC": "[1:99,1:2]"}}, "BIASSEC = .* expected ranges within the image"),
        ({2: {"DETSEC": "[1:22,1:30]"}}, "HDU 2 lies over another"),
        ({2: {"DETSEC": "[99901:99922,99901:99930]"}}, "fill too little"),
        ({n: {"DETSEC": None} for n in (1, 2, 3, 4)}, "none of its 4 images says by DETSEC"),
    ],
)
def test_keywords_that_do_not_make_a_mosaic_are_said_in_one_sentence(
    tmp_path: Path, change: dict[int, dict[str, str | None]], said: str
) -> None:
    path = camera(tmp_path / "cam.fits", SCENE, [1000, 1200, 900, 1111])
    with fits.open(path, memmap=False) as hdus:
        for number, cards in change.items():
            for keyword, value in cards.items():
                del hdus[number].header[keyword]
                if value:
                    hdus[number].header[keyword] = value
        hdus.writeto(tmp_path / "bad.fits")
    with pytest.raises(InputError, match=rf"bad\.fits.*{said}"):
        open_images(f"{tmp_path}/bad.fits::mosaic")


@pytest.mark.parametrize("name", HOSTILE)
def test_an_absurd_header_gives_one_sentence_that_names_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.fits"
    path.write_bytes(HOSTILE[name])
    with pytest.raises((FileError, InputError), match=rf"{name}\.fits") as caught:
        open_images(path)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    shape = f"{START}|NAXIS1  =                10000|NAXIS2  =                20000"
    with gzip.open(tmp_path / "bomb.fits.gz", "wb") as file:
        file.write(hostile(shape, 0))
        for _ in range(400):
            file.write(bytes(10**6))
    with pytest.raises(InputError, match=r"bomb\.fits\.gz claims 400 MB of values in 0\."):
        open_images(tmp_path / "bomb.fits.gz")
    hdu = fits.CompImageHDU(np.zeros((64, 64), np.int16))
    hdu.writeto(tmp_path / "tiles.fits")
    raw = (tmp_path / "tiles.fits").read_bytes()
    for keyword in (b"ZNAXIS1 =", b"ZNAXIS2 =", b"ZTILE1  ="):
        at = raw.index(keyword) + 10
        raw = raw[:at] + b"%20d" % 100_000 + raw[at + 20 :]
    (tmp_path / "tiles.fits").write_bytes(raw)
    with pytest.raises(InputError, match=r"tiles\.fits claims 20,000 MB of values"):
        open_images(tmp_path / "tiles.fits")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two subfolders of two frames each, with their truth."""
    for name, seed in (("easy", 1), ("hard", 2)):
        Mosaic(size=64, n_frames=2, difficulty=name, seed=seed).write(tmp_path / name)
    return tmp_path


def test_truth_is_scored_by_the_names_in_its_header(folder: Path):
    truth = read_labels(folder / "easy" / "frame_000_truth.fits")
    named = label_map((truth + 1).astype(np.uint8), dict(enumerate(CLASSES, 1)))
    assert agreement(named, truth)["accuracy"] == 1
    assert {row["name"] for row in agreement(named, truth)["classes"]} <= set(CLASSES)
    given = agreement(named, truth, names=["a", "b", "c", "d"][: len(np.unique(truth))])
    assert [row["name"] for row in given["classes"]] == ["a", "b", "c", "d"][: len(np.unique(truth))]


def test_the_gain_is_read_from_the_header(folder: Path):
    images = engine.open(folder / "easy" / "frame_000.fits")
    assert header_number(images, "GAIN") == pytest.approx(1.3333)
    assert header_number(images, "NONE") is None
