"""Image formation of a high-resolution TEM: weak phase object, contrast transfer, dose.

References
----------
L. Reimer, H. Kohl, Transmission Electron Microscopy, 5th edition (2008): relativistic wavelength (2.5), wave
aberration (6.38), envelopes of partial coherence (6.45), contrast transfer (6.41).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SCATTERING: Final = 0.92
"""Forward scattering amplitude of cadmium in nm, to which the weights of atoms are relative."""
CARBON: Final = 0.27
"""Weight of a carbon atom."""
CARBON_DENSITY: Final = 100.0
"""Atoms in a cubic nanometre of the support."""
ATOM: Final = 0.045
"""Standard deviation of an atom's potential, vibration included, in nm."""
DARKEST: Final = 0.05


@dataclass(frozen=True)
class Microscope:
    """Settings of one micrograph; lengths in nm."""

    pixel_size: float
    wavelength: float
    defocus: float
    """Negative: under focus."""
    spherical: float
    focal_spread: float
    drift: tuple[float, float]
    """Along y and x, during the exposure."""
    strength: float
    """Contrast of the phase, of that of a perfect microscope."""
    absorption: float
    """Electrons lost a radian of phase."""
    dose: float
    """Electrons a pixel."""

    def transfer(self, k: Plane) -> Plane:
        """Contrast transfer at spatial frequencies in 1/nm: the intensity's part of the phase's."""
        aberration = np.pi * (
            self.wavelength * self.defocus * k**2 + 0.5 * self.spherical * self.wavelength**3 * k**4
        )
        damping = np.exp(-0.5 * (np.pi * self.wavelength * self.focal_spread) ** 2 * k**4)
        return np.asarray(2 * np.sin(aberration) * damping, np.float32)


def wavelength(kilovolts: float) -> float:
    """Of electrons, in nm.

    Examples
    --------
    >>> round(wavelength(300), 5)
    0.00197
    """
    return float(1.22643 / np.sqrt(kilovolts * 1e3 * (1 + 0.978476e-3 * kilovolts)))


def draw_microscope(rng: np.random.Generator, *, pixel_size: float, spacing: float) -> Microscope:
    """Return a microscope and its settings by chance, such that fringes of a spacing (nm) are transferred.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the random numbers.
    pixel_size : float
        Edge of a pixel in nm.
    spacing : float
        Spacing of lattice planes in nm.
    """
    corrected = rng.random() < 0.5
    drift = rng.normal(0, 0.015, 2)
    while True:
        made = Microscope(
            pixel_size=pixel_size,
            wavelength=wavelength(float(rng.choice([200, 300]))),
            defocus=rng.uniform(-12, 8) if corrected else rng.uniform(-90, -35),
            spherical=rng.uniform(-2e4, 1e4) if corrected else rng.uniform(0.5e6, 1.2e6),
            focal_spread=rng.uniform(2, 4.5),
            drift=(float(drift[0]), float(drift[1])),
            strength=float(np.exp(rng.uniform(np.log(0.05), np.log(0.35)))),
            absorption=float(rng.uniform(0.0, 0.12)),
            dose=float(np.exp(rng.uniform(np.log(60), np.log(3000)))),
        )
        if abs(made.transfer(np.array([1 / spacing], np.float32))[0]) > 0.5:
            return made


def splat(plane: Plane, y: NDArray[np.float64], x: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
    """Add point scatterers at places in pixels, each shared by the four pixels round it.

    Parameters
    ----------
    plane : ndarray (y, x)
        The plane; changed in place.
    y : ndarray (point,)
        Rows of the scatterers.
    x : ndarray (point,)
        Columns of the scatterers.
    weight : ndarray (point,)
        Strength of the scatterers.
    """
    rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
    for down in (0, 1):
        for right in (0, 1):
            part = np.abs(1 - down - (y - rows)) * np.abs(1 - right - (x - columns)) * weight
            r, c = rows + down, columns + right
            there = (r >= 0) & (r < plane.shape[0]) & (c >= 0) & (c < plane.shape[1])
            np.add.at(plane, (r[there], c[there]), part[there].astype(np.float32))


def support(
    shape: tuple[int, int], *, thickness: float, pixel_size: float, rng: np.random.Generator
) -> Plane:
    """Scatterers of an amorphous carbon film, whose thickness (nm) changes slowly; summed a pixel.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    thickness : float
        Thickness in nm.
    pixel_size : float
        Edge of a pixel in nm.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    coarse = rng.normal(size=(5, 5))
    rows, columns = (np.linspace(0, 4, n) for n in shape)
    slope = _bilinear(coarse, rows, columns)
    film = thickness * np.clip(1 + 0.15 * slope, 0.3, None)
    return np.asarray(CARBON * rng.poisson(film * CARBON_DENSITY * pixel_size**2), np.float32)


def _bilinear(coarse: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Plane:
    """Return the values of a coarse grid between its points."""
    grid = np.arange(coarse.shape[0])
    along = np.stack([np.interp(columns, grid, line) for line in coarse])
    return np.stack([np.interp(rows, grid, line) for line in along.T], axis=1).astype(np.float32)


def form_image(
    sharp: Plane, blurred: Plane, blur: float, microscope: Microscope, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Electrons counted in each pixel.

    Parameters
    ----------
    sharp, blurred : ndarray (y, x)
        Scatterers a pixel in units of a cadmium atom: those that stand still, and those that move.
    blur
        Standard deviation of the motion of the latter, in nm.
    """
    size = microscope.pixel_size
    ky = np.fft.fftfreq(sharp.shape[0], size).astype(np.float32)[:, np.newaxis]
    kx = np.fft.rfftfreq(sharp.shape[1], size).astype(np.float32)[np.newaxis, :]
    square = ky**2 + kx**2
    atoms = np.fft.rfft2(sharp) + np.fft.rfft2(blurred) * np.exp(-2 * (np.pi * blur) ** 2 * square)
    phase = atoms * (microscope.wavelength * SCATTERING / size**2 * np.exp(-2 * (np.pi * ATOM) ** 2 * square))
    moved = np.sinc(ky * microscope.drift[0]) * np.sinc(kx * microscope.drift[1])
    contrast = np.fft.irfft2(
        phase * moved * microscope.transfer(np.sqrt(square)) * microscope.strength, sharp.shape
    )
    thick = np.fft.irfft2(phase * np.exp(-2 * (np.pi * 0.25) ** 2 * square), sharp.shape)
    intensity = np.maximum(1 + contrast, DARKEST) * np.exp(-microscope.absorption * np.maximum(thick, 0))
    return np.minimum(rng.poisson(microscope.dose * intensity), 2**16 - 1).astype(np.uint16)
