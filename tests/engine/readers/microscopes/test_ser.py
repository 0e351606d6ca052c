"""Tests of `engine.readers.microscopes.ser`."""

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from astropy.io import fits

import engine
from engine.__main__ import main
from engine.readers import describe, digest, open_images
from tests.engine.readers.micrograph_files import SERIES, write_mrc, write_ser

Said = Callable[[xr.Dataset], list[str]]


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


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


def write_series_dm3(path: Path) -> None:
    write_dm3(path, [dm_image(SERIES, name="Movie", steps=NM)])


def write_berkeley(path: Path) -> None:
    from rsciio.emd import file_writer

    axes = [
        {"name": name, "size": size, "scale": scale, "offset": 0.0, "units": units, "navigate": name == "z"}
        for name, size, scale, units in zip("zyx", SERIES.shape, (1, 2.0, 4.0), ("", "Å", "Å"), strict=True)
    ]
    facts = {"General": {"title": "Gold"}, "Signal": {"signal_type": ""}}
    file_writer(path, {"data": SERIES, "axes": axes, "metadata": facts, "original_metadata": {}})


def write_velox(path: Path, *, images: Sequence[np.ndarray] = (SERIES,), units: str = "m") -> None:
    """Write what Velox writes of images: (y, x, image), described in JSON."""
    with h5py.File(path, "w") as file:
        version = json.dumps({"format": "Velox", "version": "1.9"}).encode()
        file.create_dataset("Version", data=[version], dtype=h5py.string_dtype("ascii"))
        for n, data in enumerate(images):
            size = {"width": "2.0e-10", "height": "1.0e-10"}
            binary = {"PixelSize": size, "PixelUnitX": units, "PixelUnitY": units, "DetectorIndex": str(n)}
            detectors = {f"Detector-{n}": {"DetectorName": "HAADF" if n else "BF", "ExposureTime": "1"}}
            facts = {
                "BinaryResult": binary,
                "Detectors": detectors,
                **{key: {} for key in ("Acquisition", "CustomProperties", "Scan")},
            }
            text = np.frombuffer(json.dumps(facts).encode().ljust(2000, b"\0"), np.uint8)
            folder = file.create_group(f"Data/Image/{n:032x}")
            folder.create_dataset("Data", data=np.moveaxis(data, 0, 2), chunks=(*data.shape[1:], 1))
            folder.create_dataset("Metadata", data=np.tile(text[:, None], data.shape[0]))


WRITERS: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "a.mrc": (lambda path: write_mrc(path, SERIES), {"y": 0.5, "x": 0.25, "units": "nm"}),
    "a.ser": (lambda path: write_ser(path, SERIES), {"y": 0.2, "x": 0.4, "units": "nm"}),
    "b.ser": (lambda path: write_ser(path, SERIES, version=0x220), {"y": 0.2, "x": 0.4, "units": "nm"}),
    "a.dm3": (write_series_dm3, {"y": 0.25, "x": 0.5, "units": "nm"}),
    "a.emd": (write_berkeley, {"y": 0.2, "x": 0.4, "units": "nm"}),
    "b.emd": (write_velox, {"y": 0.1, "x": 0.2, "units": "nm"}),
}
"""Formats as series of `SERIES`, and the pixel sizes that each says."""


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
