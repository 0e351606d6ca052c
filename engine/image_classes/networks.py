"""Networks that tell what a micrograph shows: two of our own, and those of Keras with a new head.

Each ends in feature maps, their mean over the picture, and one dense layer. So the evidence for a class is
exact: the maps weighted as that layer weights their means [1]_.

References
----------
.. [1] B. Zhou et al., Learning deep features for discriminative localization, CVPR 2016, arXiv:1512.04150.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.errors import FileError, InputError

if TYPE_CHECKING:
    import keras

COMPACT: Final = "compact"
SMALL: Final = "small"
MAPS: Final = "maps"
"""Name of the layer whose maps are averaged."""
HEAD: Final = "head"
FILTERS: Final = (24, 48, 96, 160)
SMALL_FILTERS: Final = (32, 32)
TRANSFER: Final[Mapping[str, tuple[str, str, tuple[float, float]]]] = {
    "xception": ("Xception", "xception_weights_tf_dim_ordering_tf_kernels_notop.h5", (0.0, 0.5)),
    "efficientnetv2b0": ("EfficientNetV2B0", "efficientnetv2-b0_notop.h5", (127.5, 64.0)),
    "convnexttiny": ("ConvNeXtTiny", "convnext_tiny_notop.h5", (127.5, 64.0)),
    "mobilenetv3small": (
        "MobileNetV3Small",
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
        (127.5, 64.0),
    ),
}
"""Of Keras' networks by our name: its own, the file of its weights in Keras' cache, and the mean and standard
deviation that its pictures are given: Xception expects values from -1 to 1, the others from 0 to 255."""
NETWORKS: Final = (COMPACT, SMALL, *TRANSFER)


def build(name: str, *, edge: int, n_classes: int, weights: str = "", n_channels: int = 1) -> "keras.Model":
    """Return a network from standardised squares `(image, y, x, channel)` to logits `(image, class)`.

    Parameters
    ----------
    name
        One of `NETWORKS`.
    edge
        Rows and columns of the squares.
    n_classes
    weights
        File of weights for one of Keras' networks, without its head; empty: that in Keras' cache.
    n_channels
        2: beside the squares the network is told the field of view (`network_inputs.inputs`).

    Raises
    ------
    InputError
        If one of Keras' networks is to be told the field of view, which has no place in its weights.
    FileError
        If the weights are not there, or are of another network. Nothing is downloaded.
    """
    if name not in TRANSFER:
        return _OWN[name]((edge, edge, n_channels), n_classes)
    if n_channels > 1:
        raise InputError(f"{name} takes no magnification; leave it out, or take the network {COMPACT}")
    return _load_backbone(name, edge=edge, n_classes=n_classes, weights=weights)


def add_outputs(network: "keras.Model") -> "keras.Model":
    """Return the network with three outputs: logits, features `(image, feature)`, maps `(image, y, x, map)`.

    The features are the means and spreads of the maps at several depths: what a picture looks like, not
    only what decides between the classes.
    """
    import keras
    from keras import layers, ops

    last, depths = network.get_layer(MAPS).output, _depths(network)
    features = [f(x, axis=(1, 2)) for x in depths for f in (ops.mean, ops.std)]
    joined = layers.Concatenate()(features) if len(features) > 1 else features[0]
    return keras.Model(network.input, [network.output, joined, last])


def n_features(network: "keras.Model") -> list[int]:
    """Return how many of the features of `add_outputs` each depth has."""
    return [2 * int(maps.shape[-1]) for maps in _depths(network)]


def _depths(network: "keras.Model") -> list[Any]:
    """Return the maps at several depths; of a network that does not say which, the last ones."""
    named = [layer.output for layer in network.layers if layer.name.startswith("depth_")]
    return named or [network.get_layer(MAPS).output]


def head_weights(network: "keras.Model") -> np.ndarray | None:
    """Return weights `(map, class)` with which the means of the maps are judged.

    None if something lies between.
    """
    weights = np.asarray(network.get_layer(HEAD).get_weights()[0])
    return weights if len(weights) == network.get_layer(MAPS).output.shape[-1] else None


def _keras_home() -> Path:
    """Return where Keras keeps weights."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))


def thaw(network: "keras.Model") -> None:
    """Let all of one of Keras' networks learn, but for its statistics of batch normalisation."""
    for layer in network.layers:
        layer.trainable = type(layer).__name__ != "BatchNormalization"


def _compact(shape: tuple[int, int, int], n_classes: int) -> "keras.Model":
    from keras import layers

    image = layers.Input(shape)
    x = image
    for depth, n_filters in enumerate(FILTERS):
        x = layers.Conv2D(n_filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        if depth:
            y = layers.Conv2D(n_filters, 3, padding="same", use_bias=False)(x)
            x = layers.Add()([x, layers.BatchNormalization()(y)])
        x = layers.ReLU(name=f"depth_{depth}")(x)
    return _add_head(image, x, n_classes)


def _small(shape: tuple[int, int, int], n_classes: int) -> "keras.Model":
    """Return the prior system's: two convolutions of 32 with poolings, dropout, a dense layer of 128."""
    import keras
    from keras import layers

    image = layers.Input(shape)
    x = image
    for depth, n_filters in enumerate(SMALL_FILTERS):
        x = layers.Conv2D(n_filters, 3, activation="relu", name=f"depth_{depth}")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Identity(name=MAPS)(layers.Dropout(0.25)(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(n_classes, name=HEAD)(layers.Dropout(0.5)(x)))


_OWN: Final[Mapping[str, Callable[[tuple[int, int, int], int], "keras.Model"]]] = {
    COMPACT: _compact,
    SMALL: _small,
}


def _add_head(image: Any, x: Any, n_classes: int) -> "keras.Model":
    import keras
    from keras import layers

    x = layers.GlobalAveragePooling2D()(layers.Identity(name=MAPS)(x))
    return keras.Model(image, layers.Dense(n_classes, name=HEAD)(layers.Dropout(0.2)(x)))


def _load_backbone(name: str, *, edge: int, n_classes: int, weights: str) -> "keras.Model":
    import keras
    from keras import layers

    kind, cached, (middle, spread) = TRANSFER[name]
    file = Path(weights) if weights else _keras_home() / "models" / cached
    if not file.is_file():
        raise FileError(
            f"the weights of {name} are not in {file}; give their file (--weights), or take the network"
            f" {COMPACT}, which needs none"
        )
    image = layers.Input((edge, edge, 1))
    colours = layers.Concatenate()([layers.Rescaling(spread, offset=middle)(image)] * 3)
    body = getattr(keras.applications, kind)(include_top=False, weights=None, input_tensor=colours)
    try:
        body.load_weights(file)
    except (ValueError, OSError, KeyError, ImportError) as error:
        raise FileError(
            f"{file.name} holds no weights of {name} without its head ({type(error).__name__}); give another"
        ) from None
    body.trainable = False
    return _add_head(image, body.output, n_classes)
