"""Shared fixtures."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from engine.catalogue import find
from engine.simulate.mosaic import Mosaic


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulator = find("simulators", "maps")(n_regions=3, size=64, n_wavelengths=4, seed=3)
    folder: Path = simulator.write(tmp_path_factory.mktemp("maps"))
    return folder


@pytest.fixture(scope="session")
def mosaic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Mosaic(size=64, n_frames=2, seed=3).write(tmp_path_factory.mktemp("mosaic"))


@pytest.fixture(scope="session")
def images() -> xr.Dataset:
    rng = np.random.default_rng(0)
    values = np.kron([[0.0, 5.0], [5.0, 9.0]], np.ones((8, 8))) + rng.normal(0, 0.01, (3, 16, 16))
    return xr.Dataset({"values": (("channel", "y", "x"), values.astype("f4"), {"units": "1"})})
