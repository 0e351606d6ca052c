"""U-Net speed against the prior way, interleaved in one run.

    python benchmarks/unet_speed.py [--size 4096] [--quick]

Inference, end to end from pixels in memory to labels: the lean network by tiles (background, normalisation,
halo, arg-max, confidence and entropy included) in each runtime, against the prior way: the classic network,
256 x 256 sections cut in a Python loop over pixels, `predict` on each, arg-max, stitched in such a loop;
measured on a part, and once more with slices of arrays instead of these loops. Training:
images of 256 x 256 a second, lean against classic, each as its system trains it. On a machine with a GPU the
same script runs Keras there. Medians of the repeats and their ratio.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import dask.array as da
import numpy as np
from shipped_unet import SHIPPED

from engine import blocks
from engine.analysis import load_model
from engine.runtime.device import computes_bfloat16, has_amx, wake_keras
from engine.unet import losses
from engine.unet.network import NETWORKS
from engine.unet.predict_tiles import background, segment
from engine.unet.runtimes import KERAS, OPENVINO, OPENVINO_BF16

SECTION = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--quick", action="store_true", help="small frame, one repeat")
    options = parser.parse_args()
    size, repeats = (512, 1) if options.quick else (options.size, 3)
    wake_keras()
    inference(size, repeats)
    training(repeats, n_steps=2 if options.quick else 10)


def inference(size: int, repeats: int) -> None:
    """Print Mpx/s of each runtime and its ratio to the prior way."""
    frame = np.random.default_rng(0).normal(8800, 20, (size, size)).astype(np.uint16)
    part = frame[: min(size, 1024), : min(size, 1024)]
    classic = NETWORKS["classic"](4)
    network = load_model(SHIPPED).to_network()
    installed = [OPENVINO, *([OPENVINO_BF16] if has_amx() else [])] if find_spec("openvino") else []
    runtimes = [KERAS, *installed]
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "prior way": (lambda: prior(part, classic, by_pixels=True), part.size),
        "prior way, cut by slices": (lambda: prior(part, classic, by_pixels=False), part.size),
    }
    for runtime in runtimes:
        for tile in (1024, 2048) if size > 1024 else (1024,):
            ways[f"lean, {runtime}, tiles of {tile}"] = (
                lambda runtime=runtime, tile=tile: ours(frame, network, runtime, tile),
                frame.size,
            )
    report("inference, Mpx/s", {name: (call, n / 1e6) for name, (call, n) in ways.items()}, repeats)


def prior(frame: np.ndarray, network: object, *, by_pixels: bool) -> np.ndarray:
    """Cut, predict, arg-max, stitch, section by section; the prior system cut and stitched pixel by pixel."""
    labels = np.zeros(frame.shape, np.uint8)
    section = np.zeros((SECTION, SECTION), np.float32)
    for y in range(0, frame.shape[0], SECTION):
        for x in range(0, frame.shape[1], SECTION):
            place = (slice(y, y + SECTION), slice(x, x + SECTION))
            moved(frame[place], section, by_pixels=by_pixels)
            logits = network.predict(section[None, ..., None] / 65535, verbose=0)[0]
            moved(logits.argmax(axis=-1), labels[place], by_pixels=by_pixels)
    return labels


def moved(source: np.ndarray, target: np.ndarray, *, by_pixels: bool) -> None:
    if not by_pixels:
        target[:] = source
        return
    for row in range(len(source)):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


def ours(frame: np.ndarray, network: object, runtime: str, tile: int) -> object:
    """Labels, confidence and entropy of a frame in memory."""
    lazy = da.from_array(frame, chunks=1024)
    return blocks.compute(*segment(lazy, network, background(lazy), runtime=runtime, tile=tile))


def training(repeats: int, *, n_steps: int) -> None:
    """Print images a second of training."""
    ways = {}
    for name, n_images in (("classic", 8), ("lean", 4)):
        step = step_of(name, n_images)
        ways[f"{name}, {'bfloat16' if name == 'lean' and computes_bfloat16() else 'float32'}"] = (
            lambda step=step: [step() for _ in range(n_steps)],
            n_steps * n_images,
        )
    report(f"training, images of {SECTION}² a second", ways, repeats)


def step_of(name: str, n_images: int) -> Callable[[], float]:
    """One step of training on random images."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if name == "lean" and computes_bfloat16() else "float32")
    network = NETWORKS[name](4)
    keras.config.set_dtype_policy("float32")
    network.compile(keras.optimizers.AdamW(1e-3), losses.cross_entropy(), jit_compile=False)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(n_images, SECTION, SECTION, 1)).astype(np.float32)
    classes = rng.integers(0, 4, (n_images, SECTION, SECTION)).astype(np.int32)
    return lambda: float(network.train_on_batch(images, classes))


def report(title: str, ways: Mapping[str, tuple[Callable[[], object], float]], repeats: int) -> None:
    """Time all ways in turn, and print the rate of each and its ratio to the first."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for call, _ in ways.values():
        call()
    for _ in range(repeats):
        for name, (call, _) in ways.items():
            began = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - began)
    rates = {name: amount / statistics.median(seconds[name]) for name, (_, amount) in ways.items()}
    first = next(iter(rates.values()))
    print(title)
    for name, rate in rates.items():
        print(f"  {name:<28} {rate:8.2f}   {rate / first:6.1f} x")


if __name__ == "__main__":
    main()
