"""Tests of `engine.readers.microscopes.mrc`."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from engine.errors import InputError
from engine.readers import describe, open_images
from tests.engine.readers.micrograph_files import SERIES, write_mrc

Said = Callable[[xr.Dataset], list[str]]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "float32", "float16"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_mrc_of_every_type_and_byte_order_keeps_its_values(tmp_path: Path, dtype: str, order: str) -> None:
    data = (np.arange(35).reshape(5, 7) - (9 if dtype == "int8" else 0)).astype(dtype)
    write_mrc(tmp_path / "a.mrc", data, order=order)
    images = open_images(tmp_path / "a.mrc")
    assert images["values"].dims == ("y", "x")
    np.testing.assert_array_equal(images["values"].values, data)
    assert images["values"].dtype == ("float32" if dtype == "float16" else dtype)


def test_mrc_without_a_stamp_is_known_by_its_name_and_a_sound_header(tmp_path: Path) -> None:
    for name, mapped in (("a.st", b"\0\0\0\0"), ("a.bin", b"\0\0\0\0")):
        write_mrc(tmp_path / name, SERIES, raw={208: mapped})
    np.testing.assert_array_equal(open_images(tmp_path / "a.st")["values"].values, SERIES)
    with pytest.raises(InputError, match="no format that Mapstack knows"):
        open_images(tmp_path / "a.bin")


def test_mrc_with_an_extended_header_skips_it_and_takes_the_pixel_size_of_fei(tmp_path: Path) -> None:
    extra = bytearray(1024 * 128)
    struct.pack_into("<f", extra, 44, 3e-10)
    size = struct.pack("<i", len(extra))
    write_mrc(tmp_path / "a.mrc", SERIES, raw={92: size}, extra=bytes(extra))
    images = open_images(tmp_path / "a.mrc")
    np.testing.assert_array_equal(images["values"].values, SERIES)
    assert describe(images)["pixel_size"]["y"] == pytest.approx(0.3)
    write_mrc(tmp_path / "b.mrc", SERIES, raw={92: size, 104: b"FEI1"}, extra=bytes(extra))
    assert describe(open_images(tmp_path / "b.mrc"))["pixel_size"]["y"] == pytest.approx(0.5)


def test_mrc_that_says_no_pixel_size_or_a_made_up_one_is_opened_in_pixels_or_warned_of(
    tmp_path: Path, warnings_of: Said
) -> None:
    write_mrc(tmp_path / "a.mrc", SERIES, raw={28: bytes(12)})
    assert describe(open_images(tmp_path / "a.mrc"))["pixel_size"] is None
    write_mrc(tmp_path / "b.mrc", SERIES, raw={40: struct.pack("<3f", 7, 5, 3)})
    assert "exactly 1 Å" in warnings_of(open_images(tmp_path / "b.mrc"))[0]
