"""Tests of `engine.readers.stack`."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from engine.errors import FileError, InputError
from engine.readers import open_images
from engine.readers.stack import guess_dims
from engine.simulate import ep4
from tests.engine.readers.micrograph_files import SERIES

CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "lzw", "predictor": True},
        {"tile": (16, 16)},
        {"bigtiff": True},
        {"imagej": True},
    ],
    ids=str,
)
def test_a_multi_page_file_is_a_stack_of_channels(tmp_path: Path, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack", **options)
    images = open_images(tmp_path / "a.tif", chunks={"y": 7})
    assert images["values"].dims == ("channel", "y", "x")
    assert images["values"].dtype == np.uint16
    np.testing.assert_array_equal(images["values"].values, CUBE)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_folder_of_pages_is_a_stack_in_natural_order(tmp_path: Path, compression: str | None) -> None:
    for n in (0, 1, 2):
        tifffile.imwrite(tmp_path / f"page_{9 + n}.tif", CUBE[n], compression=compression)
    images = open_images(tmp_path)
    np.testing.assert_array_equal(images["values"].values, CUBE)
    np.testing.assert_array_equal(images["values"].data[2, 3:5].compute(), CUBE[2, 3:5])


def test_a_cut_off_stack_gives_one_sentence(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack")
    raw = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(raw[:-500])
    with pytest.raises((FileError, InputError), match=r"a\.tif"):
        open_images(tmp_path / "a.tif").load()


@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((31, 512, 512), ("channel", "y", "x")),
        ((512, 500, 31), ("y", "x", "channel")),
        ((145, 145, 200), ("y", "x", "channel")),
        ((200, 145, 145), ("channel", "y", "x")),
        ((20, 300, 40), ("channel", "y", "x")),
        ((100, 80, 60), ("channel", "y", "x")),
        ((64, 64, 64), ("channel", "y", "x")),
        ((480, 640), ("y", "x")),
    ],
)
def test_axes_without_names_follow_the_stated_rule(shape: tuple[int, ...], dims: tuple[str, ...]) -> None:
    assert guess_dims(shape)[0] == dims


def test_a_single_pair_of_maps_is_a_stack_of_one_wavelength(ep4_folder: Path) -> None:
    ep4.write_table(ep4_folder / "m.ds.dat", [(633.0, 50.0, "d0.png", "p0.png")])
    assert dict(open_images(ep4_folder).sizes) == {"wavelength": 1, "y": 6, "x": 5}


def tag(name: str, value: Any) -> bytes:
    """A tag of DM3: a group for a mapping, else an array, a text, a float or a whole number."""
    head = struct.pack(">bh", 20 if isinstance(value, dict) else 21, len(name)) + name.encode()
    if isinstance(value, dict):
        return head + group(value)
    if isinstance(value, bytes):  # raw: what stands after the delimiter
        return head + b"%%%%" + value
    if isinstance(value, np.ndarray):
        codes = {"int16": 2, "float32": 6, "complex64": 6}
        info = (
            3,
            20,
            codes[value.dtype.name],
            value.view("f4").size if value.dtype.kind == "c" else value.size,
        )
        return head + b"%%%%" + struct.pack(">4l", *info) + value.tobytes()
    if isinstance(value, str):
        return head + b"%%%%" + struct.pack(">4l", 3, 20, 4, len(value)) + value.encode("utf-16-le")
    if isinstance(value, float):
        return head + b"%%%%" + struct.pack(">2l", 1, 6) + struct.pack("<f", value)
    return head + b"%%%%" + struct.pack(">2l", 1, 3) + struct.pack("<l", value)


def group(tags: dict[str, Any]) -> bytes:
    names = ["" if name.startswith("#") else name for name in tags]
    members = b"".join(tag(name, value) for name, value in zip(names, tags.values(), strict=True))
    return struct.pack(">bbl", 0, 0, len(tags)) + members


def dm_image(data: np.ndarray, *, name: str, steps: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Tags of one image; steps of x, y and z with their units."""
    kind = {"int16": 1, "float32": 2, "complex64": 3}[data.dtype.name]
    axes = {f"#{n}": {"Origin": 0.0, "Scale": step, "Units": units} for n, (step, units) in enumerate(steps)}
    calibrations = {"Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": ""}, "Dimension": axes}
    sizes = {f"#{n}": size for n, size in enumerate(data.shape[::-1])}
    about = {"Calibrations": calibrations, "Data": data, "DataType": kind, "Dimensions": sizes}
    return {"ImageData": about, "ImageTags": {}, "Name": name}


def write_dm3(path: Path, images: Sequence[dict[str, Any]], **more: Any) -> None:
    tags = group({**more, "ImageList": {f"#{n}": image for n, image in enumerate(images)}})
    path.write_bytes(struct.pack(">3l", 3, len(tags), 1) + tags)


NM = ((0.5, "nm"), (0.25, "nm"), (1.0, ""))


def test_a_dm_file_of_energies_is_a_stack_over_energy(tmp_path: Path) -> None:
    steps = (*NM[:2], (2.0, "eV"))
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES, name="EFTEM", steps=steps)])
    images = open_images(tmp_path / "a.dm3")
    assert images["values"].dims == ("energy", "y", "x")
    np.testing.assert_array_equal(images["energy"], [0, 2, 4])
    np.testing.assert_array_equal(images["values"].values, SERIES)
