"""From labelled pictures to a trained network, what it knows, and how good it is on originals held out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import xarray as xr

from engine import progress
from engine.analysis import DIGEST
from engine.errors import InputError
from engine.image_classes import examples, networks, novelty
from engine.image_classes.examples import JUDGE, LEARN, VALIDATE, Batches, TrainingImages
from engine.image_classes.model import MicrographsModel
from engine.image_classes.network_inputs import inputs
from engine.image_classes.outliers import make_outliers
from engine.image_classes.predict import (
    TOGETHER,
    NetworkOutput,
    apply_network,
    predict_squares,
    resize_square,
)
from engine.learning import scores
from engine.learning.calibration import at_temperature, calibration_error, risk_coverage, temperature
from engine.learning.networks import file_digest, keep_network
from engine.learning.splits import SHARES
from engine.learning.training import SCORE, History, Plan, train
from engine.runtime.device import wake_keras

if TYPE_CHECKING:
    import keras


LOOKS: Final = 40
"""Looks at the validation pictures in a training, about."""
SMOOTHING: Final = 0.05
"""Share of the target that is spread over all classes."""
FROZEN: Final = 0.4
"""Share of the time in which only the new head of one of Keras' networks learns."""
GENTLY: Final = 0.1
"""Learning rate of the rest, of that of the head."""
N_PAIRS: Final = 5
N_KNOWN: Final = 600
"""Pictures that are kept to compare others with, at most: every result holds them with its recipe."""
N_STRANGE: Final = 2000
"""Pictures that are made to show what is unlike all, at most."""
EACH: Final = 5
"""How many of them are made for a picture learned from, at most."""
SMALL: Final = 32
"""Rows and columns in which these are kept."""
SPLIT: Final = "split"
ORIGINS: Final = "origins"
JUDGED_ON: Final = {SPLIT: "originals held out", ORIGINS: "every origin in turn, by what the others taught"}
CHECKED: Final = (0.8, 0.2)
"""Of the pictures that are not held out: to learn from, to choose by."""


class Taught(NamedTuple):
    """A trained network, how it learned, and the temperature of its logits."""

    network: "keras.Model"
    history: History
    temperature: float


class Judged(NamedTuple):
    """Pictures that were held out, and what was said of them.

    Attributes
    ----------
    pictures : Examples
    chances : ndarray (picture, class)
    unscored : list of dict
        `origin` and `classes` that were nowhere else, so that nothing could be learned of them.
    """

    pictures: TrainingImages
    chances: np.ndarray
    unscored: list[dict[str, Any]]


def learn(settings: Any, images: xr.Dataset, labels: xr.DataArray | None) -> MicrographsModel:
    """Train a network as the settings say; the model holds how good it is on originals held out.

    Parameters
    ----------
    settings : Micrographs
        The analysis with its settings.
    images : Dataset, dims (image, y, x)
        The labelled images.
    labels : DataArray (image,), optional
        Class names; those of the images if not given.

    Raises
    ------
    InputError
        If there are fewer than two classes, or too few originals to hold some out.
    """
    with progress.stage(0.0, 0.1):
        read = examples.examples(images, labels, edge=settings.edge, databar=settings.databar)
    pictures, n_copied = examples.without_copies(read, seed=settings.seed)
    if settings.judged_by == ORIGINS:
        n_trainings = np.unique(pictures.origins).size + 1
        with progress.stage(0.1, 0.9):
            judged = _origins_left_out(settings, pictures, share=1 / n_trainings)
        parts, share = _parts(pictures, shares=CHECKED, seed=settings.seed), 1 / n_trainings
    else:
        judged, share = None, 1.0
        parts = _parts(pictures, shares=SHARES, seed=settings.seed)
    learned, checked = pictures.of(parts == LEARN), pictures.of(parts == VALIDATE)
    with progress.stage(0.1 if judged is None else 0.9 - 0.8 * share, 0.9):
        taught = _fit_network(settings, learned, checked, share=share)
    if judged is None:
        held_out = pictures.of(parts == JUDGE)
        judged = Judged(held_out, _chances(taught, held_out), [])
    with progress.stage(0.9, 1.0):
        return _model(settings, taught, learned, checked, judged, n_copied)


def _parts(pictures: TrainingImages, *, shares: Sequence[float], seed: int) -> np.ndarray:
    n_parents = np.unique(pictures.parents).size
    if n_parents < len(shares):
        raise InputError(
            f"the pictures are of {n_parents} originals; give {len(shares)} or more: some are held out"
        )
    return examples.split(pictures, shares=shares, seed=seed)


