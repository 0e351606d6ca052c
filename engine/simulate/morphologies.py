"""The ten categories of the NFFA-EUROPE collection of SEM images, and the kinds of samples of each.

References
----------
R. Aversa, M. H. Modarres, S. Cozzini, R. Ciancio, A. Chiusole, Sci. Data 5, 180172 (2018).
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from engine.simulate import fibres_and_cells, lithography, particles_and_films, tips
from engine.simulate.relief import FieldOfView, Random, Relief


class Morphology(NamedTuple):
    """A category of samples."""

    kinds: tuple[Callable[[FieldOfView, Random, Random], Relief], ...]
    """Functions `(view, sample, place) -> relief`: what images of a sample share comes from `sample`."""
    pixel_size: tuple[float, float]
    """Least and most that such samples are looked at with, in nm, in images of 256 pixels."""


MORPHOLOGIES: Final[Mapping[str, Morphology]] = {
    "Biological": Morphology(
        (fibres_and_cells.grow_cells, fibres_and_cells.blood_cells, fibres_and_cells.tissue), (20, 250)
    ),
    "Fibres": Morphology((fibres_and_cells.mat, fibres_and_cells.weave, fibres_and_cells.bundle), (30, 700)),
    "Films_Coated_Surface": Morphology(
        (particles_and_films.polycrystal, particles_and_films.crack_film, particles_and_films.layers),
        (5, 100),
    ),
    "MEMS_devices_and_electrodes": Morphology(
        (lithography.electrodes, lithography.comb, lithography.make_suspended_beams, lithography.coil),
        (150, 3000),
    ),
    "Nanowires": Morphology(
        (fibres_and_cells.forest, fibres_and_cells.lay_wires, fibres_and_cells.tufts), (3, 50)
    ),
    "Particles": Morphology(
        (particles_and_films.spheres, particles_and_films.crystallites, particles_and_films.rods), (3, 100)
    ),
    "Patterned_surface": Morphology((lithography.pillars, lithography.holes, lithography.grating), (15, 300)),
    "Porous_Sponge": Morphology(
        (particles_and_films.membrane, particles_and_films.foam, particles_and_films.spinodal), (8, 300)
    ),
    "Powder": Morphology(
        (particles_and_films.metal_powder, particles_and_films.crush_powder, particles_and_films.agglomerate),
        (20, 900),
    ),
    "Tips": Morphology((tips.needle, tips.shank, tips.cantilever), (10, 400)),
}
"""By name, in the order of their numbers."""
