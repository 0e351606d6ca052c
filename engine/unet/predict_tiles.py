"""Apply a network to frames of any size, tile by tile: labels without seams, the same for any chunking.

The tiles lie on a grid anchored at the frame's origin, whatever its chunks, and each is seen with the pixels
round it on which its logits depend. Beyond the frame's edge that is the frame mirrored. All tiles have one
shape, so that the same convolution kernels run for all.
"""

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final, NamedTuple

import dask
import dask.array as da
import numpy as np

from engine import blocks
from engine.errors import InputError
from engine.runtime.client import keras_resource
from engine.unet.runtimes import KERAS, Network, answers

TILE: Final = 1024
"""Longest edge of a tile, in pixels: its halo is then less than a quarter of what is computed."""

N_ROWS: Final = 64
"""Rows of a frame from which its background is measured."""
SHIFTS: Final = 20
WINDOW: Final = 1.5
TRUNCATED: Final = 0.9866
"""Root mean square of a standard normal variable that is cut off at 3."""

_TURN = threading.Lock()
"""One tile at a time in a process: the network takes all cores by itself, and memory for one."""


class Background(NamedTuple):
    """Level and noise of a frame's empty pixels, in the frame's units."""

    level: float
    noise: float


class Segmented(NamedTuple):
    """Prediction of a network for each pixel; lazy, dims (y, x).

    Attributes
    ----------
    labels : dask array, uint8
        1 + index of the most probable class.
    confidence : dask array, float32
        Most probable minus second, 0...1.
    entropy : dask array, float32
        Of the probabilities, 0...1 (1: all classes alike).
    """

    labels: da.Array
    confidence: da.Array
    entropy: da.Array


def sample_rows(frame: da.Array) -> da.Array:
    """Return rows spread over a frame; lazy."""
    return frame[np.unique(np.linspace(0, frame.shape[0] - 1, N_ROWS).astype(int))]


def background(frame: da.Array) -> Background:
    """Level and noise of the empty pixels in rows spread over a frame; eager, the same for any chunking.

    Glow and tracks only add to a pixel, and the median with them lies up to 0.3 of the noise too high. So the
    level is where a window of 1.5 times the noise on either side has its mean in its middle (mean shift
    [1]_), and the noise the root mean square below it.

    Raises
    ------
    InputError
        If no pixel of these rows has a value.

    References
    ----------
    .. [1] D. Comaniciu, P. Meer, Mean shift, IEEE Trans. Pattern Anal. Mach. Intell. 24 (2002) 603-619.
    """
    (read,) = blocks.compute(sample_rows(frame), doing="measuring the background")
    values = np.asarray(read, np.float64)[np.isfinite(read)]
    if not values.size:
        raise InputError("the frame has no values in the rows looked at; give a frame with values")
    level = float(np.median(values))
    noise = _noise(values, level, 1.4826 * float(np.median(np.abs(values - level))))
    for _ in range(SHIFTS):
        near = values[np.abs(values - level) <= WINDOW * noise]
        level = float(near.mean()) if near.size else level
        noise = _noise(values, level, noise)
    return Background(level, noise)


def _noise(values: np.ndarray, level: float, guess: float) -> float:
    """Return the standard deviation of normal noise from its lower half, values beyond 3 guesses left out."""
    below = level - values[(values <= level) & (values > level - 3 * guess)]
    rms = float(np.sqrt(np.mean(below**2))) / TRUNCATED if below.size else 0.0
    return rms or float(values.std()) or 1.0


def normalise(values: np.ndarray, found: Background) -> np.ndarray:
    """Return pixels as the network sees them: distance from the background in units of its noise, float32.

    Parameters
    ----------
    values : ndarray (y, x)
        Values of the pixels.
    found
        Background of the frame: level and noise.
    """
    scaled = (values.astype(np.float32) - np.float32(found.level)) / np.float32(found.noise)
    if values.dtype.kind == "f":
        scaled[~np.isfinite(scaled)] = 0.0
    return scaled


