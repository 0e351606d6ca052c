"""The loop of training: it learns, goes on where it was killed, stops when asked, and leaves logs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import progress
from engine.errors import CancelledError
from engine.learning import training
from engine.learning.training import Plan, train
from engine.unet.losses import cross_entropy

PLAN = Plan(n_steps=12, epoch=4, learning_rate=3e-3, minutes=10, patience=0)


@pytest.fixture(autouse=True)
def few_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "N_MEASURED", 3)


def network() -> Any:
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    image = layers.Input((32, 32, 1))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(image)))
    model = keras.Model(image, layers.Conv2D(3, 1)(x))
    model.compile(keras.optimizers.AdamW(1e-3), cross_entropy(), jit_compile=False)
    return model


def batches(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels whose value is their class, with noise."""
    rng = np.random.default_rng(step)
    classes = rng.integers(0, 3, (2, 32, 32))
    return (classes + rng.normal(0, 0.3, classes.shape))[..., None].astype(np.float32), classes.astype(
        np.int32
    )


def score(model: Any) -> dict[str, float]:
    images, classes = batches(10**6)
    found = np.asarray(model.predict_on_batch(images)).argmax(axis=-1)
    return {"score": float((found == classes).mean())}


def test_a_network_learns_and_ends_with_its_best_weights_and_statistics_that_predictions_use():
    model = network()
    before = score(model)["score"]
    history = train(model, batches, score, Plan(40, 10, 3e-2, 10, 0))
    assert [row["step"] for row in history.rows] == [10, 20, 30, 40]
    assert score(model)["score"] == max(row["score"] for row in history.rows) > before + 0.15
    assert history.steady


def test_training_that_was_killed_goes_on_from_its_last_epoch(tmp_path: Path):
    def stopped(share: float, _doing: str) -> None:
        if share > 0.7:
            raise CancelledError("stop")

    rows: list[Any] = []
    with progress.keeping(tmp_path, rows.append):
        with progress.reporting(stopped), pytest.raises(CancelledError):
            train(network(), batches, score, PLAN)
        assert [row["step"] for row in rows] == [4, 8]
        steps: list[int] = []
        history = train(network(), lambda step: (steps.append(step), batches(step))[1], score, PLAN)
    assert [row["step"] for row in rows] == [4, 8, 12]
    assert [row["step"] for row in history.rows] == [4, 8, 12]
    assert 0 not in steps


def test_training_stops_when_nothing_gets_better_and_when_the_time_is_over():
    stopped = train(network(), batches, lambda _: {"score": 0.5}, Plan(1000, 2, 3e-3, 10, patience=2))
    assert [row["step"] for row in stopped.rows] == [2, 4, 6]
    late = train(network(), batches, score, Plan(10**6, 2, 3e-3, minutes=1e-4, patience=0))
    assert len(late.rows) == 1


def test_logs_are_left_as_csv_and_for_tensorboard(tmp_path: Path):
    train(network(), batches, score, PLAN, logs=tmp_path)
    assert len((tmp_path / "training.csv").read_text().splitlines()) == 4
    assert list(tmp_path.rglob("events.out.tfevents*"))
