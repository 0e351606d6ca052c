"""Micrographs in the formats of microscopes, against their own headers and RosettaSciIO."""

import builtins
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from engine.errors import FileError, InputError, MissingDependencyError
from engine.readers import open_images
from tests.engine.readers.damaged_files import are_plain, mutations, outcome
from tests.engine.readers.micrograph_files import (
    NM,
    SERIES,
    WRITERS,
    dm_image,
    write_dm3,
    write_mrc,
    write_velox,
)

Said = Callable[[xr.Dataset], list[str]]


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


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
