"""Digests of sources: hashed once, and anew when a file has changed."""

import hashlib
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import xarray as xr
from astropy.io import fits

from engine.errors import InputError
from engine.readers import digest, open_images, source_digest
from engine.readers import source_digest as digests
from tests.engine.readers.array_files import CUBE
from tests.engine.readers.damaged_files import are_plain, mutations, outcome


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is old enough to be remembered."""
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 4)))
    monkeypatch.setattr(digests, "TICK_NS", 0)
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    calls: list[Path] = []
    whole = digests.hash_files
    monkeypatch.setattr(
        digests, "hash_files", lambda path, files: (calls.append(path), whole(path, files))[1]
    )
    return calls


def test_an_unchanged_file_is_read_once(file: Path, hashed: list[Path]) -> None:
    assert digests.digest(file) == digests.digest(file)
    assert len(hashed) == 1


def test_a_file_of_other_size_or_time_is_read_again(file: Path, hashed: list[Path]) -> None:
    first = digests.digest(file)
    np.save(file, np.ones((4, 4)))
    os.utime(file, ns=(0, 1))
    assert digests.digest(file) != first
    os.utime(file, ns=(0, 2))
    digests.digest(file)
    assert len(hashed) == 3


def test_a_file_that_was_just_written_is_not_trusted(
    file: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "TICK_NS", 10**18 + time.time_ns())
    digests.digest(file)
    digests.digest(file)
    assert len(hashed) == 2


def test_parts_of_a_file_are_different_data(file: Path) -> None:
    assert digests.digest(f"{file}::a") != digests.digest(f"{file}::b")


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPYabc")
    assert digest(tmp_path / "a.npy") == hashlib.sha256(b"\x93NUMPYabc").hexdigest()


def test_a_digest_moves_with_the_data_and_a_quick_one_sees_ends_and_times(
    ep4_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = ep4_folder.rename(ep4_folder.with_name("moved"))
    full = digest(moved)
    assert digest(moved.rename(ep4_folder)) == full
    monkeypatch.setattr(source_digest, "FULL_BYTES", 10)
    monkeypatch.setattr(source_digest, "_digests", {})
    quick = digest(ep4_folder)
    assert quick.startswith("quick:")
    os.utime(ep4_folder / "d0.png", (1, 1))
    assert digest(ep4_folder) != quick


Said = Callable[[xr.Dataset], list[str]]


RNG = np.random.default_rng(5)


FRAME = RNG.integers(0, 2**16, (37, 53)).astype(np.uint16)


CHUNKS = (None, {"y": 7, "x": 5}, {"y": 37, "x": 50})


def check_as_astropy(path: Path, *, number: int = 0, key: str = "") -> None:
    """Values, type and shape as `hdul[number].data`, whatever the chunks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, memmap=False) as hdus:
            expected = np.array(hdus[number].data)
    expected = expected.astype(expected.dtype.newbyteorder("="))
    for chunks in CHUNKS:
        found = open_images(f"{path}{key}", chunks=chunks)["values"].values
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


def test_extensions_open_by_number_name_and_version_and_are_listed(tmp_path: Path, warnings_of: Said) -> None:
    frames = [FRAME, FRAME[::-1].astype(np.float32), (FRAME // 3).astype(np.int32)]
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name="LIST")
    units = [fits.ImageHDU(f, name=n, ver=v) for f, n, v in zip(frames, "ABB", (1, 1, 2), strict=True)]
    path = tmp_path / "many.fits"
    fits.HDUList([fits.PrimaryHDU(), table, *units]).writeto(path)
    for key, number in (("", 2), ("::2", 2), ("::a", 2), ("::3", 3), ("::B", 3), ("::B,2", 4), ("::4", 4)):
        check_as_astropy(path, number=number, key=key)
    assert warnings_of(open_images(path)) == [
        "The file holds 3 images: 2 A, 3 B, 4 B. Open another as many.fits::3."
    ]
    assert warnings_of(open_images(f"{path}::3")) == []
    assert digest(f"{path}::3") != digest(path)
    for key, said in (("9", "no HDU '9'"), ("C", "no HDU 'C'"), ("LIST", "no image in HDU 'LIST'")):
        with pytest.raises(InputError, match=f"many.fits has {said}; images are: 2 A, 3 B, 4 B"):
            open_images(f"{path}::{key}")


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("entry/cube", data=CUBE, chunks=(3, 4, 5), compression="gzip")


def write_hspy(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["Experiments/Map/data"] = CUBE
        for n in range(3):
            facts = {"navigate": n > 0, "scale": 0.1, "offset": 0.0, "units": "keV"}
            file.create_group(f"Experiments/Map/axis-{n}").attrs.update(facts)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "a.npy": lambda path: np.save(path, CUBE),
    "a.npz": lambda path: np.savez_compressed(path, cube=CUBE),
    "b.npz": lambda path: np.savez(path, cube=CUBE),
    "a.h5": write_hdf5,
    "a.hspy": write_hspy,
    "a.tif": lambda path: tifffile.imwrite(path, CUBE, photometric="minisblack"),
    "b.tif": lambda path: tifffile.imwrite(path, CUBE, photometric="minisblack", compression="zlib"),
    "a.fits": lambda path: fits.PrimaryHDU(CUBE.astype(np.uint16)).writeto(path, overwrite=True),
    "b.fits": lambda path: fits.CompImageHDU(CUBE).writeto(path, overwrite=True),
    "a.fits.gz": lambda path: fits.PrimaryHDU(CUBE).writeto(path, overwrite=True),
    "a.mat": lambda path: scipy.io.savemat(path, {"Y": CUBE.reshape(3, 80), "nRow": 8, "nCol": 10}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_file_gives_images_or_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    outcomes = []
    for changed in mutations(path.read_bytes(), seed=len(name)):
        path.write_bytes(changed)
        outcomes.append(outcome(path))
    assert are_plain(outcomes)
