"""Micrographs in the formats of microscopes, against their own headers and RosettaSciIO."""

import builtins
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from engine.errors import FileError, InputError, MissingDependencyError
from engine.readers import open_images
from tests.engine.readers.damaged_files import are_plain, mutations, outcome
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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_file_gives_images_or_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name][0](path)
    raw = path.read_bytes()
    outcomes = []
    for changed in [*mutations(raw, seed=5), *(raw[: len(raw) * n // 20] for n in range(1, 20))]:
        path.write_bytes(changed)
        outcomes.append(outcome(path))
    assert are_plain(outcomes)


@pytest.mark.parametrize("name", [name for name in WRITERS if not name.endswith("emd")])
def test_a_cut_off_file_is_refused_when_it_is_opened(tmp_path: Path, name: str) -> None:
    WRITERS[name][0](tmp_path / name)
    raw = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(raw[:-60])
    with pytest.raises(FileError, match=rf"{name} (ends before its last value|cannot be read)"):
        open_images(tmp_path / name)


def test_complex_values_are_refused_with_what_to_do(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", SERIES.astype(np.complex64))
    with pytest.raises(InputError, match="mode 4, complex or packed; export it as TIFF"):
        open_images(tmp_path / "a.mrc")
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES[0].astype(np.complex64), name="FFT", steps=NM[:2])])
    with pytest.raises(InputError, match="no image of plain numbers; export it as TIFF"):
        open_images(tmp_path / "a.dm3")


def test_a_dm_file_of_several_images_opens_each_by_number_or_name(tmp_path: Path, warnings_of: Said) -> None:
    two = [dm_image(SERIES[n], name=name, steps=NM[:2]) for n, name in enumerate(("BF", "HAADF"))]
    write_dm3(tmp_path / "a.dm3", two)
    first = open_images(tmp_path / "a.dm3")
    np.testing.assert_array_equal(first["values"].values, SERIES[0])
    assert warnings_of(first) == ["The file holds 1 more images (HAADF); open them as FILE::1 and so on."]
    for key in ("1", "HAADF"):
        images = open_images(f"{tmp_path}/a.dm3::{key}")
        np.testing.assert_array_equal(images["values"].values, SERIES[1])
        assert images.attrs["title"] == "a HAADF"
    with pytest.raises(InputError, match="no image '2'; there are: 0 BF, 1 HAADF"):
        open_images(f"{tmp_path}/a.dm3::2")


def test_the_thumbnail_of_a_dm_file_is_left_out(tmp_path: Path) -> None:
    two = [dm_image(SERIES[n], name="", steps=NM[:2]) for n in range(2)]
    write_dm3(tmp_path / "a.dm3", two, Thumbnails={"#0": {"ImageIndex": 0}})
    np.testing.assert_array_equal(open_images(tmp_path / "a.dm3")["values"].values, SERIES[1])


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "raw",
    [
        struct.pack(">6l", 4, 20, 15, 0, 0, 2**31 - 1),
        struct.pack(">5l", 4, 20, 18, 0, 2**31 - 1),
        struct.pack(">4l", 3, 20, 2, -40),
    ],
    ids=["structs of nothing", "texts of nothing", "a step back"],
)
def test_tags_that_would_never_end_are_refused(tmp_path: Path, raw: bytes) -> None:
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES[0], name="", steps=NM[:2])], Hostile=raw)
    with pytest.raises(FileError, match="a tag holds"):
        open_images(tmp_path / "a.dm3")


def test_without_rosettasciio_dm_files_say_what_to_install_and_other_formats_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("rsciio"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    for name, (write, _) in WRITERS.items():
        write(tmp_path / name)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingDependencyError, match=r"pip install 'mapstack\[formats\]'"):
        open_images(tmp_path / "a.dm3")
    for name in ("a.mrc", "a.ser", "a.emd", "b.emd"):
        np.testing.assert_array_equal(open_images(tmp_path / name)["values"].values, SERIES)


def test_an_emi_alone_is_of_no_known_format(tmp_path: Path) -> None:
    (tmp_path / "a.emi").write_bytes(b"JW\1\0" * 9)
    with pytest.raises(InputError, match="no format that Mapstack knows"):
        open_images(tmp_path / "a.emi")


def test_a_velox_file_opens_each_detector_by_its_name(tmp_path: Path) -> None:
    write_velox(tmp_path / "a.emd", images=(SERIES[:1], SERIES[1:2]))
    images = open_images(f"{tmp_path}/a.emd::HAADF")
    assert images["values"].dims == ("y", "x")
    np.testing.assert_array_equal(images["values"].values, SERIES[1])
    assert images.attrs["title"] == "a HAADF"


@pytest.mark.real
@pytest.mark.parametrize("name", ["16_STOimage_1.ser", "JEOL_HAADF_Image.dm4"])
@pytest.mark.filterwarnings("ignore")
def test_real_files_that_are_damaged_give_images_or_one_sentence(
    hrtem: Path, tmp_path: Path, name: str
) -> None:
    raw = (hrtem / "raw_formats" / name).read_bytes()
    outcomes = []
    for changed in [*mutations(raw, seed=1)[:24], *(raw[:n] for n in (5, 40, 100, 600, len(raw) // 2))]:
        (tmp_path / name).write_bytes(changed)
        outcomes.append(outcome(tmp_path / name))
    assert are_plain(outcomes)
