"""Class colours: distinguishable with every kind of colour vision, the same for a class everywhere."""

from typing import Final

import numpy as np

OKABE_ITO: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#7F7F7F")
"""The eight colours of Okabe & Ito (2008), black replaced by a grey that shows on light and dark."""


def class_colors(n_classes: int) -> list[str]:
    """Return one colour a class as `#rrggbb`: Okabe-Ito up to eight, then an even ring of hues in Oklab.

    Examples
    --------
    >>> class_colors(2)
    ['#0072B2', '#E69F00']
    """
    if n_classes <= len(OKABE_ITO):
        return list(OKABE_ITO[:n_classes])
    hues = 2 * np.pi * np.arange(n_classes) / n_classes
    lightness = np.where(np.arange(n_classes) % 2, 0.62, 0.78)
    return [
        _oklab_hex(level, 0.12 * np.cos(hue), 0.12 * np.sin(hue))
        for level, hue in zip(lightness, hues, strict=True)
    ]


def _oklab_hex(lightness: float, a: float, b: float) -> str:
    """Convert Oklab to `#rrggbb` (B. Ottosson 2020, https://bottosson.github.io/posts/oklab/)."""
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_rgb @ (to_lms @ [lightness, a, b]) ** 3, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in encoded)
