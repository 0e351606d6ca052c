"""From labelled pictures to a trained network, what it knows, and how good it is on originals held out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import softmax

from engine import progress
from engine.analysis import DIGEST
from engine.errors import InputError
from engine.learning import scores
from engine.learning.calibration import expected_calibration_error, risk_coverage, temperature
from engine.learning.networks import file_digest, keep_network
from engine.learning.splits import SHARES
from engine.learning.training import SCORE, History, Plan, train
from engine.micrographs import examples, networks, novelty
from engine.micrographs.answers import THUMBNAIL, TOGETHER, Seen, resized, seen_by
from engine.micrographs.examples import JUDGE, LEARN, VALIDATE, Batches, Examples
from engine.runtime.device import wake_keras

if TYPE_CHECKING:
    import keras

    from engine.micrographs.classify import Micrographs, MicrographsModel

LOOKS: Final = 40
"""Looks at the validation pictures in a training, about."""
SMOOTHING: Final = 0.05
"""Share of the target that is spread over all classes."""
FROZEN: Final = 0.4
"""Share of the time in which only the new head of one of Keras' networks learns."""
GENTLY: Final = 0.1
"""Learning rate of the rest, of that of the head."""
N_PAIRS: Final = 5


class Taught(NamedTuple):
    """A trained network and what it gives of pictures that it did not learn from."""

    network: "keras.Model"
    history: History
    temperature: float


def learn(settings: "Micrographs", images: xr.Dataset, labels: xr.DataArray | None) -> "MicrographsModel":
    """Train a network as the settings say; the model holds how good it is on originals held out.

    Raises
    ------
    InputError
        If there are fewer than two classes, or too few originals to hold some out.
    """
    with progress.stage(0.0, 0.1):
        read = examples.examples(images, labels, edge=settings.edge, databar=settings.databar)
    pictures, n_copied = examples.without_copies(read, seed=settings.seed)
    parts = _parts(pictures, seed=settings.seed)
    with progress.stage(0.1, 0.9):
        taught = _taught(settings, pictures.of(parts == LEARN), pictures.of(parts == VALIDATE))
    with progress.stage(0.9, 1.0):
        return _model(settings, taught, pictures, parts, n_copied)


def _parts(pictures: Examples, *, seed: int) -> np.ndarray:
    n_parents = np.unique(pictures.parents).size
    if n_parents < len(SHARES):
        raise InputError(
            f"the pictures are of {n_parents} originals; give {len(SHARES)} or more: some are held out"
        )
    return examples.split(pictures, shares=SHARES, seed=seed)


def _taught(settings: "Micrographs", learned: Examples, checked: Examples) -> Taught:
    """A network that learned from some pictures and was chosen and calibrated by others."""
    wake_keras()
    import keras

    keras.utils.set_random_seed(settings.seed)
    network = networks.build(
        settings.network, edge=settings.edge, n_classes=len(learned.names), weights=settings.weights
    )
    batches = Batches(
        learned,
        n_together=settings.n_together,
        seed=settings.seed,
        weights=_weights(learned, balanced=settings.balanced),
    )
    logs = Path(settings.logs) if settings.logs else None
    rate = settings.learning_rate

    def taught(share: float, rate: float, part: str) -> History:
        _compile(network, rate)
        n_steps = max(1, round(share * settings.n_steps))
        plan = Plan(n_steps, max(1, n_steps // LOOKS), rate, share * settings.minutes, settings.patience)
        return train(network, batches, lambda net: _look(net, checked), plan, logs=logs, part=part)

    if settings.network in networks.TRANSFER:
        with progress.stage(0.0, FROZEN):
            taught(FROZEN, rate, "head")
        networks.thaw(network)
        with progress.stage(FROZEN, 1.0):
            history = taught(1 - FROZEN, rate * GENTLY, "all")
    else:
        history = taught(1.0, rate, "")
    logits = seen(network, checked.squares).logits
    return Taught(network, history, temperature(logits, checked.classes))


def _compile(network: "keras.Model", rate: float) -> None:
    import keras

    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3, clipnorm=1.0),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING),
        jit_compile=False,
    )


def _weights(pictures: Examples, *, balanced: bool) -> np.ndarray:
    """Weight of each class in the loss: the inverse of how often it is there, the mean over pictures 1."""
    counts = np.bincount(pictures.classes, minlength=len(pictures.names))
    if not balanced:
        return np.ones(counts.size, np.float32)
    present = counts > 0
    return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0).astype(np.float32)


