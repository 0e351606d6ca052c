"""Losses of logits against class numbers.

All take class numbers `(image, y, x)`, -1 = no class, and logits `(image, y, x, class)`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

Loss = Callable[[Any, Any], Any]

FOCUS: Final = 2.0
"""Exponent of the focal loss."""


def cross_entropy(weights: Sequence[float] | None = None) -> Loss:
    """Return mean cross-entropy of the pixels, each weighted by its class."""

    def loss(classes: Any, logits: Any) -> Any:
        from keras import ops

        truth, known = _truth(classes, logits)
        weight = known if weights is None else known * ops.sum(truth * _row(weights), axis=-1)
        entropy = -ops.sum(truth * ops.log_softmax(ops.cast(logits, "float32"), axis=-1), axis=-1)
        return ops.sum(weight * entropy) / ops.maximum(ops.sum(weight), 1.0)

    return loss


def focal(weights: Sequence[float] | None = None) -> Loss:
    """Cross-entropy in which pixels that are already right count little.

    References
    ----------
    T.-Y. Lin et al., Focal loss for dense object detection, ICCV 2017, arXiv:1708.02002, equation 5.
    """

    def loss(classes: Any, logits: Any) -> Any:
        from keras import ops

        truth, known = _truth(classes, logits)
        weight = known if weights is None else known * ops.sum(truth * _row(weights), axis=-1)
        logs = ops.sum(truth * ops.log_softmax(ops.cast(logits, "float32"), axis=-1), axis=-1)
        entropy = -((1 - ops.exp(logs)) ** FOCUS) * logs
        return ops.sum(weight * entropy) / ops.maximum(ops.sum(weight), 1.0)

    return loss


def dice(weights: Sequence[float] | None = None) -> Loss:  # noqa: ARG001  (classes count alike in it)
    """Return one minus the mean Dice coefficient of the classes.

    References
    ----------
    F. Milletari, N. Navab, S.-A. Ahmadi, V-Net, 3DV 2016, arXiv:1606.04797.
    """

    def loss(classes: Any, logits: Any) -> Any:
        from keras import ops

        truth, known = _truth(classes, logits)
        found = ops.softmax(ops.cast(logits, "float32"), axis=-1) * known[..., None]
        both = ops.sum(truth * found, axis=(0, 1, 2))
        either = ops.sum(truth, axis=(0, 1, 2)) + ops.sum(found, axis=(0, 1, 2))
        return 1 - ops.mean((2 * both + 1) / (either + 1))

    return loss


def total(weights: Sequence[float] | None = None) -> Loss:
    """Return the sum of the weighted cross-entropy, the focal and the Dice loss."""
    parts = [make(weights) for make in (cross_entropy, focal, dice)]

    def loss(classes: Any, logits: Any) -> Any:
        return sum(part(classes, logits) for part in parts)

    return loss


PLAIN: Final = "cross_entropy"
WEIGHTED: Final = "weighted"
LOSSES: Final[Mapping[str, Callable[[Sequence[float] | None], Loss]]] = {
    PLAIN: lambda _: cross_entropy(),
    WEIGHTED: cross_entropy,
    "focal": focal,
    "dice": dice,
    "sum": total,
}
"""Losses by name, each made from the weights of the classes."""


def inverse_frequency(counts: np.ndarray) -> list[float]:
    """Return weights of classes by their number of pixels: the rarer the heavier, 1 on average."""
    share = np.maximum(counts, 1) / max(1, counts.sum())
    weights = 1 / share
    return [float(w) for w in weights / np.sum(weights * share)]


def _truth(classes: Any, logits: Any) -> tuple[Any, Any]:
    """Return one plane a class, 1 where a pixel is of it, and which pixels are of any."""
    from keras import ops

    classes = ops.cast(classes, "int32")
    known = ops.cast(classes >= 0, "float32")
    return ops.one_hot(ops.maximum(classes, 0), logits.shape[-1], dtype="float32") * known[..., None], known


def _row(weights: Sequence[float]) -> Any:
    from keras import ops

    return ops.convert_to_tensor(np.asarray(weights, np.float32))
