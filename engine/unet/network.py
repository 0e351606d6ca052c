"""U-Nets: the lean one that is fast on CPUs, and the classic one of the prior system.

Built from Keras 3 layers alone, so that TensorFlow, JAX and PyTorch can run them.

References
----------
O. Ronneberger, P. Fischer, T. Brox, U-Net: convolutional networks for biomedical image segmentation,
MICCAI 2015, arXiv:1505.04597.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import keras

LEAN: Final = "lean"
CLASSIC: Final = "classic"
MOMENTUM: Final = 0.9
"""Of batch normalisation: with Keras' 0.99 the averages lag, and predictions fail for hundreds of steps."""


def lean(n_classes: int) -> "keras.Model":
    """U-Net of 16 to 128 filters and 3 poolings with batch normalisation, about 450,000 weights."""
    return _u_net(n_classes, n_filters=16, n_poolings=3, block=_normalised)


def classic(n_classes: int) -> "keras.Model":
    """The prior system's U-Net: 32 to 512 filters, 4 poolings, ELU and dropout, 7.8 million weights."""
    return _u_net(n_classes, n_filters=32, n_poolings=4, block=_dropped)


NETWORKS: Final[Mapping[str, Callable[[int], "keras.Model"]]] = {LEAN: lean, CLASSIC: classic}
"""Networks by name: number of classes -> network from `(image, y, x, 1)` to logits `(image, y, x, class)`."""


def step(network: "keras.Model") -> int:
    """Pixels by which an image can move without moving relative to the poolings: a power of two."""
    return int(2 ** sum(type(layer).__name__ == "MaxPooling2D" for layer in network.layers))


def halo(network: "keras.Model") -> int:
    """Pixels round a pixel on which its logits may depend, rounded up to whole steps of the poolings.

    The largest sum of the layers' reaches over all ways from the input: (k - 1) / 2 pixels of the layer's own
    resolution for a kernel of k, and one for a pooling, whose pixels cover it and a neighbour.
    """
    reach: dict[str, int] = {}
    scale: dict[str, int] = {}
    for layer in network.layers:
        before = [tensor._keras_history.operation.name for tensor in _inputs(layer)]
        own = max((scale[name] for name in before), default=1)
        so_far = max((reach[name] for name in before), default=0)
        kind = type(layer).__name__
        if kind.startswith("Conv2D"):
            so_far += max(layer.kernel_size) // 2 * own
            own = own // max(layer.strides) if kind == "Conv2DTranspose" else own
        elif kind == "MaxPooling2D":
            so_far, own = so_far + own, 2 * own
        elif kind == "UpSampling2D":
            own = own // 2
        reach[layer.name], scale[layer.name] = so_far, own
    widest = max(reach.values())
    return -(-widest // step(network)) * step(network)


def _inputs(layer: Any) -> list[Any]:
    """Tensors that a layer is applied to, none for an input."""
    if type(layer).__name__ == "InputLayer":
        return []
    tensors = layer.input
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def _u_net(
    n_classes: int, *, n_filters: int, n_poolings: int, block: Callable[[Any, int], Any]
) -> "keras.Model":
    import keras
    from keras import layers

    image = layers.Input((None, None, 1))
    x, skips = image, []
    for level in range(n_poolings):
        skips.append(block(x, n_filters * 2**level))
        x = layers.MaxPooling2D()(skips[-1])
    x = block(x, n_filters * 2**n_poolings)
    for level in reversed(range(n_poolings)):
        x = layers.UpSampling2D()(x)
        x = layers.Conv2D(n_filters * 2**level, 1, use_bias=False)(x)
        x = block(layers.Concatenate()([x, skips[level]]), n_filters * 2**level)
    logits = layers.Conv2D(n_classes, 1, dtype="float32", name="logits")(x)
    return keras.Model(image, logits)


def _normalised(x: Any, n_filters: int) -> Any:
    """Two convolutions, each normalised and rectified."""
    from keras import layers

    for _ in range(2):
        x = layers.Conv2D(n_filters, 3, padding="same", use_bias=False)(x)
        x = layers.Activation("relu")(layers.BatchNormalization(momentum=MOMENTUM)(x))
    return x


def _dropped(x: Any, n_filters: int) -> Any:
    """Two convolutions with ELU, weights kept small, and dropout between them."""
    from keras import layers, regularizers

    small = regularizers.L2(0.01)
    x = layers.Conv2D(n_filters, 3, padding="same", activation="elu", kernel_regularizer=small)(x)
    x = layers.Dropout(0.18)(x)
    return layers.Conv2D(n_filters, 3, padding="same", activation="elu", kernel_regularizer=small)(x)
