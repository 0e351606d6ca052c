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
LEAN_FILTERS: Final = (32, 64, 128)
AROUND: Final = 9
"""Edge of the square round a pixel with whose mean it is compared, in pixels."""
CLASSIC_FILTERS: Final = (32, 64, 128, 256, 512)
MOMENTUM: Final = 0.9
"""Of batch normalisation: with Keras' 0.99 the averages lag, and predictions fail for hundreds of steps."""


def lean(n_classes: int) -> "keras.Model":
    """U-Net on blocks of 2 x 2 pixels, 32 to 128 filters, skips added, about 400,000 weights.

    A block's 4 pixels become filters first and pixels again at the end (sub-pixel convolution [1]_), so that
    no convolution runs at the full resolution, where a U-Net spends most of its time.

    References
    ----------
    .. [1] W. Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel
       convolutional neural network, CVPR 2016, arXiv:1609.05158.
    """
    import keras
    from keras import layers

    image = layers.Input((None, None, 1))
    x = layers.Conv2D(LEAN_FILTERS[0], 2, strides=2, padding="same", use_bias=False)(
        _compress_channels(image)
    )
    skips = []
    for n_filters in LEAN_FILTERS[:-1]:
        skips.append(_add_normalisation(x, n_filters))
        x = layers.MaxPooling2D()(skips[-1])
    x = _add_normalisation(x, LEAN_FILTERS[-1])
    for n_filters, skip in zip(LEAN_FILTERS[-2::-1], skips[::-1], strict=True):
        x = layers.UpSampling2D()(layers.Conv2D(n_filters, 1, use_bias=False)(x))
        x = _add_normalisation(layers.Add()([x, skip]), n_filters)
    x = layers.Conv2DTranspose(8, 2, strides=2)(x)
    return keras.Model(image, _logits(x, n_classes))


def classic(n_classes: int) -> "keras.Model":
    """Return the prior system's U-Net: 32 to 512 filters, 4 poolings, ELU, dropout, 7.2 million weights."""
    import keras
    from keras import layers, ops

    image = layers.Input((None, None, 1))
    x, skips = ops.arcsinh(image), []
    for n_filters in CLASSIC_FILTERS[:-1]:
        skips.append(_add_dropout(x, n_filters))
        x = layers.MaxPooling2D()(skips[-1])
    x = _add_dropout(x, CLASSIC_FILTERS[-1])
    for n_filters, skip in zip(CLASSIC_FILTERS[-2::-1], skips[::-1], strict=True):
        x = layers.Conv2D(n_filters, 1, use_bias=False)(layers.UpSampling2D()(x))
        x = _add_dropout(layers.Concatenate()([x, skip]), n_filters)
    return keras.Model(image, _logits(x, n_classes))


NETWORKS: Final[Mapping[str, Callable[[int], "keras.Model"]]] = {LEAN: lean, CLASSIC: classic}
"""Networks by name: number of classes -> network from `(image, y, x, 1)` to logits `(image, y, x, class)`.

Images are pixels above the background in units of its noise.
"""


def step(network: "keras.Model") -> int:
    """Return the pixels by which an image can move without moving relative to poolings and strides."""
    return int(2 ** sum(map(_halves, network.operations)))


def halo(network: "keras.Model") -> int:
    """Return the pixels around a pixel on which its logits may depend, rounded up to steps of the poolings.

    The largest sum of the layers' reaches over all ways from the input: (k - 1) / 2 pixels of the layer's own
    resolution for a kernel of k, and one for a pooling, whose pixels cover it and a neighbour.
    """
    reach: dict[str, int] = {}
    scale: dict[str, int] = {}
    for layer in network.operations:
        before = [tensor._keras_history.operation.name for tensor in _inputs(layer)]
        own = max((scale[name] for name in before), default=1)
        so_far = max((reach[name] for name in before), default=0)
        kind = type(layer).__name__
        if kind.startswith("Conv2D"):
            so_far += max(layer.kernel_size) // 2 * own
        elif kind == "MaxPooling2D":
            so_far += own
        elif kind == "AveragePooling2D":
            so_far += max(layer.pool_size) // 2 * own
        if _halves(layer):
            own *= 2
        elif kind == "UpSampling2D" or (kind == "Conv2DTranspose" and max(layer.strides) == 2):
            own //= 2
        reach[layer.name], scale[layer.name] = so_far, own
    widest = max(reach.values())
    return -(-widest // step(network)) * step(network)


def _halves(layer: Any) -> bool:
    """Return whether a layer halves the resolution."""
    kind = type(layer).__name__
    return kind == "MaxPooling2D" or (kind == "Conv2D" and max(layer.strides) == 2)


def _inputs(layer: Any) -> list[Any]:
    """Tensors that a layer is applied to, none for an input."""
    if type(layer).__name__ == "InputLayer":
        return []
    tensors = layer.input
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def _compress_channels(image: Any) -> Any:
    """Two planes of an image, in float32: its asinh, and that of how far a pixel is from those round it.

    On glow a hundred times the noise, the first has hardly a trace of a track that the second shows as it
    does elsewhere.
    """
    from keras import layers, ops

    around = layers.AveragePooling2D(AROUND, strides=1, padding="same", dtype="float32")(image)
    above = layers.Subtract(dtype="float32")([image, around])
    return layers.Concatenate(dtype="float32")([ops.arcsinh(image), ops.arcsinh(above)])


def _logits(x: Any, n_classes: int) -> Any:
    from keras import layers

    return layers.Conv2D(n_classes, 1, dtype="float32", name="logits")(x)


def _add_normalisation(x: Any, n_filters: int) -> Any:
    """Two convolutions, each normalised and rectified."""
    from keras import layers

    for _ in range(2):
        x = layers.Conv2D(n_filters, 3, padding="same", use_bias=False)(x)
        x = layers.Activation("relu")(layers.BatchNormalization(momentum=MOMENTUM)(x))
    return x


def _add_dropout(x: Any, n_filters: int) -> Any:
    """Two convolutions with ELU, weights kept small, and dropout between them."""
    from keras import layers, regularizers

    small = regularizers.L2(0.01)
    x = layers.Conv2D(n_filters, 3, padding="same", activation="elu", kernel_regularizer=small)(x)
    x = layers.Dropout(0.18)(x)
    return layers.Conv2D(n_filters, 3, padding="same", activation="elu", kernel_regularizer=small)(x)