def segment(
    frame: da.Array, network: Network, found: Background, *, tile: int = TILE, runtime: str = KERAS
) -> Segmented:
    """Classify every pixel of a frame; lazy.

    Parameters
    ----------
    frame : dask array, dims (y, x)
        Any chunks; missing values count as background.
    network : Network
    found : Background
        Of this frame.
    tile : int
        Longest edge of a tile in pixels, a multiple of the network's step; a frame is cut into tiles of one
        shape, so that little of the last ones lies beyond its edges.
    runtime : str
        One of `runtimes.RUNTIMES`.

    Raises
    ------
    InputError
        If the tile is no multiple of the network's step.
    """
    if tile < 1 or tile % network.step:
        raise InputError(f"tile is {tile}; give a multiple of {network.step} pixels, the network's step")
    height, width = (tile_edge(n, tile=tile, step=network.step) for n in frame.shape)
    around, resource = network.halo, keras_resource()
    rows: list[list[tuple[da.Array, ...]]] = []
    for y in range(0, frame.shape[0], height):
        rows.append([])
        for x in range(0, frame.shape[1], width):
            shape = (min(height, frame.shape[0] - y), min(width, frame.shape[1] - x))
            first = (max(0, y - around), max(0, x - around))
            window = frame[first[0] : y + height + around, first[1] : x + width + around]
            seen = TileSurroundings(
                before=(around - (y - first[0]), around - (x - first[1])),
                shape=shape,
                edges=(height + 2 * around, width + 2 * around),
            )
            rows[-1].append(_tile(window, network, found, seen, runtime, resource))
    return Segmented(*(da.block([[cell[n] for cell in row] for row in rows]) for n in range(3)))


def tile_edge(n: int, *, tile: int, step: int) -> int:
    """Return the edge of the tiles that cover `n` pixels in the fewest, alike pieces: a multiple of the step.

    Parameters
    ----------
    n : int
        Number of pixels to cover.
    tile : int
        Rows or columns of a tile, at most.
    step : int
        The edge is a multiple of so many pixels.

    Examples
    --------
    >>> tile_edge(1100, tile=1024, step=8)
    552
    """
    n_tiles = -(-n // tile)
    return -(-n // (n_tiles * step)) * step


class TileSurroundings(NamedTuple):
    """Halo of a tile, in pixels along y and x.

    Attributes
    ----------
    before : tuple of int
        What lies beyond the frame's edges before the window.
    shape : tuple of int
        Of the tile itself.
    edges : tuple of int
        Of all that is shown.
    """

    before: tuple[int, int]
    shape: tuple[int, int]
    edges: tuple[int, int]


def _tile(
    window: da.Array,
    network: Network,
    found: Background,
    seen: TileSurroundings,
    runtime: str,
    resource: Mapping[str, float],
) -> tuple[da.Array, ...]:
    """Return labels, confidence and entropy of a tile; lazy."""
    lifted = dask.delayed(_segment_tile, pure=False, traverse=False, nout=3)
    with dask.annotate(resources=resource) if resource else nullcontext():
        parts = lifted(window, network, found, seen, runtime)
    kinds = (np.uint8, np.float32, np.float32)
    return tuple(
        da.from_delayed(part, seen.shape, dtype=kind) for part, kind in zip(parts, kinds, strict=True)
    )


def _segment_tile(
    window: np.ndarray, network: Network, found: Background, seen: TileSurroundings, runtime: str
) -> tuple[np.ndarray, ...]:
    """Return labels, confidence and entropy of a tile, from a window that the frame's edges may cut."""
    after = [edge - b - n for edge, b, n in zip(seen.edges, seen.before, window.shape, strict=True)]
    mirrored = np.pad(normalise(window, found), list(zip(seen.before, after, strict=True)), mode="symmetric")
    with _TURN:
        outputs = answers(network, runtime, seen.edges)(mirrored[None, :, :, None])
    around = network.halo
    inner = tuple(slice(around, around + n) for n in seen.shape)
    return tuple(np.ascontiguousarray(output[0][inner]) for output in outputs)
