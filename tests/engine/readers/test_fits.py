"""FITS: values as astropy's, bytes counted, mosaics against the scene they were cut from, hostile files."""

import gzip
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import xarray as xr
from astropy.io import fits

from engine.errors import FileError, InputError, MapstackError
from engine.readers import describe, digest, open_images
from engine.readers.fits import amplifier_mosaic, image_units
from engine.readers.fits.image_units import load
from engine.simulate.mosaic import Mosaic

Said = Callable[[xr.Dataset], list[str]]
RNG = np.random.default_rng(5)
FRAME = RNG.integers(0, 2**16, (37, 53)).astype(np.uint16)
CHUNKS = (None, {"y": 7, "x": 5}, {"y": 37, "x": 50})


def check_as_astropy(path: Path, *, number: int = 0, key: str = "") -> None:
    """Values, type and shape as `hdul[number].data`, whatever the chunks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, memmap=False) as hdus:
            expected = np.array(hdus[number].data)
    expected = expected.astype(expected.dtype.newbyteorder("="))
    for chunks in CHUNKS:
        found = open_images(f"{path}{key}", chunks=chunks)["values"].values
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


def write_raw(path: Path, numbers: np.ndarray, **cards: Any) -> Path:
    """Write numbers as they are, with the scaling keywords in the header only."""
    hdu = fits.PrimaryHDU(numbers)
    raw = fits.Header(hdu.header, copy=True)
    raw.update(cards)
    body = numbers.astype(numbers.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(raw.tostring().encode() + body + b"\0" * (-len(body) % 2880))
    return path


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_values_of_every_type_are_astropys_bit_for_bit(tmp_path: Path, dtype: str) -> None:
    values = RNG.integers(0, 256, (37, 53 * np.dtype(dtype).itemsize), dtype=np.uint8).view(dtype)
    with np.errstate(all="ignore"):
        fits.PrimaryHDU(values).writeto(tmp_path / "a.fits")
    check_as_astropy(tmp_path / "a.fits")


@pytest.mark.parametrize(
    "cards",
    [
        {"BSCALE": 0.37, "BZERO": 12.5},
        {"BSCALE": 2, "BZERO": 100},
        {"BZERO": 1},
        {"BZERO": 32768.0},
        {"BSCALE": 1.0, "BZERO": 32768, "BLANK": 3},
        {"BLANK": 7},
        {"BSCALE": 0.1, "BLANK": 7},
        {"BLANK": 0},
        {"BSCALE": -1e300},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_scaled_and_blank_values_are_astropys_bit_for_bit(
    tmp_path: Path, dtype: str, cards: dict[str, Any]
) -> None:
    numbers = RNG.integers(0, 12, (37, 53)).astype(dtype)
    check_as_astropy(write_raw(tmp_path / "a.fits", numbers, **cards))


def test_a_blank_of_0_stays_a_number_as_in_astropy_and_the_user_is_told(
    tmp_path: Path, warnings_of: Said
) -> None:
    path = write_raw(tmp_path / "a.fits", np.zeros((4, 5), np.int16), BLANK=0)
    assert "BLANK = 0; they were kept" in warnings_of(open_images(path))[0]
    path = write_raw(tmp_path / "b.fits", np.full((4, 5), 7, np.int16), BLANK=7)
    images = open_images(path)
    assert warnings_of(images) == []
    assert describe(images)["nan_share"] == 1


@pytest.mark.parametrize("method", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"])
@pytest.mark.parametrize("tile", [None, (10, 16)])
def test_compressed_tiles_are_astropys_bit_for_bit(
    tmp_path: Path, method: str, tile: tuple[int, int] | None
) -> None:
    values = FRAME if method != "PLIO_1" else (FRAME % 1000).astype(np.int16)
    tile = (37, 53) if method == "HCOMPRESS_1" and tile is None else tile
    hdu = fits.CompImageHDU(values, compression_type=method, tile_shape=tile)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits.fz")
    check_as_astropy(tmp_path / "a.fits.fz", number=1)


@pytest.mark.parametrize("quantize", [16.0, 0.0])
def test_compressed_floats_and_cubes_are_astropys_bit_for_bit(tmp_path: Path, quantize: float) -> None:
    cube = RNG.normal(size=(3, 37, 53)).astype(np.float32)
    cube[1, 4, 5] = np.nan
    method = "GZIP_1" if quantize == 0 else "RICE_1"
    hdu = fits.CompImageHDU(cube, compression_type=method, quantize_level=quantize, name="SCI")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits")
    check_as_astropy(tmp_path / "a.fits", number=1)
    check_as_astropy(tmp_path / "a.fits", number=1, key="::sci")


def test_cubes_are_channels_and_leading_axes_of_length_1_fall_away(tmp_path: Path) -> None:
    cube = np.arange(3 * 37 * 53, dtype=np.int32).reshape(3, 37, 53)
    fits.PrimaryHDU(cube).writeto(tmp_path / "a.fits")
    check_as_astropy(tmp_path / "a.fits")
    assert open_images(tmp_path / "a.fits")["values"].dims == ("channel", "y", "x")
    fits.PrimaryHDU(cube[None]).writeto(tmp_path / "b.fits")
    np.testing.assert_array_equal(open_images(tmp_path / "b.fits")["values"].values, cube)
    fits.PrimaryHDU(np.stack([cube, cube])).writeto(tmp_path / "c.fits")
    with pytest.raises(InputError, match=r"c\.fits holds 2 × 3 × 37 × 53 values"):
        open_images(tmp_path / "c.fits")


def test_extensions_open_by_number_name_and_version_and_are_listed(tmp_path: Path, warnings_of: Said) -> None:
    frames = [FRAME, FRAME[::-1].astype(np.float32), (FRAME // 3).astype(np.int32)]
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name="LIST")
    units = [fits.ImageHDU(f, name=n, ver=v) for f, n, v in zip(frames, "ABB", (1, 1, 2), strict=True)]
    path = tmp_path / "many.fits"
    fits.HDUList([fits.PrimaryHDU(), table, *units]).writeto(path)
    for key, number in (("", 2), ("::2", 2), ("::a", 2), ("::3", 3), ("::B", 3), ("::B,2", 4), ("::4", 4)):
        check_as_astropy(path, number=number, key=key)
    assert warnings_of(open_images(path)) == [
        "The file holds 3 images: 2 A, 3 B, 4 B. Open another as many.fits::3."
    ]
    assert warnings_of(open_images(f"{path}::3")) == []
    assert digest(f"{path}::3") != digest(path)
    for key, said in (("9", "no HDU '9'"), ("C", "no HDU 'C'"), ("LIST", "no image in HDU 'LIST'")):
        with pytest.raises(InputError, match=f"many.fits has {said}; images are: 2 A, 3 B, 4 B"):
            open_images(f"{path}::{key}")


def test_a_file_of_tables_says_so(tmp_path: Path) -> None:
    fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1])]).writeto(tmp_path / "t.fits")
    with pytest.raises(InputError, match=r"t\.fits holds 1 tables and no image; give"):
        open_images(tmp_path / "t.fits")
    fits.PrimaryHDU().writeto(tmp_path / "e.fits")
    with pytest.raises(InputError, match=r"e\.fits holds no image"):
        open_images(tmp_path / "e.fits")


def test_a_gzipped_file_is_astropys_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.fits.gz"
    fits.HDUList([fits.PrimaryHDU(FRAME), fits.CompImageHDU(FRAME + 1)]).writeto(path)
    check_as_astropy(path)
    check_as_astropy(path, number=1, key="::1")
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises((FileError, InputError), match=r"a\.fits\.gz"):
        open_images(path).load()


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


@pytest.mark.real
def test_a_real_frame_is_trimmed_and_loses_its_overscan(shared: Path) -> None:
    path = shared / "data" / "ccd" / "real" / "a8280271.fits"
    with fits.open(path, memmap=False) as hdus:
        raw = hdus[0].data
    expected = raw[:, 16:528].astype(np.float32) - np.float32(np.median(raw[:, 3:13]))
    np.testing.assert_array_equal(open_images(f"{path}::mosaic")["values"].values, expected)


def astropys_own() -> list[Path]:
    folder = Path(fits.__file__).parent / "tests" / "data"
    return sorted(folder.glob("*.fits"))


@pytest.mark.parametrize("path", astropys_own(), ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore")
def test_astropys_own_test_files_give_astropys_values_or_one_sentence(path: Path) -> None:
    with fits.open(path, memmap=False) as hdus:
        images = {n: h for n, h in enumerate(hdus) if h.is_image and h.data is not None}
        for number, hdu in images.items():
            values = hdu.data
            if getattr(values, "ndim", 0) not in (2, 3) or isinstance(hdu, fits.GroupsHDU) or not values.size:
                continue
            found = open_images(f"{path}::{number}")["values"].values
            assert found.tobytes() == values.astype(values.dtype.newbyteorder("=")).tobytes()
    said = outcome(path)
    assert said == "opened" or path.name in said


def outcome(path: Path) -> str:
    """What the user sees: `opened`, or the sentence."""
    try:
        images = open_images(path)
        describe(images)
        images.load()
    except MapstackError as error:
        return str(error)
    return "opened"


def sparse(path: Path, shape: tuple[int, int]) -> Path:
    """Write a frame of uint16 whose values take no room on the disk."""
    header = fits.PrimaryHDU(np.zeros((1, 1), np.uint16)).header
    header["NAXIS1"], header["NAXIS2"] = shape[::-1]
    path.write_bytes(header.tostring().encode())
    with path.open("r+b") as file:
        file.truncate(len(header.tostring()) + -(-2 * shape[0] * shape[1] // 2880) * 2880)
    return path


@pytest.mark.parametrize("chunks", [None, {"y": 256, "x": 256}, {"y": 512, "x": 512}])
def test_a_tile_of_a_large_frame_reads_under_5_percent_of_the_file(
    tmp_path: Path, chunks: dict[str, int] | None
) -> None:
    path = sparse(tmp_path / "a.fits", (8192, 8192))
    open_images(path)["values"][:1, :1].load()  # modules that Dask imports late are not the reader's bytes
    process = psutil.Process()
    before = process.io_counters().read_chars
    images = open_images(path, chunks=chunks)
    tile = images["values"][4000:4256, 5000:5256].values
    share = (process.io_counters().read_chars - before) / path.stat().st_size
    assert (tile == 32768).all()
    assert share < 0.005


def test_a_3_gb_frame_opens_at_once_by_its_header(tmp_path: Path) -> None:
    path = sparse(tmp_path / "big.fits", (40_000, 40_000))
    assert path.stat().st_size > 3e9
    code = (
        "import sys, time, psutil, engine.readers, engine.readers.fits.fits_reader, dask.array, xarray\n"
        "rss = lambda: psutil.Process().memory_info().rss / 1e6\n"
        "before, start = rss(), time.perf_counter()\n"
        "images = engine.readers.open_images(sys.argv[1])\n"
        "print(time.perf_counter() - start, rss() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 1
    assert megabytes < 200


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


@pytest.mark.parametrize("keyword", ["DETSEC", "CCDSEC"])
@pytest.mark.parametrize("name", ["cam.fits", "cam.fits.gz"])
def test_four_amplifiers_give_the_scene_for_any_chunks(
    tmp_path: Path, keyword: str, name: str, warnings_of: Said
) -> None:
    path = camera(tmp_path / name, SCENE, [1000, 1200.0, 900, 1111], keyword)
    for chunks in (None, {"y": 7, "x": 9}, {"y": 60, "x": 1}, {"y": 31, "x": 23}):
        images = open_images(f"{path}::mosaic", chunks=chunks)
        assert images["values"].dtype == np.float32
        np.testing.assert_array_equal(images["values"].values, SCENE)
    assert warnings_of(images) == []
    assert "all together as" in warnings_of(open_images(path))[0]
    np.testing.assert_array_equal(images["values"].data[29:33, 20:25].compute(), SCENE[29:33, 20:25])


def test_compressed_amplifiers_give_the_scene(tmp_path: Path) -> None:
    with fits.open(camera(tmp_path / "cam.fits", SCENE, [1000, 1200, 900, 1111])) as hdus:
        units = [fits.CompImageHDU(hdu.data, hdu.header) for hdu in hdus[1:]]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "cam.fits.fz")
    np.testing.assert_array_equal(open_images(f"{tmp_path}/cam.fits.fz::mosaic")["values"].values, SCENE)


@pytest.mark.parametrize("name", ["cam.fits.gz", "cam.fits.fz"])
def test_packed_amplifiers_are_unpacked_once_each(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fits.open(camera(tmp_path / "cam.fits", SCENE, [1000, 1200, 900, 1111])) as hdus:
        pack = fits.CompImageHDU if name.endswith(".fz") else fits.ImageHDU
        units = [pack(hdu.data, hdu.header) for hdu in hdus[1:]]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / name)
    seen: list[int] = []

    def watched(path: Path, image: image_units.Image, window: tuple[slice, ...]) -> np.ndarray:
        seen.append(image.number)
        return load(path, image, window)

    monkeypatch.setattr(amplifier_mosaic, "load", watched)
    images = open_images(f"{tmp_path}/{name}::mosaic")
    np.testing.assert_array_equal(images["values"].values, SCENE)
    assert sorted(seen) == [1, 2, 3, 4]
    np.testing.assert_array_equal(images["values"][25:40, 30:].values, SCENE[25:40, 30:])


def test_gaps_between_amplifiers_are_nan_and_binned_places_are_understood(tmp_path: Path) -> None:
    units: list[Any] = [fits.PrimaryHDU()]
    for first in (1, 29):
        hdu = fits.ImageHDU(np.full((10, 12), 7, np.int16))
        hdu.header.update({"DETSEC": f"[{first}:{first + 23},1:20]", "CCDSUM": "2 2"})
        units.append(hdu)
    fits.HDUList(units).writeto(tmp_path / "a.fits")
    values = open_images(f"{tmp_path}/a.fits::mosaic")["values"].values
    assert values.shape == (10, 26)
    assert np.isnan(values[:, 12:14]).all()
    assert (values[:, :12] == 7).all()
    assert (values[:, 14:] == 7).all()


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


def test_a_single_frame_without_sections_is_no_mosaic(tmp_path: Path) -> None:
    fits.PrimaryHDU(FRAME).writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match=r"a\.fits has no DATASEC in HDU 0"):
        open_images(f"{tmp_path}/a.fits::mosaic")


@pytest.mark.parametrize("n_amplifiers", [2, 4])
def test_simulated_amplifiers_are_put_together(tmp_path: Path, n_amplifiers: int) -> None:
    simulator = Mosaic(size=64, n_frames=1, n_amplifiers=n_amplifiers, seed=4)
    simulator.write(tmp_path)
    frame = simulator.frame(0)
    found = open_images(f"{tmp_path}/frame_000.fits::mosaic")["values"].values
    for amplifier, part in zip(frame.amplifiers, frame.parts, strict=True):
        here = (amplifier.rows, amplifier.columns)
        width = amplifier.columns.stop - amplifier.columns.start
        expected = frame.image[here].astype(np.float32) - np.float32(np.median(part[:, width:]))
        np.testing.assert_array_equal(found[here], expected)


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


def test_a_cut_off_extension_spares_the_others(tmp_path: Path, warnings_of: Said) -> None:
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(FRAME), fits.ImageHDU(FRAME)]).writeto(path)
    path.write_bytes(path.read_bytes()[:-4000])
    images = open_images(path)
    np.testing.assert_array_equal(images["values"].values, FRAME)
    assert warnings_of(images)[0] == "HDU 1 is cut off; copy the file again."
    with pytest.raises(FileError, match=r"a\.fits ends before the last value of HDU 1; copy"):
        open_images(f"{path}::1")


def test_a_file_cut_after_opening_gives_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(FRAME).writeto(path)
    images = open_images(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(FileError, match=r"a\.fits has changed since it was opened"):
        images.load()
