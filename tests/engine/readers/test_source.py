"""Tests of `engine.readers.source`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.readers import open_images, source
from tests.engine.readers.array_files import (
    CUBE,
    write_classic_netcdf,
    write_hdf5,
    write_matlab,
    write_named_zarr,
    write_netcdf,
    write_npy,
    write_npz,
    write_packed_npz,
    write_zarr,
    write_zarr_2,
)

WRITERS = [
    write_npy,
    write_npz,
    write_packed_npz,
    write_hdf5,
    write_netcdf,
    write_classic_netcdf,
    write_zarr,
    write_zarr_2,
    write_named_zarr,
    write_matlab,
]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_is_opened_without_reading_its_values(
    tmp_path: Path, write: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source.Source, "__getitem__", lambda *_: pytest.fail("pixels were read"))
    (variable,) = open_images(tmp_path / write(tmp_path)).data_vars.values()
    assert variable.shape == CUBE.shape


def test_tiles_are_whole_stored_chunks_about_32_mb_large() -> None:
    tiles = source.tile_chunks((128, 128, 2048), 4, spectral=2, stored=(8, 8, 2048))
    assert tiles == (32, 128, 2048)
    assert source.tile_chunks((22, 4096, 4096), 4, spectral=0) == (22, 93, 4096)
    huge = source.tile_chunks((22, 8192, 8192), 4, spectral=0, stored=(1, 8192, 8192))
    assert np.prod(huge) * 4 <= source.MOST_TILE_BYTES


def test_the_title_reader_source_and_warnings_are_always_there(tmp_path: Path) -> None:
    np.save(tmp_path / "sample.npy", np.ones((4, 5)))
    attrs = open_images(tmp_path / "sample.npy").attrs
    assert attrs == {"title": "sample", "reader": "npy", "source": f"{tmp_path}/sample.npy", "warnings": "[]"}
