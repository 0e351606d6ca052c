"""Tests of `engine.image_classes.examples`."""

from pathlib import Path

import numpy as np
from PIL import Image

import engine
from engine.image_classes import examples
from tests.engine.image_classes.drawn_pictures import picture


def test_copies_of_a_picture_stay_on_one_side_of_the_split(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    (tmp_path / "dots").mkdir()
    (tmp_path / "lines").mkdir()
    first = picture("dots", rng)
    for n in range(8):
        turned = np.rot90(first, n % 4)
        values = turned if n < 4 else picture("lines", rng)
        Image.fromarray(values).save(tmp_path / ("dots" if n < 4 else "lines") / f"p{n}.png")
    read = examples.examples(engine.open(tmp_path), None, edge=32, databar=False)
    merged, n_copied = examples.without_copies(read, seed=0)
    assert n_copied == 4
    assert np.unique(merged.parents[merged.classes == 0]).size == 1
