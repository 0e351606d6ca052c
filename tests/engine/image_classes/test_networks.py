"""Tests of `engine.image_classes.networks`."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageDraw

import engine
from engine.errors import InputError
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


def test_a_network_is_judged_by_originals_that_it_did_not_see(model) -> None:
    known = model.metadata
    assert np.nanmean([row["f1"] for row in known["metrics"]]) > 0.9
    assert sum(known["n_pictures"]) == len(KINDS) * 14 * 3
    assert sum(known["n_originals"]) <= len(KINDS) * 14
    assert known["calibration_error"] < 0.2
    assert known["majority"] < 0.5


def test_a_network_may_be_told_how_large_what_it_sees_is() -> None:
    rng = np.random.default_rng(6)
    sizes = np.tile([0.5, 200.0], 60)
    images = xr.Dataset(
        {
            "picture": (
                ("image", "y", "x"),
                np.stack([picture("dots", rng) for _ in sizes]).astype(np.float32),
            )
        },
        coords={
            "pixel_size": ("image", sizes, {"units": "nm"}),
            "label": ("image", np.where(sizes < 1, "pores", "grains")),
        },
    )
    told, blind = (
        engine.fit("micrographs", images, magnification=said, **{**QUICK, "n_steps": 60})
        for said in (True, False)
    )
    assert told.metadata["accuracy"] >= 0.9
    assert blind.metadata["accuracy"] < 0.85
    rows = table(engine.run("micrographs", images, model=told, error=1.0), IMAGE_TABLE)
    assert (rows["class"] == rows["truth"]).values.mean() >= 0.9
    with pytest.raises(InputError, match="takes no magnification"):
        engine.fit("micrographs", images, network="xception", magnification=True)
