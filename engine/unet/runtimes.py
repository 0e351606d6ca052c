"""Runtimes of a network: Keras on its backend, or OpenVINO.

A process loads a network once for each shape of tile. Networks are files, so that any process can.
"""

import ctypes
import gc
import importlib.util
import platform
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import platformdirs

from engine.errors import MissingDependencyError
from engine.learning.networks import file_digest, load_network
from engine.runtime.device import has_amx, mute_stderr
from engine.unet.network import halo, step

if TYPE_CHECKING:
    import keras

KERAS: Final = "keras"
OPENVINO: Final = "openvino"
OPENVINO_BF16: Final = "openvino-bfloat16"
AUTO: Final = "auto"
RUNTIMES: Final = (KERAS, OPENVINO, OPENVINO_BF16)
"""Keras and OpenVINO compute in float32; the last in bfloat16, which changes some labels."""

AGREEMENT: Final = 0.999
"""Share of the labels that bfloat16 must leave as they are to be used by itself."""

Answers = Callable[[np.ndarray], tuple[np.ndarray, ...]]
"""Images `(1, y, x, 1)`, normalised -> labels uint8, confidence and entropy float32, each `(1, y, x)`."""


class Network(NamedTuple):
    """A network on disk: what tasks are given, so that each process loads it once.

    Attributes
    ----------
    path : str
        Of a `.keras` file.
    digest : str
        SHA-256 of its content.
    halo : int
        Pixels round a pixel on which its logits depend.
    step : int
        Pixels by which an image can move without moving relative to poolings and strides.
    """

    path: str
    digest: str
    halo: int
    step: int

    @classmethod
    def at(cls, path: str | Path) -> "Network":
        """Look at the network in a file.

        Raises
        ------
        FileError
            If the file cannot be read, or is no network.
        """
        digest = file_digest(path)
        loaded = load_network(str(path), digest)
        return cls(str(path), digest, halo(loaded), step(loaded))

    def loaded(self) -> "keras.Model":
        """Return the Keras model, from image to logits."""
        return load_network(self.path, self.digest)


def resolve_runtime(runtime: str, network: Network, sample: np.ndarray) -> str:
    """Return the runtime that `auto` stands for on this machine; any other as it is.

    OpenVINO where it is installed; in bfloat16 only where the CPU has matrix units for it (AMX) and at least
    `AGREEMENT` of the labels of the sample stay the same.

    Parameters
    ----------
    sample : ndarray, dims (1, y, x, 1)
        Normalised pixels of the frame, its edges multiples of the network's step.

    Raises
    ------
    MissingDependencyError
        If OpenVINO is asked for and not installed.
    """
    installed = importlib.util.find_spec("openvino") is not None
    if runtime != AUTO:
        if runtime != KERAS and not installed:
            raise MissingDependencyError(
                f"the runtime {runtime} needs OpenVINO; install it (pip install openvino) or choose keras"
            )
        return runtime
    if not installed:
        return KERAS
    if not has_amx():
        return OPENVINO
    edges = (sample.shape[1], sample.shape[2])
    exact, fast = (answers(network, name, edges)(sample)[0] for name in (OPENVINO, OPENVINO_BF16))
    return OPENVINO_BF16 if np.mean(exact == fast) >= AGREEMENT else OPENVINO


@lru_cache(maxsize=8)
def answers(network: Network, runtime: str, edges: tuple[int, int]) -> Answers:
    """Return what a network says of tiles of one shape, ready to be called; not by two threads at once.

    Parameters
    ----------
    network
        The network.
    runtime : str
        Name of the runtime.
    edges : tuple of int
        Rows and columns of a tile.
    """
    if runtime == KERAS:
        return partial(_run_keras, _answering(network))
    import openvino

    core = openvino.Core()
    converted = core.read_model(_convert_network(network))
    converted.reshape([1, *edges, 1])
    precision = "bf16" if runtime == OPENVINO_BF16 else "f32"
    compiled = core.compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    return partial(_run_openvino, compiled.create_infer_request())


def release() -> None:
    """Give back the memory of what was compiled; it is compiled again when it is needed."""
    answers.cache_clear()
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back to the system


def _run_keras(model: "keras.Model", images: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(output) for output in model.predict_on_batch(images))


def _run_openvino(request: Any, images: np.ndarray) -> tuple[np.ndarray, ...]:
    results = request.infer([images], share_inputs=True)
    return tuple(results[n] for n in range(3))


@lru_cache(maxsize=4)
def _answering(network: Network) -> "keras.Model":
    """Return the network with arg-max, confidence and entropy behind it."""
    import keras

    image = keras.Input((None, None, 1))
    return keras.Model(image, _answers(network.loaded()(image)))  # as one layer: names cannot clash


def _answers(logits: Any) -> list[Any]:
    """Return labels, confidence and entropy of logits `(image, y, x, class)`, as Keras tensors."""
    from keras import ops

    probabilities = ops.softmax(logits, axis=-1)
    best, classes = ops.top_k(probabilities, 2)
    entropy = -ops.sum(probabilities * ops.log(probabilities + 1e-12), axis=-1)
    return [
        ops.cast(classes[..., 0] + 1, "uint8"),
        best[..., 0] - best[..., 1],
        ops.clip(entropy / float(np.log(logits.shape[-1])), 0.0, 1.0),
    ]


def _convert_network(network: Network) -> Path:
    """Return the network in OpenVINO's form, converted once a machine and kept in the user's cache."""
    import openvino

    folder = platformdirs.user_cache_path("mapstack") / "networks" / network.digest[:32]
    if (folder / "network.bin").exists():
        return folder / "network.xml"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        answering = _answering(network)
        with mute_stderr():
            answering.export(f"{draft}/saved", verbose=False)
            converted = openvino.convert_model(f"{draft}/saved")
        shutil.rmtree(f"{draft}/saved")
        (Path(draft) / "new").mkdir()
        openvino.save_model(converted, f"{draft}/new/network.xml", compress_to_fp16=False)
        try:
            (Path(draft) / "new").rename(folder)
        except OSError:  # another process was faster
            if not (folder / "network.bin").exists():
                raise
    return folder / "network.xml"
