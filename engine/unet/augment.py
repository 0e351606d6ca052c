"""More examples from few: images and their classes turned and mirrored together."""

import numpy as np


def turn_crops(
    image: np.ndarray, classes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return one of the 8 ways to lay a square on a square, drawn at random, of both.

    Parameters
    ----------
    image, classes : ndarray, dims (y, x)
    """
    quarters, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    laid = [np.rot90(plane, quarters) for plane in (image, classes)]
    return tuple(plane[:, ::-1] if mirrored else plane for plane in laid)  # type: ignore[return-value]
