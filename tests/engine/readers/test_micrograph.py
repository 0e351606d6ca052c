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

import engine
from engine.errors import FileError, InputError, MissingDependencyError
from engine.preprocess.intensity import intensity
from engine.readers import describe, digest, open_images
from engine.readers.dispatch import reader_of
from engine.readers.microscopes import micrograph, signal
from tests.engine.readers.test_mutations import are_plain, mutations, outcome

Said = Callable[[xr.Dataset], list[str]]
SERIES = np.arange(3 * 5 * 7, dtype=np.int16).reshape(3, 5, 7)


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITERS)
def test_rosettasciio_finds_the_same_values_and_pixel_size(tmp_path: Path, name: str) -> None:
    WRITERS[name][0](tmp_path / name)
    (peer,) = peer_of(tmp_path / name)(str(tmp_path / name))
    images = open_images(tmp_path / name)
    np.testing.assert_array_equal(peer["data"], images["values"].values)
    found = describe(images)["pixel_size"]
    assert [found["y"], found["x"]] == pytest.approx(steps_in_nm(peer["axes"]))


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


def steps_in_nm(axes: Sequence[dict[str, Any]]) -> list[float]:
    """Steps of y and x of RosettaSciIO's axes."""
    lengths = {"pm": 1e-3, "Å": 0.1, "nm": 1.0, "µm": 1e3}
    return [float(one["scale"]) * lengths[one["units"]] for one in axes[-2:]]


def peer_of(path: Path) -> Any:
    from rsciio import digitalmicrograph, emd, mrc, tia

    peers = {".mrc": mrc, ".ser": tia, ".dm3": digitalmicrograph, ".dm4": digitalmicrograph, ".emd": emd}
    return peers[path.suffix].file_reader


# ------------------------------------------------------------------ single formats


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


def test_a_dm_file_of_energies_is_a_stack_over_energy(tmp_path: Path) -> None:
    steps = (*NM[:2], (2.0, "eV"))
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES, name="EFTEM", steps=steps)])
    images = open_images(tmp_path / "a.dm3")
    assert images["values"].dims == ("energy", "y", "x")
    np.testing.assert_array_equal(images["energy"], [0, 2, 4])
    np.testing.assert_array_equal(images["values"].values, SERIES)


@pytest.mark.parametrize(
    ("units", "size"), [("Å", 0.05), ("µm", 500.0), ("um", 500.0), ("nm", 0.5), ("", None)]
)
def test_lengths_are_given_in_nm(tmp_path: Path, units: str, size: float | None) -> None:
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES[0], name="", steps=((0.5, units), (0.5, units)))])
    found = describe(open_images(tmp_path / "a.dm3"))["pixel_size"]
    assert found == (
        None if size is None else {"y": pytest.approx(size), "x": pytest.approx(size), "units": "nm"}
    )


def test_a_diffraction_pattern_has_no_size_in_nm_and_says_so(tmp_path: Path, warnings_of: Said) -> None:
    write_dm3(tmp_path / "a.dm3", [dm_image(SERIES[0], name="", steps=((0.5, "1/nm"), (0.5, "1/nm")))])
    images = open_images(tmp_path / "a.dm3")
    assert describe(images)["pixel_size"] is None
    assert warnings_of(images) == [
        "The pixels are counted in 1/nm, as in a diffraction pattern: no size in nm was taken."
    ]


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


def test_an_emi_alone_is_of_no_known_format(tmp_path: Path) -> None:
    (tmp_path / "a.emi").write_bytes(b"JW\1\0" * 9)
    with pytest.raises(InputError, match="no format that Mapstack knows"):
        open_images(tmp_path / "a.emi")


