"""Nanoparticles in micrographs: where they are, what lattice they show, and which carry a defect."""

from engine.nanoparticles.sliding_fft import sliding_fft
from engine.nanoparticles.unmix import Unmixed, crystalline, unmix

__all__ = ["Unmixed", "crystalline", "sliding_fft", "unmix"]
