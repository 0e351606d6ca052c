"""Shared fixtures."""

from pathlib import Path

import pytest
import xarray as xr

import engine
from tests.engine.image_classes.drawn_pictures import QUICK, write


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("pictures") / "set")


@pytest.fixture(scope="session")
def images(folder: Path) -> xr.Dataset:
    return engine.open(folder)


@pytest.fixture(scope="session")
def model(images: xr.Dataset):
    return engine.fit("micrographs", images, **QUICK)


@pytest.fixture(scope="session")
def result(images: xr.Dataset, model) -> xr.DataTree:
    return engine.run("micrographs", images, model=model)
