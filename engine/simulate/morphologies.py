"""The ten categories of the NFFA-EUROPE collection of SEM images, and the kinds of samples of each.

References
----------
R. Aversa, M. H. Modarres, S. Cozzini, R. Ciancio, A. Chiusole, Sci. Data 5, 180172 (2018).
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from engine.simulate import grains, grown, made, tips
from engine.simulate.relief import Random, Relief, View


class Morphology(NamedTuple):
    """A category of samples."""

    kinds: tuple[Callable[[View, Random, Random], Relief], ...]
    """Functions `(view, sample, place) -> relief`: what images of a sample share comes from `sample`."""
    pixel_size: tuple[float, float]
    """Least and most that such samples are looked at with, in nm, in images of 256 pixels."""


MORPHOLOGIES: Final[Mapping[str, Morphology]] = {
    "Biological": Morphology((grown.spread_cells, grown.blood_cells, grown.tissue), (20, 250)),
    "Fibres": Morphology((grown.mat, grown.weave, grown.bundle), (30, 700)),
    "Films_Coated_Surface": Morphology((grains.polycrystal, grains.cracked, grains.layers), (5, 100)),
    "MEMS_devices_and_electrodes": Morphology(
        (made.electrodes, made.comb, made.suspended, made.coil), (150, 3000)
    ),
    "Nanowires": Morphology((grown.forest, grown.fallen, grown.tufts), (3, 50)),
    "Particles": Morphology((grains.spheres, grains.crystallites, grains.rods), (3, 100)),
    "Patterned_surface": Morphology((made.pillars, made.holes, made.grating), (15, 300)),
    "Porous_Sponge": Morphology((grains.membrane, grains.foam, grains.spinodal), (8, 300)),
    "Powder": Morphology((grains.metal_powder, grains.crushed, grains.agglomerate), (20, 900)),
    "Tips": Morphology((tips.needle, tips.shank, tips.cantilever), (10, 400)),
}
"""By name, in the order of their numbers."""
