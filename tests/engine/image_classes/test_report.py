"""Tests of `engine.image_classes.report`."""

import csv
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageDraw

from engine import blocks, catalogue, progress
from engine.errors import CancelledError, InputError
from engine.schema import IMAGE_TABLE, table

EDGE = 64


QUICK = {"edge": 32, "n_steps": 160, "minutes": 2.0, "n_together": 16}


KINDS = ("dots", "lines", "squares")


def picture(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Dots, lines or squares, each picture with its own number, size and noise."""
    canvas = Image.new("L", (EDGE, EDGE), 60)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(5, 10))):
        x, y, size = *rng.uniform(5, EDGE - 5, 2), rng.uniform(4, 6)
        if kind == "lines":
            draw.line((x - 30, y, x + 30, y), fill=200, width=2)
        elif kind == "dots":
            draw.ellipse((x - size, y - size, x + size, y + size), fill=200)
        else:
            draw.rectangle((x - 9, y - 9, x + 9, y + 9), outline=200, width=2)
    return np.clip(np.asarray(canvas, np.float32) + rng.normal(0, 4, (EDGE, EDGE)), 0, 255).astype(np.uint8)


def write(folder: Path, *, n_parents: int = 14, n_each: int = 3, seed: int = 0) -> Path:
    """A folder per class, and a csv that tells which pictures are of one sample."""
    rng = np.random.default_rng(seed)
    rows = []
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for n in range(n_parents * n_each):
            name = f"{kind}/picture_{n:03d}.png"
            Image.fromarray(picture(kind, rng)).save(folder / name)
            rows.append((name, kind, f"{kind}_{n // n_each}", f"lab {n // n_each % 3}"))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "label", "parent", "source"), *rows])
    return folder


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
