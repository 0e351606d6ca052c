"""Tests of `engine.readers.description`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import xarray as xr
from astropy.io import fits

import engine
from engine.errors import MapstackError
from engine.readers import describe, open_images
from tests.engine.readers.micrograph_files import (
    SERIES,
    WRITERS,
    dm_image,
    write_dm3,
)

Said = Callable[[xr.Dataset], list[str]]


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


def steps_in_nm(axes: Sequence[dict[str, Any]]) -> list[float]:
    """Steps of y and x of RosettaSciIO's axes."""
    lengths = {"pm": 1e-3, "Å": 0.1, "nm": 1.0, "µm": 1e3}
    return [float(one["scale"]) * lengths[one["units"]] for one in axes[-2:]]


def peer_of(path: Path) -> Any:
    from rsciio import digitalmicrograph, emd, mrc, tia

    peers = {".mrc": mrc, ".ser": tia, ".dm3": digitalmicrograph, ".dm4": digitalmicrograph, ".emd": emd}
    return peers[path.suffix].file_reader


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITERS)
def test_rosettasciio_finds_the_same_values_and_pixel_size(tmp_path: Path, name: str) -> None:
    WRITERS[name][0](tmp_path / name)
    (peer,) = peer_of(tmp_path / name)(str(tmp_path / name))
    images = open_images(tmp_path / name)
    np.testing.assert_array_equal(peer["data"], images["values"].values)
    found = describe(images)["pixel_size"]
    assert [found["y"], found["x"]] == pytest.approx(steps_in_nm(peer["axes"]))


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


def test_facts_are_json_and_count_pixels_with_a_hole_in_any_map(ep4_folder: Path) -> None:
    facts = describe(open_images(ep4_folder))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["nan_share"] == pytest.approx(1 / 30)
    assert facts["bytes"] == 2 * 3 * 6 * 5 * 4
    assert facts["sizes"] == {"wavelength": 3, "y": 6, "x": 5}
    assert facts["units"] == {"delta": "deg", "psi": "deg"}
    assert facts["coordinates"]["wavelength"] == {"units": "nm", "first": 500.0, "last": 520.0, "size": 3}
    assert (facts["pixel_size"], facts["wcs"], facts["warnings"]) == (None, None, [])
    assert {"path", "reader", "dims", "dtype", "chunks"} <= set(facts)


def test_facts_do_not_depend_on_the_tiles(ep4_folder: Path) -> None:
    shares = {
        describe(open_images(ep4_folder, chunks=c))["nan_share"] for c in (None, {"y": 1}, {"y": 4, "x": 2})
    }
    assert len(shares) == 1


def astropys_own() -> list[Path]:
    folder = Path(fits.__file__).parent / "tests" / "data"
    return sorted(folder.glob("*.fits"))


def outcome(path: Path) -> str:
    """What the user sees: `opened`, or the sentence."""
    try:
        images = open_images(path)
        describe(images)
        images.load()
    except MapstackError as error:
        return str(error)
    return "opened"


@pytest.mark.parametrize("path", astropys_own(), ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore")
def test_astropys_own_test_files_give_astropys_values_or_one_sentence(path: Path) -> None:
    with fits.open(path, memmap=False) as hdus:
        images = {n: h for n, h in enumerate(hdus) if h.is_image and h.data is not None}
        for number, hdu in images.items():
            values = hdu.data
            if getattr(values, "ndim", 0) not in (2, 3) or isinstance(hdu, fits.GroupsHDU) or not values.size:
                continue
            found = open_images(f"{path}::{number}")["values"].values
            assert found.tobytes() == values.astype(values.dtype.newbyteorder("=")).tobytes()
    said = outcome(path)
    assert said == "opened" or path.name in said


CUBE = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)


def test_imagej_and_ome_pixel_sizes_are_taken_and_a_resolution_for_printers_is_not(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "i.tif", CUBE, imagej=True, resolution=(4, 2), metadata={"unit": "um"})
    sizes = {"PhysicalSizeX": 5.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 5.0, "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(tmp_path / "o.ome.tif", CUBE, metadata={"axes": "CYX", **sizes})
    tifffile.imwrite(
        tmp_path / "p.tif", CUBE, photometric="minisblack", resolution=(72, 72), resolutionunit=2
    )
    found = [describe(open_images(tmp_path / name))["pixel_size"] for name in ("i.tif", "o.ome.tif", "p.tif")]
    assert found == [{"y": 0.5, "x": 0.25, "units": "µm"}, {"y": 5.0, "x": 5.0, "units": "nm"}, None]
