"""Tests of `engine.readers.microscopes.ser`."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits

import engine
from engine.__main__ import main
from engine.readers import describe, digest, open_images
from tests.engine.readers.micrograph_files import SERIES, WRITERS, write_ser

Said = Callable[[xr.Dataset], list[str]]


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


@pytest.mark.parametrize("name", WRITERS)
def test_a_series_opens_as_images_with_its_pixel_size_whatever_the_file_is_called(
    tmp_path: Path, name: str
) -> None:
    write, size = WRITERS[name]
    write(tmp_path / name)
    (tmp_path / name).rename(tmp_path / "renamed.dat")
    images = open_images(tmp_path / "renamed.dat")
    assert images["values"].dims == ("image", "y", "x")
    assert images["values"].chunksizes["image"] == (1, 1, 1)
    np.testing.assert_array_equal(images["values"].values, SERIES)
    np.testing.assert_array_equal(images["values"][1, 4:1:-2, 2:5].values, SERIES[1, 4:1:-2, 2:5])
    found = describe(images)
    assert (found["reader"], found["dtype"]["values"]) == ("micrograph", "int16")
    assert found["pixel_size"] == {**size, "y": pytest.approx(size["y"]), "x": pytest.approx(size["x"])}
    assert images["x"].values[0] == 0


def test_an_emi_opens_the_series_that_it_describes_and_tells_patterns_from_images(
    tmp_path: Path, warnings_of: Said
) -> None:
    write_ser(tmp_path / "a_1.ser", SERIES)
    write_ser(tmp_path / "a_2.ser", SERIES + 7)
    modes = ("TEM uP SA Zoom Image", "TEM uP SA Zoom Diffraction")
    items = [f"<Root><Data><Label>Mode</Label><Value>{mode}</Value></Data></Root>" for mode in modes]
    text = "".join(f"\0junk<ObjectInfo>{item}</ObjectInfo>" for item in items)
    (tmp_path / "a.emi").write_bytes(text.encode())
    np.testing.assert_array_equal(open_images(tmp_path / "a.emi")["values"].values, SERIES)
    assert describe(open_images(tmp_path / "a.emi"))["pixel_size"]["y"] == pytest.approx(0.2)
    pattern = open_images(f"{tmp_path}/a.emi::1")
    np.testing.assert_array_equal(pattern["values"].values, SERIES + 7)
    assert describe(pattern)["pixel_size"] is None
    assert "diffraction" in warnings_of(pattern)[0]
    before = digest(tmp_path / "a_2.ser")
    (tmp_path / "a.emi").write_bytes(text.encode() + b"more")
    assert digest(tmp_path / "a_2.ser") != before


@pytest.mark.real
def test_the_real_ser_has_the_pixel_size_of_its_header(hrtem: Path) -> None:
    path = hrtem / "raw_formats" / "16_STOimage_1.ser"
    (place,) = struct.unpack_from("<I", path.read_bytes(), struct.unpack_from("<I", path.read_bytes(), 22)[0])
    (step,) = struct.unpack_from("<d", path.read_bytes(), place + 8)
    assert describe(engine.open(path))["pixel_size"]["x"] == pytest.approx(step * 1e9)


def write_raw(path: Path, numbers: np.ndarray, **cards: Any) -> Path:
    """Write numbers as they are, with the scaling keywords in the header only."""
    hdu = fits.PrimaryHDU(numbers)
    raw = fits.Header(hdu.header, copy=True)
    raw.update(cards)
    body = numbers.astype(numbers.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(raw.tostring().encode() + body + b"\0" * (-len(body) % 2880))
    return path


def test_a_blank_of_0_stays_a_number_as_in_astropy_and_the_user_is_told(
    tmp_path: Path, warnings_of: Said
) -> None:
    path = write_raw(tmp_path / "a.fits", np.zeros((4, 5), np.int16), BLANK=0)
    assert "BLANK = 0; they were kept" in warnings_of(open_images(path))[0]
    path = write_raw(tmp_path / "b.fits", np.full((4, 5), 7, np.int16), BLANK=7)
    images = open_images(path)
    assert warnings_of(images) == []
    assert describe(images)["nan_share"] == 1


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPSTACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("size", ["1.2.3um", "um", "1e5", "-1nm", "nanum", "0um", "1e999nm"])
def test_a_pixel_size_that_is_none_is_the_users_fault(size: str, example: Path, tmp_path: Path) -> None:
    assert main(["run", "kmeans", str(example), f"--pixel-size={size}", "--out", str(tmp_path / "o")]) == 2
