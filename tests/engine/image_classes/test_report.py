"""Tests of `engine.image_classes.report`."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from engine import blocks, catalogue, progress
from engine.errors import CancelledError, InputError
from engine.schema import IMAGE_TABLE, table
from tests.engine.image_classes.drawn_pictures import KINDS


def test_tables_and_report_hold_every_picture(result: xr.DataTree, tmp_path: Path) -> None:
    import pandas as pd

    paths = catalogue.find("exporters", "csv")(result, tmp_path)
    frame = pd.read_csv(next(p for p in paths if p.name.endswith("_images.csv")), comment="#")
    assert len(frame) == len(table(result, IMAGE_TABLE)["file"])
    chances = frame[[f"probability {kind}" for kind in KINDS]]
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert set(frame["name"]) <= set(KINDS)
    (page,) = catalogue.find("exporters", "html")(result, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "expected calibration error" in text
    assert text.count("<img") > 10
    endings = {path.suffix for path in catalogue.find("exporters", "figure")(result, tmp_path)}
    assert endings == {".png", ".pdf"}
    with pytest.raises(InputError, match=r"tiff is for .*, and the result is one of sorted images"):
        catalogue.find("exporters", "tiff")(result, tmp_path)


VALUES = np.random.default_rng(0).random((3, 40, 30))


def test_a_reporter_can_cancel_the_computation_between_tiles() -> None:
    computed: list[int] = []

    def cancel_soon(share: float, _: str) -> None:
        if share > 0.1:
            raise CancelledError("enough")

    tiles = da.from_array(VALUES[0], chunks=(1, 30))
    lazy = blocks.map_tiles(lambda v: (computed.append(1), v)[1], tiles, dtype=float)
    with progress.reporting(cancel_soon), pytest.raises(CancelledError, match="enough"):
        blocks.compute(lazy, doing="counting")
    assert len(computed) < 40
