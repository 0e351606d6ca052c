"""All particles of one micrograph: where they are, their lattices, and the features that classify them."""

from typing import Final, NamedTuple

import numpy as np
from scipy import ndimage

from engine import progress
from engine.nanoparticles.features import NAMES, features
from engine.nanoparticles.lattice import Lattice, measure_lattice
from engine.nanoparticles.segmentation import find_particles

SURROUNDINGS: Final = 0.25
"""How much of a particle's size is cropped with it on each side."""


class Looked(NamedTuple):
    """Particles of a micrograph, in the order of their numbers.

    Attributes
    ----------
    objects : ndarray (y, x), int32
        Number of each pixel's particle, 0 = none.
    contrast : str
        By what they were found.
    lattices : list of Lattice
    features : ndarray (object, feature), float32
        Named by `features.NAMES`.
    """

    objects: np.ndarray
    contrast: str
    lattices: list[Lattice]
    features: np.ndarray


def look(image: np.ndarray, *, contrast: str = "", min_radius: float = 1.5) -> Looked:
    """Find the particles of a micrograph and measure each.

    Parameters
    ----------
    image : ndarray (y, x)
    contrast, min_radius
        As of `find_particles`.
    """
    found = find_particles(image, contrast=contrast, min_radius=min_radius)
    lattices, numbers = [], []
    boxes = ndimage.find_objects(found.objects)
    for n, box in enumerate(boxes, start=1):
        progress.report(n / len(boxes), "measuring lattices")
        window = wider(box, image.shape)
        crop, inside = np.asarray(image[window], np.float32), found.objects[window] == n
        lattices.append(measure_lattice(crop, inside))
        numbers.append(features(crop, inside, lattices[-1]))
    table = np.array(numbers, np.float32).reshape(len(boxes), len(NAMES))
    return Looked(found.objects, found.contrast, lattices, table)


def wider(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return a box with the surroundings of what is in it, within a shape.

    Parameters
    ----------
    box : tuple of slice
        Rows and columns.
    shape : tuple of int
        Rows and columns of the image.
    """
    around = 4 + int(SURROUNDINGS * max(side.stop - side.start for side in box))
    return tuple(
        slice(max(0, side.start - around), min(n, side.stop + around))
        for side, n in zip(box, shape, strict=True)
    )
