"""The loop in which a network learns: schedule, logs, checkpoints, early stopping, progress and cancel."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine import progress

if TYPE_CHECKING:
    import keras

SCORE: Final = "score"
"""Name of the figure by which epochs are compared: higher is better."""

N_MEASURED: Final = 60
"""Batches over which the statistics of batch normalisation are measured before they are fixed, at most."""
HISTORY: Final = "history.json"
WEIGHTS: Final = ".weights.h5"
BEST: Final = f"best{WEIGHTS}"

Batches = Callable[[int], tuple[np.ndarray, ...]]
"""Step -> inputs, targets and, where there are any, weights; the same for the same step."""
Score = Callable[["keras.Model"], Mapping[str, float]]
"""Figures of a network on held-out examples, among them `score`."""


@dataclass(frozen=True)
class Plan:
    """Schedule of a training: number of steps and learning rate.

    The learning rate rises for the first `warm_up` of the steps and then falls to 0 along a cosine [1]_.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
       arXiv:1608.03983.
    """

    n_steps: int
    epoch: int
    """Steps between two looks at the held-out examples."""
    learning_rate: float
    minutes: float
    """Time in which learning ends at the latest: the schedule follows the clock where steps are slow."""
    patience: int
    """Epochs without a better score after which learning stops; 0: never."""
    warm_up: float = 0.05
    steady: float = 0.2
    """Share after which batch normalisation uses fixed statistics, as it will in predictions: batches with
    and without bright parts differ so much that what is learned from their own statistics fails with those of
    all."""

    def share(self, step: int, seconds: float) -> float:
        """Return the share of the learning that is done, by steps or by the clock, whichever is further.

        Parameters
        ----------
        step : int
            Steps that are done.
        seconds : float
            Time since the beginning.
        """
        return max(step / self.n_steps, seconds / (60 * self.minutes))

    def rate(self, share: float) -> float:
        """Learning rate when a share of the learning is done."""
        cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, share)))
        return float(self.learning_rate * min(1.0, (share + 1e-3) / self.warm_up) * cosine)


@dataclass
class History:
    """State of a training after some steps."""

    step: int = 0
    seconds: float = 0.0
    steady: bool = False
    """Whether the statistics of batch normalisation are fixed."""
    rows: list[dict[str, float]] = field(default_factory=list)
    """One row an epoch: epoch, step, loss, learning_rate, and the figures of the score."""

    @property
    def best(self) -> int:
        """Number of the epoch with the best score, counted from 0."""
        return int(np.argmax([row[SCORE] for row in self.rows]))

    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.rows) - 1 - self.best

    def ended(self, plan: Plan) -> bool:
        """Return whether there is no more to do."""
        if not self.rows:
            return False
        stopped = plan.patience > 0 and self.waited() >= plan.patience
        return stopped or plan.share(self.step, self.seconds) >= 1


def train(
    network: "keras.Model",
    batches: Batches,
    score: Score,
    plan: Plan,
    *,
    logs: Path | None = None,
    part: str = "",
) -> History:
    """Teach a compiled network; it ends with the weights of the epoch with the best score.

    Each epoch is recorded (`progress.record`). In a job that is started again, learning goes on from the last
    epoch that was finished.

    Parameters
    ----------
    network
        Compiled, with its optimizer.
    batches
        What is learned from, by step.
    score
        Figures on held-out examples.
    plan
        How long and how fast.
    logs
        Folder for logs: `training.csv`, and what TensorBoard shows.
    part
        Name of this training where a job holds several, one after the other.

    Raises
    ------
    CancelledError
        If the work was cancelled.
    """
    with _folder(part) as folder, ThreadPoolExecutor(1) as pool:
        history = _restore_state(network, folder)
        board = _board(network, logs, n_epochs=len(history.rows))
        source = _Ahead(batches, pool)
        began = time.monotonic() - history.seconds
        if history.steady:
            _fix_statistics(network)
        while not history.ended(plan):
            if not history.steady and plan.share(history.step, history.seconds) >= plan.steady:
                _measure_statistics(network, batches, history.step, n=min(N_MEASURED, plan.n_steps))
                _fix_statistics(network)
                history.steady = True
            loss, rate = _epoch(network, source, plan, history, began)
            history.seconds = time.monotonic() - began
            row = {"epoch": len(history.rows) + 1, "step": history.step, "loss": loss, "learning_rate": rate}
            history.rows.append({**row, **score(network)})
            progress.record(history.rows[-1])
            board.on_epoch_end(len(history.rows) - 1, history.rows[-1])
            _store(network, history, folder)
        board.on_train_end()
        network.load_weights(folder / BEST)
    return history


class _Ahead:
    """Batches, each made while the one before it is learned from."""

    def __init__(self, batches: Batches, pool: ThreadPoolExecutor) -> None:
        self.batches = batches
        self.pool = pool
        self.coming: tuple[int, Future[tuple[np.ndarray, ...]]] | None = None

    def __call__(self, step: int) -> tuple[np.ndarray, ...]:
        """Return the batch of a step and begin the next."""
        ready = self.coming is not None and self.coming[0] == step
        batch = self.coming[1].result() if ready and self.coming is not None else self.batches(step)
        self.coming = (step + 1, self.pool.submit(self.batches, step + 1))
        return batch


def _epoch(
    network: "keras.Model", source: Batches, plan: Plan, history: History, began: float
) -> tuple[float, float]:
    """Learn until the next look at the held-out examples; the mean loss and the last learning rate."""
    losses: list[float] = []
    for _ in range(plan.epoch):
        share = plan.share(history.step, time.monotonic() - began)
        if share >= 1 and losses:
            break
        progress.report(min(1.0, share), f"learning, step {history.step}")
        network.optimizer.learning_rate = plan.rate(share)
        losses.append(float(network.train_on_batch(*source(history.step))))
        history.step += 1
    return float(np.mean(losses)), plan.rate(share)


def _measure_statistics(network: "keras.Model", batches: Batches, step: int, *, n: int) -> None:
    """Set the statistics of batch normalisation to their means over n batches."""
    layers = _normalisations(network)
    before = [layer.momentum for layer in layers]
    for done in range(n):
        for layer in layers:
            layer.momentum = done / (done + 1)
        network(batches(step + done)[0], training=True)
    for layer, momentum in zip(layers, before, strict=True):
        layer.momentum = momentum


def _fix_statistics(network: "keras.Model") -> None:
    """Let batch normalisation use its statistics also in training; scales and offsets stay as they are."""
    import keras

    for layer in _normalisations(network):
        layer.trainable = False
    if keras.backend.backend() != "tensorflow":  # elsewhere an optimizer is for the variables it began with
        begun = type(network.optimizer).from_config(network.optimizer.get_config())
        network.compile(begun, network.loss, jit_compile=network.jit_compile)
    network.make_train_function(force=True)


def _normalisations(network: "keras.Model") -> list[Any]:
    return [layer for layer in network.layers if type(layer).__name__ == "BatchNormalization"]


@contextmanager
def _folder(part: str) -> Iterator[Path]:
    """Yield where checkpoints lie: with the job, so that it can go on from there, else for the time being."""
    kept = progress.checkpoint_folder()
    if kept is not None:
        (kept / part).mkdir(parents=True, exist_ok=True)
        yield kept / part
        return
    with tempfile.TemporaryDirectory(prefix="mapstack-training-") as folder:
        yield Path(folder)


def _restore_state(network: "keras.Model", folder: Path) -> History:
    try:
        history = History(**json.loads((folder / HISTORY).read_text(encoding="utf-8")))
        network.optimizer.build(network.trainable_variables)
        network.load_weights(folder / f"{history.step}{WEIGHTS}")
    except (OSError, ValueError, TypeError):  # no checkpoint, or one of another network: begin
        return History()
    return history


def _store(network: "keras.Model", history: History, folder: Path) -> None:
    """Write a checkpoint: first the weights, then the history that names them, so that a kill loses none."""
    before = set(folder.glob(f"[0-9]*{WEIGHTS}"))
    network.save_weights(folder / f"{history.step}{WEIGHTS}")
    if history.waited() == 0:
        network.save_weights(folder / BEST)
    draft = folder / f".{HISTORY}"
    draft.write_text(json.dumps(asdict(history)), encoding="utf-8")
    draft.replace(folder / HISTORY)
    for old in before:
        old.unlink(missing_ok=True)


def _board(network: "keras.Model", logs: Path | None, *, n_epochs: int) -> Any:
    """Keras' own writers of logs."""
    import keras

    writers: list[Any] = []
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
        writers = [
            keras.callbacks.CSVLogger(logs / "training.csv", append=n_epochs > 0),
            keras.callbacks.TensorBoard(logs, write_graph=False),
        ]
    board = keras.callbacks.CallbackList(writers, model=network)
    board.on_train_begin()
    return board
