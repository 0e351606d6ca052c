"""FITS: values as astropy's, bytes counted, mosaics against the scene they were cut from, hostile files."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import xarray as xr
from astropy.io import fits

from engine.errors import FileError, InputError
from engine.readers import open_images

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


def sparse(path: Path, shape: tuple[int, int]) -> Path:
    """Write a frame of uint16 whose values take no room on the disk."""
    header = fits.PrimaryHDU(np.zeros((1, 1), np.uint16)).header
    header["NAXIS1"], header["NAXIS2"] = shape[::-1]
    path.write_bytes(header.tostring().encode())
    with path.open("r+b") as file:
        file.truncate(len(header.tostring()) + -(-2 * shape[0] * shape[1] // 2880) * 2880)
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


def test_a_gzipped_file_is_astropys_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.fits.gz"
    fits.HDUList([fits.PrimaryHDU(FRAME), fits.CompImageHDU(FRAME + 1)]).writeto(path)
    check_as_astropy(path)
    check_as_astropy(path, number=1, key="::1")
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises((FileError, InputError), match=r"a\.fits\.gz"):
        open_images(path).load()


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
