"""Masks and chunkings of any kind."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def timepix(shared: Path) -> dict[str, np.ndarray]:
    """Real frames of a Timepix detector `(frame, y, x)` and the number of clusters in each."""
    with np.load(shared / "data" / "ccd" / "real" / "timepix_E09-W0092.npz") as stored:
        return {name: stored[name] for name in ("frames", "n_clusters")}
