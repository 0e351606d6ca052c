"""Pictures of dots, lines and squares in a folder for each class."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

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
