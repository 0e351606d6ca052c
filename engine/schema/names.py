"""Names of dimensions, maps, tables and attributes: the one place where each is spelled."""

from typing import Final

Y: Final = "y"
X: Final = "x"
PIXEL: Final = (Y, X)
WAVELENGTH: Final = "wavelength"
ANGLE: Final = "angle"
ENERGY: Final = "energy"
CHANNEL: Final = "channel"
IMAGE: Final = "image"
SPECTRAL: Final = (WAVELENGTH, ANGLE, ENERGY, CHANNEL, IMAGE)

DELTA: Final = "delta"
PSI: Final = "psi"
MASK: Final = "mask"
WEIGHTS: Final = "weights"

LABELS: Final = "labels"
CONFIDENCE: Final = "confidence"
OBJECTS: Final = "objects"
LABEL: Final = "label"
OBJECT: Final = "object"
CHANGE: Final = "change"
CLASSES: Final = "classes"
SPECTRA: Final = "spectra"
ENTROPY: Final = "entropy"
OBJECT_TABLE: Final = "object_table"
IMAGE_TABLE: Final = "image_table"
FRACTIONS: Final = "fractions"
FEATURES: Final = "features"
AUDIT: Final = "audit"
MODEL: Final = "model"
VALUES: Final = "values"
ORDER: Final = "order"
"""Attr of the values: their names in the order in which they are shown, with spaces between."""
ZONE_TABLE: Final = "zone_table"
RESIDUAL: Final = "residual"
VALID: Final = "valid"
KIND: Final = "kind"
"""Attr of a result: which of the kinds of `engine.schema.kinds` it is."""
PICTURES: Final = "pictures"
KNOWN: Final = "known"
TILES: Final = "tiles"
EXAMPLE: Final = "example"
RANK: Final = "rank"
WARNINGS: Final = "warnings"
RUNTIME: Final = "runtime"
RETRAINED: Final = "retrained"
"""Attr of a result that was judged anew: how good the correction is on parents that it did not see."""

STATISTICS: Final = ("mean", "std", "median", "mad", "q05", "q95", "count")
LUMA: Final = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the intensity of a colour picture (ITU-R BT.601)."""
PERIODS: Final = {DELTA: 360.0}
"""Variables that are angles on a circle, and the circle's length in the variable's units."""
