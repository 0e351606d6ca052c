"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the real data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("MAPSTACK_SHARED", Path(__file__).parents[2] / "shared")).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data in {folder.name}/: set MAPSTACK_SHARED to a folder that holds data/")
    return folder


@pytest.fixture
def hbn(shared: Path) -> Path:
    """The real imaging-ellipsometry folder."""
    return shared / "data" / "hyperspectral" / "hBN_test"
