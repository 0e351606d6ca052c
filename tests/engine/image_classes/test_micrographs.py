"""Pictures are classified with confidence, evidence and similar ones, and the unknown is told as such."""

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


def test_a_smaller_allowed_error_leaves_more_pictures_without_an_answer(images: xr.Dataset, model) -> None:
    none, all_ = (
        table(engine.run("micrographs", images, model=model, error=error), IMAGE_TABLE)
        for error in (0.0, 1.0)
    )
    assert none["abstained"].values.sum() >= all_["abstained"].values.sum()
    np.testing.assert_array_equal(all_["abstained"], all_["unlike"])


def test_a_single_picture_gets_the_same_answer(folder: Path, result: xr.DataTree, model) -> None:
    alone = table(
        engine.run("micrographs", engine.open(folder / "lines/picture_000.png"), model=model), IMAGE_TABLE
    )
    rows = table(result, IMAGE_TABLE).load()
    row = rows.isel(image=int(np.flatnonzero(rows["file"].values == "lines/picture_000.png")[0]))
    assert int(alone["class"][0]) == int(row["class"])
    np.testing.assert_allclose(alone["probability"][0], row["probability"], atol=1e-4)


def test_every_source_is_left_out_in_turn(images: xr.Dataset) -> None:
    model = engine.fit("micrographs", images, judged_by="origins", **{**QUICK, "n_steps": 12})
    assert model.metadata["n_pictures"][2] == images.sizes["image"]
    assert "every origin in turn" in model.metadata["judged_on"]
    assert model.metadata["unscored"] == []


def test_one_class_or_no_labels_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "dots").mkdir()
    for n in range(3):
        Image.fromarray(picture("dots", rng)).save(tmp_path / "dots" / f"{n}.png")
    with pytest.raises(InputError, match=r"are of 1 classes \(dots\); give two or more: a folder"):
        engine.fit("micrographs", engine.open(tmp_path), **QUICK)
