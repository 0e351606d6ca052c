"""Tests of `engine.unet.tile_store`: store of the predictions for a large frame, in temporary files."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import engine
from engine import progress
from engine.errors import CancelledError
from engine.simulate.mosaic import Mosaic
from engine.unet import tile_store


def test_a_large_frame_goes_through_files_and_gives_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    image = Mosaic(size=256, seed=8).frame(0).image
    images = xr.Dataset({"image": (("y", "x"), image)})
    expected = engine.run("unet", images, tile=64)
    monkeypatch.setattr(tile_store, "IN_MEMORY", 0)
    seen: list[float] = []

    def stopped(share: float, _doing: str) -> None:
        seen.append(share)
        if share > 0.3:
            raise CancelledError("stop")

    with progress.keeping(tmp_path, lambda _: None):
        with progress.reporting(stopped), pytest.raises(CancelledError):
            engine.run("unet", images, tile=64)
        assert json.loads((tmp_path / tile_store.ROWS).read_text())["done"] > 0
        resumed = engine.run("unet", images, tile=64)
        for name in ("labels", "confidence", "entropy", "objects"):
            np.testing.assert_array_equal(np.asarray(resumed[name]), np.asarray(expected[name]))
