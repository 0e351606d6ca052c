"""Tests of `engine.readers.arrays.zarr_stores`."""

from pathlib import Path

import pytest
import zarr

from engine.errors import FileError
from engine.readers import open_images
from tests.engine.readers.array_files import CUBE
from tests.engine.readers.damaged_files import are_plain, mutations, outcome


def test_a_zarr_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    zarr.save_array(str(tmp_path / "a.zarr"), CUBE)
    (tmp_path / "secret").write_bytes(bytes(1000))
    chunk = next(
        path for path in (tmp_path / "a.zarr").rglob("*") if path.is_file() and path.name != "zarr.json"
    )
    chunk.unlink()
    chunk.symlink_to(tmp_path / "secret")
    with pytest.raises(FileError, match="a link that leads out"):
        open_images(tmp_path / "a.zarr")


def test_a_zarr_codec_that_could_run_code_is_refused(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), data=CUBE, zarr_format=2, compressors=None)
    document = tmp_path / "a.zarr" / ".zarray"
    document.write_text(document.read_text().replace('"compressor": null', '"compressor": {"id": "pickle"}'))
    assert "pickle" in document.read_text()
    with pytest.raises(FileError, match=r"a\.zarr cannot be read"):
        open_images(tmp_path / "a.zarr")


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_zarr_gives_images_or_one_sentence(tmp_path: Path) -> None:
    store = tmp_path / "a.zarr"
    zarr.save_array(str(store), CUBE)
    outcomes = []
    for path in [path for path in store.rglob("*") if path.is_file()]:
        raw = path.read_bytes()
        for changed in mutations(raw, seed=3):
            path.write_bytes(changed)
            outcomes.append(outcome(store))
        path.write_bytes(raw)
    assert are_plain(outcomes)
