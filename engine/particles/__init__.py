"""Nanoparticles in micrographs: where they are, what lattice they show, and which carry a defect."""

from engine.particles.sliding_fft import sliding_fft
from engine.particles.unmix import Unmixed, crystalline, unmix

__all__ = ["Unmixed", "crystalline", "sliding_fft", "unmix"]