def _origins_left_out(settings: Any, pictures: TrainingImages, *, share: float) -> Judged:
    """Return each origin judged by a network that learned from the others alone."""
    chances = np.zeros((len(pictures.classes), len(pictures.names)))
    scored = np.ones(len(pictures.classes), bool)
    unscored = []
    origins = np.unique(pictures.origins)
    for n, origin in enumerate(origins):
        here = pictures.origins == origin
        # what is a copy of one of these is not learned from
        apart = ~here & ~np.isin(pictures.parents, pictures.parents[here])
        rest = pictures.of(apart)
        parts = _parts(rest, shares=CHECKED, seed=settings.seed)
        with progress.stage(n / origins.size, (n + 1) / origins.size):
            taught = _fit_network(
                settings,
                rest.of(parts == LEARN),
                rest.of(parts == VALIDATE),
                share=share,
                part=f"origin_{n:03d}",
            )
        chances[here] = _chances(taught, pictures.of(here))
        new = here & ~np.isin(pictures.classes, rest.classes)
        scored &= ~new
        if new.any():
            names = [pictures.names[k] for k in np.unique(pictures.classes[new])]
            unscored.append({"origin": str(origin), "classes": names})
    if not scored.any():
        raise InputError("every class comes from one origin alone; give pictures of a class from two or more")
    return Judged(pictures.of(scored), chances[scored], unscored)


def _fit_network(
    settings: Any, learned: TrainingImages, checked: TrainingImages, *, share: float, part: str = ""
) -> Taught:
    """Return a network that learned from some pictures and was chosen and calibrated by others.

    `share` is that of the time and the steps of the settings; `part` names the training in a job's folder.
    """
    wake_keras()
    import keras

    keras.utils.set_random_seed(settings.seed)
    n_channels = 2 if settings.magnification else 1
    network = networks.build(
        settings.network,
        edge=settings.edge,
        n_classes=len(learned.names),
        weights=settings.weights,
        n_channels=n_channels,
    )
    weights = _weights(learned, balanced=settings.balanced)
    batches = Batches(
        learned, n_together=settings.n_together, seed=settings.seed, weights=weights, n_channels=n_channels
    )
    logs = Path(settings.logs) / part if settings.logs else None
    rate = settings.learning_rate

    def taught(length: float, rate: float, name: str) -> History:
        _compile(network, rate)
        n_steps = max(1, round(length * settings.n_steps))
        minutes = length * settings.minutes
        plan = Plan(n_steps, max(1, n_steps // LOOKS), rate, minutes, settings.patience)
        return train(network, batches, lambda net: _look(net, checked), plan, logs=logs, part=part + name)

    if settings.network in networks.TRANSFER:
        with progress.stage(0.0, FROZEN):
            taught(share * FROZEN, rate, "head")
        networks.thaw(network)
        with progress.stage(FROZEN, 1.0):
            history = taught(share * (1 - FROZEN), rate * GENTLY, "all")
    else:
        history = taught(share, rate, "")
    logits = run_network(network, checked.squares, checked.fields).logits
    return Taught(network, history, temperature(logits, checked.classes))


def _chances(taught: Taught, pictures: TrainingImages) -> np.ndarray:
    """Return probabilities `(picture, class)`."""
    return at_temperature(
        run_network(taught.network, pictures.squares, pictures.fields).logits, taught.temperature
    )


def _compile(network: "keras.Model", rate: float) -> None:
    import keras

    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3, clipnorm=1.0),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING),
        jit_compile=False,
    )


def _weights(pictures: TrainingImages, *, balanced: bool) -> np.ndarray:
    """Weight of each class in the loss: the inverse of how often it is there, the mean over pictures 1."""
    counts = np.bincount(pictures.classes, minlength=len(pictures.names))
    if not balanced:
        return np.ones(counts.size, np.float32)
    present = counts > 0
    return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0).astype(np.float32)


