"""Tests of `engine.readers.microscopes.micrograph`."""

import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.readers import describe, open_images
from engine.readers.microscopes import micrograph
from tests.engine.readers.micrograph_files import SERIES


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


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
