"""Damaged files: whatever happens to the bytes, a user sees images or one sentence, nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import zarr
from astropy.io import fits

from engine.errors import MapstackError
from engine.readers import describe, digest, open_images

CUBE = np.arange(3 * 8 * 10, dtype=np.float32).reshape(3, 8, 10)
N_MUTATIONS = 60


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


def mutations(raw: bytes, *, seed: int) -> list[bytes]:
    """The same bytes cut off, with a few bytes changed, or with a piece moved in; early bytes more often."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(N_MUTATIONS):
        changed = bytearray(raw)
        places = (len(raw) * rng.random(1 + n % 4) ** (1 + n % 3)).astype(int)
        for place in places:
            changed[place] = rng.integers(256)
        if n % 3 == 0:
            del changed[int(len(raw) * rng.random()) :]
        elif n % 3 == 1:
            changed[places[0] : places[0]] = rng.bytes(4)
        made.append(bytes(changed))
    return made


def outcome(path: Path) -> str:
    """What the user sees: `opened`, or the sentence."""
    try:
        images = open_images(path)
        describe(images)
        images.load()
        digest(path)
    except MapstackError as error:
        return str(error)
    return "opened"


def are_plain(outcomes: list[str]) -> bool:
    """Whether all outcomes are fit to be shown, and the damage was not always harmless."""
    return all(text.strip() and "\n" not in text for text in outcomes) and set(outcomes) != {"opened"}


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["d0.png", "m.ds.dat", "m.dsinfo.xml"])
def test_a_damaged_ellipsometry_folder_gives_images_or_one_sentence(ep4_folder: Path, name: str) -> None:
    outcomes = []
    for changed in mutations((ep4_folder / name).read_bytes(), seed=7):
        (ep4_folder / name).write_bytes(changed)
        outcomes.append(outcome(ep4_folder))
    assert all("\n" not in text for text in outcomes)
    assert (set(outcomes) == {"opened"}) is (name != "m.ds.dat")


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
