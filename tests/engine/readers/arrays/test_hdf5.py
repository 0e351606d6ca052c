"""Tests of `engine.readers.arrays.hdf5`."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.errors import InputError
from engine.readers import open_images
from tests.engine.readers.array_files import CUBE


def test_an_hdf5_key_is_the_path_in_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"], file["other/data"] = CUBE, CUBE[0]
    images = open_images(f"{tmp_path}/a.h5::/entry/data")
    np.testing.assert_array_equal(images["data"].values, CUBE)
    assert images.attrs["source"].endswith("a.h5::/entry/data")
    with pytest.raises(InputError, match="entry/data, other/data"):
        open_images(tmp_path / "a.h5")


def test_an_hdf5_link_to_another_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = CUBE
    (tmp_path / "inside").mkdir()
    with h5py.File(tmp_path / "inside" / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink("../secret.h5", "data")
        file["soft"] = h5py.SoftLink("/link")
    for key in ("", "::link"):
        with pytest.raises(InputError, match=r"a.h5::link leads to another file"):
            open_images(f"{tmp_path}/inside/a.h5{key}")
    with pytest.raises(InputError, match="holds no 2-D or 3-D array"):
        open_images(f"{tmp_path}/inside/a.h5::soft")


def test_hdf5_data_stored_in_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(1000))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (10, 10), "u1", external=[(str(tmp_path / "secret"), 0, 100)])
    with pytest.raises(InputError, match="keeps its data in another file"):
        open_images(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("labels", "dim"), [(("y", "x", "energy"), "energy"), (("a", "b", "wl"), "wavelength")]
)
def test_the_names_of_hdf5_axes_are_used(tmp_path: Path, labels: tuple[str, ...], dim: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE.transpose(1, 2, 0)
        for n, label in enumerate(labels):
            file["cube"].dims[n].label = label
    images = open_images(tmp_path / "a.h5")
    assert images["cube"].dims == (dim, "y", "x")
    np.testing.assert_array_equal(images["cube"].values, CUBE)
