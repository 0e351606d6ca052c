"""Tests of `engine.readers.microscopes.micrograph`."""

from pathlib import Path

import h5py
import pytest

import engine
from engine.errors import InputError
from engine.readers import describe, open_images
from engine.readers.microscopes import micrograph
from tests.engine.readers.micrograph_files import write_velox


@pytest.fixture
def hrtem(shared: Path) -> Path:
    """The real micrographs."""
    return shared / "data" / "hrtem"


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
