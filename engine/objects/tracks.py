"""Tracks of radiation: energy, and kind by shape.

References
----------
.. [1] D. Rodrigues et al., Absolute measurement of the Fano factor using a Skipper-CCD, Nucl. Instrum.
   Methods A 1010 (2021) 165511: 3.749(1) eV at 123 K.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from engine.errors import InputError
from engine.schema import OBJECT
from engine.schema import columns as c

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

POINT: Final = "point"
WORM: Final = "worm"
LINE: Final = "line"
BLOB: Final = "blob"
SHAPE: Final = "shape"
FOREST: Final = "forest"
EV_PER_ELECTRON: Final = 3.745
"""Mean energy that frees one electron in silicon at about 130 K, in eV, as simulated tracks have it [1]_."""


@dataclass(frozen=True)
class Calibration:
    """Calibration of energies by charges in adu."""

    electrons_per_adu: float
    """NaN: unknown, and so are the energies."""
    ev_per_electron: float = EV_PER_ELECTRON


@dataclass(frozen=True)
class Shapes:
    """Limits in pixels that tell kinds of tracks apart, tuned on simulated tracks."""

    blob_thickness: float = 8.2
    """Area over length from which a track is a blob: a dense cloud of charge."""
    point_length: float = 3.5
    """Length up to which a track is a point: one pixel and what diffused from it."""
    point_area: float = 7.0
    """Area up to which a track is a point, in px²."""
    line_width: float = 3.8
    """Width up to which a long track is straight: a line."""
    line_area: float = 15.5
    """Area from which a track can be a line, in px²."""


def energies(table: xr.Dataset, calibration: Calibration, *, charged: np.ndarray) -> np.ndarray:
    """Energy of each object in eV: charge times electrons per adu times eV per electron.

    Parameters
    ----------
    table : Dataset, dim object
        With `charge`: sum of the object's pixels above the pedestal, in adu.
    calibration
        The factors.
    charged : ndarray of bool
        Objects that are tracks; the others have no energy, NaN.
    """
    factor = calibration.electrons_per_adu * calibration.ev_per_electron
    return np.where(charged, table[c.CHARGE].values * factor, np.nan)


def kinds_by_shape(table: xr.Dataset, shapes: Shapes | None = None) -> np.ndarray:
    """Kind of each track: point, worm, line or blob, by limits on its shape.

    Parameters
    ----------
    table : Dataset, dim object
        With `area`, `length` and `width`.
    """
    limits = shapes or Shapes()
    area, length, width = (table[name].values for name in ("area", "length", "width"))
    kinds = np.full(area.size, WORM, dtype="U5")
    kinds[(length > limits.point_length) & (width <= limits.line_width) & (area > limits.line_area)] = LINE
    kinds[(length <= limits.point_length) & (area <= limits.point_area)] = POINT
    kinds[area >= limits.blob_thickness * np.maximum(length, 1)] = BLOB
    return kinds


def kinds_by_forest(table: xr.Dataset, *, seed: int = 0) -> np.ndarray:
    """Kind of each track by a random forest that was trained on simulated tracks, once a process.

    Parameters
    ----------
    table : Dataset, dim object
        With `area`, `length`, `width`, `eccentricity`, `charge` and `peak`, in adu above the pedestal.

    References
    ----------
    L. Breiman, Random forests, Machine Learning 45 (2001) 5-32.
    """
    if not table.sizes[OBJECT]:
        return np.zeros(0, dtype="U5")
    return np.asarray(_forest(seed).predict(_features(table)), dtype="U5")


KINDS: Final[Mapping[str, Callable[[xr.Dataset], np.ndarray]]] = {
    SHAPE: kinds_by_shape,
    FOREST: kinds_by_forest,
}
"""Ways to tell the kind of tracks, by name: table -> kinds."""


def teller(kinds: Shapes | str) -> Callable[[xr.Dataset], np.ndarray]:
    """Return the function that tells the kinds of tracks from their table.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if isinstance(kinds, Shapes):
        return partial(kinds_by_shape, shapes=kinds)
    if kinds not in KINDS:
        raise InputError(
            f"kinds of tracks by {kinds!r}; expected limits (Shapes) or one of {', '.join(KINDS)}"
        )
    return KINDS[kinds]


def _features(table: xr.Dataset) -> np.ndarray:
    """Shape and charge of each object, `(object, 10)`; without an image the charges are 0."""
    names = ("area", "length", "width", "eccentricity", "charge", "peak")
    area, length, width, eccentricity, charge, peak = (np.nan_to_num(table[name].values) for name in names)
    ratios = (
        charge / area,
        peak / np.maximum(charge, 1),
        area / np.maximum(length, 1),
        width / np.maximum(length, 1e-3),
    )
    return np.stack([area, length, width, eccentricity, charge, peak, *ratios], axis=1)


@lru_cache(maxsize=2)
def _forest(seed: int) -> "RandomForestClassifier":
    from sklearn.ensemble import RandomForestClassifier

    features, kinds = zip(
        *(_simulate_tracks(difficulty, seed) for difficulty in ("easy", "hard")), strict=True
    )
    forest = RandomForestClassifier(200, min_samples_leaf=2, class_weight="balanced", random_state=seed)
    return forest.fit(np.concatenate(features), np.concatenate(kinds))


def _simulate_tracks(difficulty: str, seed: int, *, n_frames: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the objects of simulated frames, and the kind of the track that each is of."""
    from engine.objects.connect import connect
    from engine.objects.measure import measure
    from engine.simulate.mosaic import CLASSES, Mosaic

    simulator = Mosaic(difficulty=difficulty, seed=seed)
    features, kinds = [], []
    for frame in map(simulator.frame, range(n_frames)):
        planes = {
            "objects": frame.labels == CLASSES.index("cluster"),
            "image": frame.image - np.float32(frame.amplifiers[0].pedestal),
            "tracks": frame.instance,
        }
        arrays = {name: xr.DataArray(plane, dims=("y", "x")) for name, plane in planes.items()}
        table = measure(connect(arrays["objects"]), image=arrays["image"], classes=arrays["tracks"])
        features.append(_features(table))
        kinds.append(frame.tracks["kind"][table[c.CLASS].values - 1])
    return np.concatenate(features), np.concatenate(kinds).astype("U5")
