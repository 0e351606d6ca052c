"""Tests of `engine.readers.microscopes.signal`."""

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.errors import FileError
from engine.readers import open_images
from engine.readers.microscopes import signal
from tests.engine.readers.micrograph_files import SERIES, write_mrc, write_ser


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
def test_opening_reads_no_pixels(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    WRITERS[name][0](tmp_path / name)

    def never(*arguments: Any) -> None:
        raise AssertionError("pixels were read")

    monkeypatch.setattr(signal, "load_planes", never)
    monkeypatch.setattr("engine.readers.microscopes.emd._load", never)
    images = open_images(tmp_path / name)
    with pytest.raises(FileError, match="pixels were read"):
        images.load()