def test_plain_hdf5_goes_to_its_own_reader_even_if_called_emd(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["entry/data"] = SERIES
        file.attrs.update(version_major=0, version_minor=2)  # others number their versions so too
    assert reader_of(tmp_path / "a.emd") == "hdf5"


def test_a_velox_file_opens_each_detector_by_its_name(tmp_path: Path) -> None:
    write_velox(tmp_path / "a.emd", images=(SERIES[:1], SERIES[1:2]))
    images = open_images(f"{tmp_path}/a.emd::HAADF")
    assert images["values"].dims == ("y", "x")
    np.testing.assert_array_equal(images["values"].values, SERIES[1])
    assert images.attrs["title"] == "a HAADF"


def test_links_out_of_an_emd_file_are_not_followed(tmp_path: Path) -> None:
    write_velox(tmp_path / "secret.emd")
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file.attrs.update(version_major=0, version_minor=2)
        file.create_group("signals/one").attrs["emd_group_type"] = 1
        file["signals/one/data"] = h5py.ExternalLink("secret.emd", f"Data/Image/{0:032x}/Data")
    with pytest.raises(InputError, match="holds no image"):
        open_images(tmp_path / "a.emd")
    with h5py.File(tmp_path / "b.emd", "w") as file:
        file["Version"] = h5py.ExternalLink("secret.emd", "Version")
    assert not micrograph.accepts(tmp_path / "b.emd", (tmp_path / "b.emd").read_bytes()[:512])


def test_berkeley_files_put_axes_where_their_names_say(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file.attrs.update(version_major=0, version_minor=2)
        folder = file.create_group("data/gold")
        folder.attrs["emd_group_type"] = 1
        folder["data"] = SERIES[0]  # (y, x), as ncempy writes
        for n, (name, step) in enumerate((("y", 2.0), ("x", 4.0)), 1):
            folder[f"dim{n}"] = np.arange(SERIES.shape[n]) * step
            folder[f"dim{n}"].attrs.update(name=name, units="[n_m]")
    images = open_images(tmp_path / "a.emd")
    np.testing.assert_array_equal(images["values"].values, SERIES[0])
    assert describe(images)["pixel_size"] == {"y": 2.0, "x": 4.0, "units": "nm"}


def test_a_folder_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; give one micrograph"):
        open_images(tmp_path, reader="micrograph")


# ------------------------------------------------------------------ real data


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "size", "title"),
    [
        ("16_STOimage_1.ser", 0.0100127042404, "16_STOimage_1"),
        ("JEOL_HAADF_Image.dm4", 1.24901358504, "JEOL HAADF Image"),
    ],
)
def test_real_files_have_the_values_and_pixel_size_that_rosettasciio_finds(
    hrtem: Path, name: str, size: float, title: str
) -> None:
    path = hrtem / "raw_formats" / name
    images = engine.open(path)
    (peer,) = peer_of(path)(str(path))
    np.testing.assert_array_equal(images["values"].values, peer["data"])
    found = describe(images)["pixel_size"]
    assert [found["y"], found["x"]] == pytest.approx(steps_in_nm(peer["axes"]))
    assert found == {"y": pytest.approx(size), "x": pytest.approx(size), "units": "nm"}
    assert images.attrs["title"] == title


@pytest.mark.real
def test_the_real_ser_has_the_pixel_size_of_its_header(hrtem: Path) -> None:
    path = hrtem / "raw_formats" / "16_STOimage_1.ser"
    (place,) = struct.unpack_from("<I", path.read_bytes(), struct.unpack_from("<I", path.read_bytes(), 22)[0])
    (step,) = struct.unpack_from("<d", path.read_bytes(), place + 8)
    assert describe(engine.open(path))["pixel_size"]["x"] == pytest.approx(step * 1e9)


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


@pytest.mark.real
def test_everything_among_the_real_micrographs_opens_in_its_size(hrtem: Path) -> None:
    from PIL import Image

    found = sorted(path for path in hrtem.rglob("*") if path.is_file())
    assert len(found) > 40
    for path in found:
        images = engine.open(path)
        assert images["values"].dims[-2:] == ("y", "x")
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert (images.sizes["x"], images.sizes["y"]) == picture.size
            assert describe(images)["pixel_size"] is None


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("scottlab_au_cdse/gen_30_0_image.png", (132, 133)),
        ("cdse_defect_examples/np_no.png", (302, 305)),
        ("emps/images/01ac659240.png", (512, 587)),
        ("au_particles_temseg/images/frame_1.png", (369, 369)),
    ],
)
def test_non_square_and_coloured_pictures_have_one_intensity_a_pixel(
    hrtem: Path, name: str, sizes: tuple[int, int], warnings_of: Said
) -> None:
    from PIL import Image

    images = engine.open(hrtem / name)
    grey = intensity(images)
    assert grey.shape == sizes
    with Image.open(hrtem / name) as picture:
        luma = np.asarray(picture.convert("RGB").convert("L"), np.float64)
        mode = picture.mode
    assert np.abs(grey.values - luma).max() <= 0.51
    assert warnings_of(images) == (["The picture's transparency was left out."] if mode == "RGBA" else [])