def _look(network: "keras.Model", checked: TrainingImages) -> dict[str, float]:
    """Figures of the validation pictures, by which epochs are compared."""
    lots = [slice(start, start + TOGETHER) for start in range(0, len(checked.squares), TOGETHER)]
    n_channels = network.input_shape[-1]
    given = (inputs(checked.squares[lot], checked.fields[lot], n_channels=n_channels) for lot in lots)
    logits = np.concatenate([predict_squares(network, one)[0] for one in given])
    n_classes = len(checked.names)
    counts = scores.confusion(checked.classes, logits.argmax(axis=1), n_classes=n_classes)
    right = at_temperature(logits, 1.0)[np.arange(len(logits)), checked.classes]
    surprise = float(-np.log(np.maximum(right, 1e-7)).mean())
    return {
        "accuracy": float(np.trace(counts) / counts.sum()),
        "val_loss": surprise,
        SCORE: float(np.nanmean(scores.f1(counts))) - 1e-3 * surprise,
    }


def run_network(network: "keras.Model", grey: np.ndarray, fields: np.ndarray) -> NetworkOutput:
    """Return the output of a network for squares `(image, y, x)` that show fields `(image,)` in nm.

    Parameters
    ----------
    network
        The network.
    grey : ndarray (image, y, x), uint8
        Squares of grey levels.
    fields : ndarray (image,)
        Width in nm that each square shows.
    """
    lots = (slice(start, start + TOGETHER) for start in range(0, len(grey), TOGETHER))
    parts = [apply_network(network, grey[lot], fields[lot]) for lot in lots]
    return NetworkOutput(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _model(
    settings: Any,
    taught: Taught,
    learned: TrainingImages,
    checked: TrainingImages,
    judged: Judged,
    n_copied: int,
) -> MicrographsModel:
    """Return the model with its card."""
    drawn = np.random.default_rng(settings.seed).permutation(len(learned.classes))[:N_KNOWN]
    kept, chances = learned.of(np.sort(drawn)), _chances(taught, checked)
    known = _choose_references(taught.network, learned, checked, kept=np.sort(drawn), seed=settings.seed)
    path, sides = keep_network(_bare(taught.network)), (learned, checked, judged.pictures)
    return MicrographsModel(
        analysis=settings.analysis,
        settings=settings.settings(),
        class_names=learned.names,
        arrays={
            **{f"known_{name}": array for name, array in known._asdict().items()},
            "known_classes": kept.classes.astype(np.uint8),
            "known_thumbnails": resize_square(kept.squares, SMALL).astype(np.uint8),
            "held_out_probability": chances.max(axis=1),
            "held_out_right": chances.argmax(axis=1) == checked.classes,
            "confusion": _confusion(judged.chances, judged.pictures),
        },
        metadata={
            DIGEST: file_digest(path),
            "n_weights": int(taught.network.count_params()),
            "temperature": taught.temperature,
            "known_files": list(kept.files),
            "n_pictures": [len(side.classes) for side in sides],
            "n_originals": [int(np.unique(side.parents).size) for side in sides],
            "n_copied": n_copied,
            "judged_on": JUDGED_ON[settings.judged_by],
            "unscored": judged.unscored,
            **_card(judged.chances, judged.pictures, seed=settings.seed),
            "history": taught.history.rows,
            "seconds": round(taught.history.seconds, 1),
        },
        network=path,
    )


def _choose_references(
    network: "keras.Model", learned: TrainingImages, checked: TrainingImages, *, kept: np.ndarray, seed: int
) -> novelty.Known:
    """Return what tells the unknown; `kept` are the numbers of the pictures to compare with."""
    n_learned = len(learned.classes)
    used = np.random.default_rng(seed).integers(n_learned, size=min(N_STRANGE, EACH * n_learned))
    made = replace(learned.of(used), squares=make_outliers(learned.squares[used], seed=seed))
    known, held_out, unlike = (
        run_network(network, side.squares, side.fields).features for side in (learned, checked, made)
    )
    depths = networks.n_features(network)
    return novelty.learn(known, learned.classes, held_out, unlike, depths=depths, kept=kept)


def _bare(network: "keras.Model") -> "keras.Model":
    """Return the same network without its optimizer, which is twice as large."""
    import keras

    return keras.Model(network.input, network.output)


def _confusion(chances: np.ndarray, judged: TrainingImages) -> np.ndarray:
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


def _card(chances: np.ndarray, judged: TrainingImages, *, seed: int) -> dict[str, Any]:
    """Return the metrics of the model on held-out images, which are used here for the first time."""
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
        "calibration_error": float(calibration_error(chances, judged.classes)),
        "risk_coverage": [curve.coverage[every].tolist(), curve.risk[every].tolist()],
        "confused": [
            {"truth": judged.names[a], "found": judged.names[b], "count": int(apart[a, b])} for a, b in pairs
        ],
    }
