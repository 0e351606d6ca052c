"""Micrographs in microscopes' formats, written by hand."""

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

SERIES = np.arange(3 * 5 * 7, dtype=np.int16).reshape(3, 5, 7)


def write_mrc(path: Path, data: np.ndarray, *, cell: float = 2.5, order: str = "<", **fields: Any) -> None:
    """Write an MRC2014 file by the table of its standard; `cell` is the pixel size in Å."""
    data = data.astype(data.dtype.newbyteorder(order))
    n_z, n_y, n_x = data.shape if data.ndim == 3 else (1, *data.shape)
    head = bytearray(1024)
    modes = {"int8": 0, "uint8": 0, "int16": 1, "float32": 2, "complex64": 4, "uint16": 6, "float16": 12}
    struct.pack_into(f"{order}4i", head, 0, n_x, n_y, n_z, modes[data.dtype.name])
    struct.pack_into(f"{order}3i3f", head, 28, n_x, n_y, n_z, n_x * cell, 2 * n_y * cell, 1.0)
    struct.pack_into(f"{order}3i", head, 64, 1, 2, 3)
    struct.pack_into(f"{order}2f", head, 76, float(data.real.min()), float(data.real.max()))
    head[208:216] = b"MAP DD\0\0" if order == "<" else b"MAP \x11\x11\0\0"
    for place, value in fields.get("raw", {}).items():
        head[place : place + len(value)] = value
    path.write_bytes(bytes(head) + fields.get("extra", b"") + data.tobytes())


def write_ser(path: Path, images: np.ndarray, *, version: int = 0x210, step: float = 2e-10) -> None:
    """Write a TIA file by Boothroyd's description, the bottom row first; x steps are twice those of y."""
    place = "<I" if version < 0x220 else "<Q"
    n_images, n_y, n_x = images.shape
    dimension = struct.pack("<IddII6sI", n_images, 0, 1, 0, 6, b"Number", 0)
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, version, 0x4122, 0x4152, n_images, n_images)
    table_at = len(head) + struct.calcsize(place) + 4 + len(dimension)
    first = table_at + 2 * n_images * struct.calcsize(place)
    facts = struct.pack("<ddIddIHII", 0, 2 * step, 0, 0, step, 0, 5, n_x, n_y)
    elements = [facts + image[::-1].astype("<i2").tobytes() + bytes(8) for image in images]
    places = [first + n * len(elements[0]) for n in range(n_images)]
    table = b"".join(
        struct.pack(place, at) for at in [*places, *(at + len(elements[0]) - 8 for at in places)]
    )
    body = struct.pack(place, table_at) + struct.pack("<I", 1) + dimension + table + b"".join(elements)
    path.write_bytes(head + body)


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
