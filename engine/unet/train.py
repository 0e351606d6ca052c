"""From labelled frames to a trained U-Net and its model card."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.analysis import DIGEST
from engine.errors import InputError
from engine.learning import scores
from engine.learning.networks import file_digest, keep_network
from engine.learning.pairs import frame_pairs
from engine.learning.training import SCORE, History, Plan, train
from engine.runtime.device import computes_bfloat16, wake_keras
from engine.schema import class_names
from engine.unet import losses
from engine.unet.examples import Crops, LabelledFrames
from engine.unet.model import UNetModel
from engine.unet.network import NETWORKS, halo, step
from engine.unet.predict_tiles import background, normalise
from engine.unet.training_range import measure_range

if TYPE_CHECKING:
    import keras


EPOCH = 500
"""Steps between two looks at the held-out frames, at most."""
N_LOOKED = 6
"""Regions of the held-out frames that are looked at each time; at the end all are."""
UNNAMED = 255
"""Label value that may stand for pixels that are not to be learned from."""


@dataclass(frozen=True)
class TrainedClasses:
    """Label values that are learned, in ascending order, their names and numbers of pixels."""

    values: tuple[int, ...]
    names: tuple[str, ...]
    counts: np.ndarray


def learn(settings: Any, images: xr.Dataset, labels: xr.DataArray | None) -> UNetModel:
    """Train a network as the settings say; the model holds how good it is on frames held out.

    Parameters
    ----------
    settings : UNet
        The analysis with its settings.
    images : Dataset, dims ([image,] y, x)
        The labelled frames.
    labels : DataArray ([image,] y, x), optional
        Class of each pixel.

    Raises
    ------
    InputError
        If there are no labels, they do not fit the frames, or hold fewer than two classes.
    """
    pairs = frame_pairs(images, labels, learner="a U-Net")
    frames, truths = ([blocks.as_tiles(plane) for plane in planes] for planes in zip(*pairs, strict=True))
    with progress.stage(0.0, 0.05):
        classes = _classes(truths, labels, settings.class_names)
        backgrounds = [background(frame) for frame in frames]
    network = _compile_network(settings, classes)
    held = _choose_held_out(len(frames), share=settings.held_out, seed=settings.seed)
    chosen = [n for n in range(len(frames)) if n not in held]
    everything = LabelledFrames(frames, truths, classes.values, backgrounds, halo(network))
    taught, judged = everything.of(chosen), everything.of(held or chosen)
    edge = min(settings.crop, min(min(f.shape) for f in frames) + 2 * halo(network))
    crops = Crops(taught, edge // step(network) * step(network), settings.n_crops, settings.seed)
    n_epoch = min(EPOCH, max(1, settings.n_steps // 4))
    plan = Plan(settings.n_steps, n_epoch, settings.learning_rate, settings.minutes, settings.patience)
    with progress.stage(0.05, 0.97):
        history = train(
            network,
            crops,
            lambda trained: _look(trained, judged, classes),
            plan,
            logs=Path(settings.logs) if settings.logs else None,
        )
    exact = NETWORKS[settings.network](len(classes.names))
    exact.set_weights(network.get_weights())
    return _model(settings, exact, classes, everything, held, history)


def _classes(truths: Sequence[da.Array], labels: xr.DataArray | None, given: str) -> TrainedClasses:
    counts: dict[int, int] = {}
    for truth in truths:
        (plane,) = blocks.compute(truth, doing="counting labels")
        for value, count in zip(*np.unique(plane, return_counts=True), strict=True):
            counts[int(value)] = counts.get(int(value), 0) + int(count)
    named = {} if labels is None else class_names(labels)
    values = sorted(named or counts)
    names = (
        [name.strip() for name in given.split(",")] if given else [named.get(v, f"class {v}") for v in values]
    )
    if (UNNAMED in values and len(values) != len(names)) or (not named and not given and len(values) > 2):
        values = [value for value in values if value != UNNAMED]
        names = names[: len(values)] if not given else names
    if len(values) != len(names) or len(names) < 2:
        raise InputError(
            f"the labels hold the values {', '.join(map(str, values))}, named {', '.join(names)};"
            " give two or more classes, and a name for each value (class_names)"
        )
    return TrainedClasses(tuple(values), tuple(names), np.array([counts.get(value, 0) for value in values]))


def _choose_held_out(n_frames: int, *, share: float, seed: int) -> list[int]:
    """Numbers of the frames that are held out; none of a single frame."""
    n_held = round(share * n_frames)
    if n_frames < 2 or share == 0:
        return []
    drawn = np.random.default_rng(seed).permutation(n_frames)[: max(1, n_held)]
    return sorted(int(n) for n in drawn)


def _compile_network(settings: Any, classes: TrainedClasses) -> "keras.Model":
    """Return a new network with its optimizer, in the numbers asked for."""
    wake_keras()
    import keras

    keras.utils.set_random_seed(settings.seed)
    with _precision(settings.precision):
        network = NETWORKS[settings.network](len(classes.names))
    weights = losses.inverse_frequency(classes.counts)
    network.compile(
        keras.optimizers.AdamW(settings.learning_rate, weight_decay=1e-4, clipnorm=1.0),
        losses.LOSSES[settings.loss](weights),
        jit_compile=False,
    )
    return network


@contextmanager
def _precision(wanted: str) -> Iterator[None]:
    """Make the networks of this block compute in bfloat16 where that is wanted."""
    import keras

    before = keras.config.dtype_policy()
    fast = computes_bfloat16() if wanted == "auto" else wanted == "bfloat16"
    keras.config.set_dtype_policy("mixed_bfloat16" if fast else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _look(network: "keras.Model", judged: LabelledFrames, classes: TrainedClasses) -> dict[str, float]:
    """Figures of some regions of the frames that judge, by which epochs are compared."""
    places = judged.places
    some = [places[n] for n in np.unique(np.linspace(0, len(places) - 1, N_LOOKED).astype(int))]
    counts = sum(_confusion(network, judged, [place]) for place in some)
    found = scores.f1(np.asarray(counts))
    figures = {f"f1_{name}": float(value) for name, value in zip(classes.names, found, strict=True)}
    return {**figures, SCORE: float(np.nanmean(found))}


def _confusion(network: "keras.Model", examples: LabelledFrames, places: Sequence[Any]) -> np.ndarray:
    """Numbers of pixels by true and found class over some regions, each seen with its surroundings."""
    n_classes = network.output_shape[-1]
    total = np.zeros((n_classes, n_classes), np.int64)
    around, multiple = examples.halo, step(network)
    for place in places:
        region = examples.region(place)
        image = normalise(region.values, examples.backgrounds[place.frame])
        short = [(0, -n % multiple) for n in image.shape]
        logits = network.predict_on_batch(np.pad(image, short, mode="symmetric")[None, :, :, None])
        found = np.asarray(logits[0], np.float32).argmax(axis=-1)
        inner = tuple(slice(around, n - around) for n in image.shape)
        total += scores.confusion(region.classes[inner], found[inner], n_classes=n_classes)
    return total


def _model(
    settings: Any,
    network: "keras.Model",
    classes: TrainedClasses,
    everything: LabelledFrames,
    held: Sequence[int],
    history: History,
) -> UNetModel:
    """Return the model with its card: data, settings, figures, range, and the file of the network."""
    judged = list(held) or list(range(len(everything.frames)))
    counts = []
    for done, number in enumerate(judged):
        with progress.stage(0.97 + 0.03 * done / len(judged), 1.0):
            progress.report(0.0, "judging")
            places = [place for place in everything.places if place.frame == number]
            counts.append(_confusion(network, everything, places))
    path = keep_network(network)
    return UNetModel(
        analysis=settings.analysis,
        settings=settings.settings(),
        class_names=classes.names,
        arrays={},
        metadata={
            DIGEST: file_digest(path),
            "halo": everything.halo,
            "step": step(network),
            "n_weights": int(network.count_params()),
            "values": list(classes.values),
            "pixels": classes.counts.tolist(),
            "n_frames": len(everything.frames),
            "held_out": list(held),
            "judged_on": "frames held out" if held else "the frames learned from: there was but one",
            "metrics": scores.report(np.stack(counts), classes.names, seed=settings.seed),
            "range": measure_range(everything.frames, everything.backgrounds),
            "history": history.rows,
            "seconds": round(history.seconds, 1),
        },
        network=path,
    )
