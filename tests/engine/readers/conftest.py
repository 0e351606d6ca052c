"""Small EP4 folders and the warnings of images."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from engine.simulate import ep4

Values = dict[str, np.ndarray]


def maps(n: int = 3, rows: int = 6, columns: int = 5) -> Values:
    """Delta and Psi maps with a different value everywhere and one hole."""
    count = np.arange(n * rows * columns, dtype=np.float32).reshape(n, rows, columns)
    delta, psi = count + 100.25, count / 4 + 10.5
    delta[0, 1, 2] = np.nan
    return {"delta": delta, "psi": psi.astype(np.float32)}


def write_folder(folder: Path, values: Values) -> Path:
    """Write maps as an EP4 folder, map `d0.png`, `p0.png` and so on, at 500, 510, ... nm."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(500.0 + 10 * n, 50.0, f"d{n}.png", f"p{n}.png") for n in range(len(values["delta"]))]
    for name, stack in values.items():
        for n, plane in enumerate(stack):
            ep4.write_map(folder / f"{name[0]}{n}.png", plane)
    ep4.write_table(folder / "m.ds.dat", rows)
    ep4.write_description(
        folder / "m.dsinfo.xml", kind="Map", comment="Flake 7", properties={"objective": "Nikon_20x"}
    )
    return folder


@pytest.fixture
def ep4_values() -> Values:
    """The maps of `ep4_folder`."""
    return maps()


@pytest.fixture
def ep4_folder(tmp_path: Path, ep4_values: Values) -> Path:
    """A folder of three pairs of maps."""
    return write_folder(tmp_path / "folder", ep4_values)


@pytest.fixture
def warnings_of() -> Callable[[xr.Dataset], list[str]]:
    """The sentences for the user."""
    return lambda images: json.loads(images.attrs["warnings"])
