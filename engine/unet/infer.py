"""Apply a network to frames of any size, tile by tile: labels without seams, the same for any chunking.

The tiles lie on a grid anchored at the frame's origin, whatever its chunks, and each is seen with the pixels
round it on which its logits depend. Beyond the frame's edge that is the frame mirrored. All tiles have one
shape, so that the same convolution kernels run for all.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dask
import dask.array as da
import numpy as np

from engine import blocks
from engine.errors import FileError, InputError
from engine.unet.network import halo, step

if TYPE_CHECKING:
    import keras

TILE: Final = 512
"""Edge of the tiles aimed at, in pixels: their halo is then less than half of what is computed."""

_TURN = threading.Lock()
"""One tile at a time in a process: the network takes all cores by itself, and memory for one."""


class Network(NamedTuple):
    """A network on disk: what tasks are given, so that each process loads it once.

    Attributes
    ----------
    path : str
        Of a `.keras` file.
    digest : str
        Of its content.
    """

    path: str
    digest: str

    @classmethod
    def at(cls, path: str | Path) -> "Network":
        """The network in a file.

        Raises
        ------
        FileError
            If the file cannot be read.
        """
        from hashlib import sha256

        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise FileError(
                f"cannot read the network {path} ({error.strerror}); give a .keras file"
            ) from None
        return cls(str(path), sha256(content).hexdigest())

    def loaded(self) -> "keras.Model":
        """The Keras model, from image to logits."""
        return _loaded(self)[0]

    @property
    def halo(self) -> int:
        """Pixels round a pixel on which its logits depend."""
        return halo(self.loaded())

    @property
    def step(self) -> int:
        """Pixels by which an image can move without moving relative to the poolings."""
        return step(self.loaded())


class Background(NamedTuple):
    """Level and noise of a frame's empty pixels, in the frame's units."""

    level: float
    noise: float


class Segmented(NamedTuple):
    """What a network says of each pixel; lazy, dims (y, x).

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


def background(frame: da.Array, *, n_rows: int = 64) -> Background:
    """Median and robust standard deviation of rows spread over a frame; eager, the same for any chunking.

    The noise is 1.4826 times the median absolute deviation, which equals the standard deviation of a normal
    distribution (P. J. Huber, Robust Statistics, 1981, section 5.1).

    Raises
    ------
    InputError
        If no pixel of these rows has a value.
    """
    rows = np.unique(np.linspace(0, frame.shape[0] - 1, n_rows).astype(int))
    (read,) = blocks.compute(frame[rows], doing="measuring the background")
    values = np.asarray(read, np.float64)[np.isfinite(read)]
    if not values.size:
        raise InputError("the frame has no values in the rows looked at; give a frame with values")
    level = float(np.median(values))
    noise = 1.4826 * float(np.median(np.abs(values - level)))
    return Background(level, noise or float(values.std()) or 1.0)


def normalised(values: np.ndarray, found: Background) -> np.ndarray:
    """Pixels as the network sees them: asinh of their distance from the background, in its noise; float32."""
    scaled = (values.astype(np.float32) - np.float32(found.level)) / np.float32(found.noise)
    return np.asarray(np.arcsinh(np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)))


def segment(frame: da.Array, network: Network, found: Background, *, tile: int = TILE) -> Segmented:
    """Classify every pixel of a frame; lazy.

    Parameters
    ----------
    frame : dask array, dims (y, x)
        Any chunks; missing values count as background.
    network : Network
    found : Background
        Of this frame.
    tile : int
        Edge of a tile in pixels, a multiple of the network's step.

    Raises
    ------
    InputError
        If the tile is no multiple of the network's step.
    """
    step = network.step
    if tile < 1 or tile % step:
        raise InputError(f"tile is {tile}; give a multiple of {step} pixels, the network's step")
    around = network.halo
    lifted = dask.delayed(_segment_tile, pure=False, traverse=False, nout=3)
    rows: list[list[tuple[da.Array, ...]]] = []
    for y in range(0, frame.shape[0], tile):
        rows.append([])
        for x in range(0, frame.shape[1], tile):
            shape = (min(tile, frame.shape[0] - y), min(tile, frame.shape[1] - x))
            first = (max(0, y - around), max(0, x - around))
            window = frame[first[0] : y + tile + around, first[1] : x + tile + around]
            before = (around - (y - first[0]), around - (x - first[1]))
            parts = lifted(window, network, found, before=before, shape=shape, edge=tile + 2 * around)
            kinds = (np.uint8, np.float32, np.float32)
            rows[-1].append(
                tuple(da.from_delayed(p, shape, dtype=kind) for p, kind in zip(parts, kinds, strict=True))
            )
    return Segmented(*(da.block([[cell[n] for cell in row] for row in rows]) for n in range(3)))


def _segment_tile(
    window: np.ndarray,
    network: Network,
    found: Background,
    *,
    before: tuple[int, int],
    shape: tuple[int, int],
    edge: int,
) -> tuple[np.ndarray, ...]:
    """Labels, confidence and entropy of a tile, from a window that the frame's edges may cut."""
    after = [edge - b - n for b, n in zip(before, window.shape, strict=True)]
    mirrored = np.pad(normalised(window, found), list(zip(before, after, strict=True)), mode="symmetric")
    around = network.halo
    with _TURN:
        outputs = _loaded(network)[1].predict_on_batch(mirrored[None, :, :, None])
    inner = (0, slice(around, around + shape[0]), slice(around, around + shape[1]))
    return tuple(np.ascontiguousarray(np.asarray(output)[inner]) for output in outputs)


@lru_cache(maxsize=4)
def _loaded(network: Network) -> tuple["keras.Model", "keras.Model"]:
    """The network, and the network with arg-max, confidence and entropy behind it; once a process."""
    import keras

    try:
        model = keras.saving.load_model(network.path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything
        raise FileError(
            f"{network.path} is no network that can be read ({type(error).__name__}); give a .keras file"
        ) from error
    return model, keras.Model(model.input, _answers(model.output))


def _answers(logits: Any) -> list[Any]:
    """Labels, confidence and entropy of logits `(image, y, x, class)`, as Keras tensors."""
    from keras import ops

    probabilities = ops.softmax(logits, axis=-1)
    best, classes = ops.top_k(probabilities, 2)
    entropy = -ops.sum(probabilities * ops.log(probabilities + 1e-12), axis=-1)
    return [
        ops.cast(classes[..., 0] + 1, "uint8"),
        best[..., 0] - best[..., 1],
        ops.clip(entropy / float(np.log(logits.shape[-1])), 0.0, 1.0),
    ]