def _look(network: "keras.Model", checked: Examples) -> dict[str, float]:
    """Figures of the validation pictures, by which epochs are compared."""
    from engine.micrographs.seen import standardised

    logits = np.concatenate(
        [
            np.asarray(network.predict_on_batch(standardised(checked.squares[start : start + TOGETHER])))
            for start in range(0, len(checked.squares), TOGETHER)
        ]
    )
    n_classes = len(checked.names)
    counts = scores.confusion(checked.classes, logits.argmax(axis=1), n_classes=n_classes)
    right = softmax(logits, axis=1)[np.arange(len(logits)), checked.classes]
    surprise = float(-np.log(np.maximum(right, 1e-7)).mean())
    return {
        "accuracy": float(np.trace(counts) / counts.sum()),
        "val_loss": surprise,
        SCORE: float(np.nanmean(scores.f1(counts))) - 1e-3 * surprise,
    }


def seen(network: "keras.Model", grey: np.ndarray) -> Seen:
    """What a network gives of squares `(image, y, x)`, some at a time."""
    parts = [seen_by(network, grey[start : start + TOGETHER]) for start in range(0, len(grey), TOGETHER)]
    return Seen(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _model(
    settings: "Micrographs", taught: Taught, pictures: Examples, parts: np.ndarray, n_copied: int
) -> "MicrographsModel":
    """The model with its card."""
    from engine.micrographs.classify import MicrographsModel

    network = taught.network
    given = seen(network, pictures.squares)
    chances = softmax(given.logits.astype(np.float64) / taught.temperature, axis=1)
    best, right = chances.max(axis=1), chances.argmax(axis=1) == pictures.classes
    learned, checked, judged = (parts == part for part in (LEARN, VALIDATE, JUDGE))
    rng = np.random.default_rng(settings.seed)
    shown = np.flatnonzero(learned)
    shown = np.sort(rng.choice(shown, min(shown.size, novelty.N_KNOWN), replace=False))
    known = novelty.learn(given.features[shown], pictures.classes[shown], given.features[checked])
    path, sides = keep_network(network), (learned, checked, judged)
    return MicrographsModel(
        analysis=settings.analysis,
        settings=settings.settings(),
        class_names=pictures.names,
        arrays={
            "known_middle": known.middle,
            "known_whitening": known.whitening,
            "known_places": known.places,
            "known_classes": pictures.classes[shown].astype(np.uint8),
            "known_thumbnails": resized(pictures.squares[shown], THUMBNAIL).astype(np.uint8),
            "held_out_probability": best[checked],
            "held_out_right": right[checked],
            "confusion": _confusion(chances[judged], pictures.of(judged)),
        },
        metadata={
            DIGEST: file_digest(path),
            "n_weights": int(network.count_params()),
            "temperature": taught.temperature,
            "limit": known.limit,
            "known_files": [pictures.files[n] for n in shown],
            "n_pictures": [int(side.sum()) for side in sides],
            "n_originals": [int(np.unique(pictures.parents[side]).size) for side in sides],
            "n_copied": n_copied,
            "judged_on": "originals held out",
            **_card(chances[judged], pictures.of(judged), seed=settings.seed),
            "history": taught.history.rows,
            "seconds": round(taught.history.seconds, 1),
        },
        network=path,
    )


def _confusion(chances: np.ndarray, judged: Examples) -> np.ndarray:
    """Confusion matrices `(parent, truth, found)`."""
    found = chances.argmax(axis=1)
    return np.stack(
        [
            scores.confusion(
                judged.classes[judged.parents == parent],
                found[judged.parents == parent],
                n_classes=len(judged.names),
            )
            for parent in np.unique(judged.parents)
        ]
    )


def _card(chances: np.ndarray, judged: Examples, *, seed: int) -> dict[str, Any]:
    """How good the model is on pictures that were held out and are looked at here for the first time."""
    counts = _confusion(chances, judged)
    whole = counts.sum(axis=0)
    right = chances.argmax(axis=1) == judged.classes
    curve = risk_coverage(chances.max(axis=1), right)
    apart = whole - np.diag(np.diag(whole))
    mixed = np.argsort(-apart.ravel(), kind="stable")[:N_PAIRS]
    pairs = [(int(n) // len(whole), int(n) % len(whole)) for n in mixed if apart.ravel()[n]]
    every = np.linspace(0, curve.coverage.size - 1, min(50, curve.coverage.size)).astype(int)
    return {
        "metrics": scores.report(counts, judged.names, seed=seed),
        "accuracy": float(right.mean()),
        "majority": float(np.bincount(judged.classes).max() / len(judged.classes)),
        "calibration_error": float(expected_calibration_error(chances, judged.classes)),
        "risk_coverage": [curve.coverage[every].tolist(), curve.risk[every].tolist()],
        "confused": [
            {"truth": judged.names[a], "found": judged.names[b], "count": int(apart[a, b])} for a, b in pairs
        ],
    }
