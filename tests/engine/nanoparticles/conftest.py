"""Shared fixtures."""

from pathlib import Path

import pytest

import engine
from engine.simulate.hrtem import Hrtem


@pytest.fixture(scope="session")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulator = Hrtem(size=384, n_frames=4, pixel_size=0.05, empty=0.0, seed=3)
    return simulator.write(tmp_path_factory.mktemp("hrtem"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three micrographs, one of them smaller than the others."""
    place = Hrtem(size=256, n_frames=3, n_particles=4, pixel_size=0.05, empty=0.0, seed=3).write(
        tmp_path_factory.mktemp("collection")
    )
    small = Hrtem(size=200, n_frames=1, n_particles=3, pixel_size=0.05, empty=0.0, seed=4).write(
        tmp_path_factory.mktemp("small")
    )
    (small / "frame_000.tif").rename(place / "frame_003.tif")
    return place


@pytest.fixture(scope="session")
def result(folder: Path):
    return engine.run("particles", engine.open(folder))
