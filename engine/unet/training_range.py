"""The kind of frames that a network was trained on, and whether another frame is of that kind."""

from collections.abc import Mapping, Sequence
from typing import Final

import dask.array as da
import numpy as np

from engine import blocks
from engine.unet.predict_tiles import Background, sample_rows

FAR: Final = 5.0
"""Standard deviations of the noise from which on a pixel is far from the background."""

_DOUBTS: Final[Mapping[str, tuple[float, str]]] = {
    "bright": (0.05, "{found:.1%} of its pixels are far above the background, up to {high:.1%} in training"),
    "dark": (0.002, "{found:.1%} of its pixels are far below the background, up to {high:.1%} in training"),
    "grain": (
        0.25,
        "neighbouring pixels differ by {found:.2f} times the noise, by {low:.2f} to {high:.2f} in training",
    ),
}
"""By fact: how far beyond the trained range is still near, and what to say beyond."""


def facts(frame: da.Array, found: Background) -> dict[str, float]:
    """Return what tells kinds of frames apart, from rows spread over a frame.

    Parameters
    ----------
    frame : dask array (y, x)
        The frame.
    found
        Background of the frame: level and noise.

    Returns
    -------
    dict
        `bright` and `dark`: shares of pixels more than `FAR` standard deviations above and below the
        background; `grain`: robust standard deviation of the difference of neighbours over that of
        independent noise, 1 where the background is flat and the noise white.
    """
    (read,) = blocks.compute(sample_rows(frame), doing="comparing with the training")
    sigmas = (np.asarray(read, np.float64) - found.level) / found.noise
    difference = np.diff(sigmas, axis=1)
    difference = difference[np.isfinite(difference)]
    grain = 1.4826 * float(np.median(np.abs(difference))) / np.sqrt(2) if difference.size else 0.0
    return {
        "bright": float(np.mean(sigmas > FAR)),
        "dark": float(np.mean(sigmas < -FAR)),
        "grain": float(grain),
    }


def measure_range(frames: Sequence[da.Array], backgrounds: Sequence[Background]) -> dict[str, list[float]]:
    """Lowest and highest of each fact over the frames of a training.

    Parameters
    ----------
    frames : sequence of dask array
        Frames of the training.
    backgrounds : sequence of Background
        Their backgrounds.
    """
    each = [facts(frame, found) for frame, found in zip(frames, backgrounds, strict=True)]
    return {name: [min(f[name] for f in each), max(f[name] for f in each)] for name in _DOUBTS}


def doubts(trained: Mapping[str, Sequence[float]], frame: da.Array, found: Background) -> list[str]:
    """Return sentences on how a frame differs from those of the training; none if it does not.

    Parameters
    ----------
    trained : mapping
        Lowest and highest value of each fact in the training.
    frame : dask array (y, x)
        The frame.
    found
        Background of the frame: level and noise.
    """
    said = []
    for name, value in facts(frame, found).items():
        low, high = trained[name]
        near, sentence = _DOUBTS[name]
        if not low - near <= value <= high + near:
            said.append(
                "this frame is unlike those that the network was trained on: "
                + sentence.format(found=value, low=low, high=high)
                + "; check the labels, or train on frames like it"
            )
    return said
