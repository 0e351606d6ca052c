"""Tracks of ionising particles in a silicon sensor: where each one frees electrons, and how these spread.

Lengths are in pixels of `PIXEL_UM`, charges in electrons; a particle's energy is its charge times
`EV_PER_ELECTRON`.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

EV_PER_ELECTRON: Final = 3.745
"""Mean energy that frees one electron in silicon at 130 K, in eV."""
PIXEL_UM: Final = 15.0
THICKNESS_UM: Final = 250.0
MOST_DIFFUSION: Final = 0.6
"""Standard deviation, in pixels, of where electrons from the far side of the sensor arrive."""

_ELECTRONS_PER_UM: Final = 80.0
"""What a fast muon frees in silicon (Particle Data Group, Review of Particle Physics, 2024, section 34)."""
_KANAYA_OKAYAMA_UM: Final = 0.0276 * 28.086 / (14**0.889 * 2.33)
"""Range of an electron in silicon is this times keV ** 1.67, in µm."""
_RADIATION_LENGTH_UM: Final = 93_700.0
_MOST_DRAWN: Final = 2**19
"""Electrons of a track that are drawn one by one; of more, each stands for several."""

Floats = NDArray[np.float64]


class Path(NamedTuple):
    """Electrons that a particle freed: positions in pixels."""

    y: Floats
    x: Floats
    charge: Floats
    diffusion: Floats


class Stamp(NamedTuple):
    """Electrons that arrive in a box of pixels, whose first row and column are as far from the origin."""

    row: int
    column: int
    charge: NDArray[np.float32]


def point(rng: np.random.Generator) -> Path:
    """Return an X-ray of 1 to 20 keV, absorbed at a point of any depth."""
    charge = 1e3 * np.exp(rng.uniform(0, np.log(20))) / EV_PER_ELECTRON
    return Path(np.zeros(1), np.zeros(1), np.array([charge]), _diffusion(rng.uniform(size=1)))


def worm(rng: np.random.Generator) -> Path:
    """Return an electron of 20 to 400 keV: it scatters, and frees the more the slower it gets.

    References
    ----------
    Range: K. Kanaya, S. Okayama, J. Phys. D 5, 43 (1972), eq. 13. Scattering: V. L. Highland, Nucl. Instrum.
    Methods 129, 497 (1975).
    """
    energy = np.exp(rng.uniform(np.log(20), np.log(400)))  # keV
    steps = np.arange(0, _KANAYA_OKAYAMA_UM * energy**1.67 / PIXEL_UM, 0.25)
    left = np.append(steps[::-1] + 0.25, 0) * PIXEL_UM  # range that is left before each step and after all
    energies = (
        (left / _KANAYA_OKAYAMA_UM) ** (1 / 1.67) * energy / (left[0] / _KANAYA_OKAYAMA_UM) ** (1 / 1.67)
    )
    kinetic = np.maximum(energies[:-1], 1.0)
    momentum_beta = kinetic * (kinetic + 1022) / (kinetic + 511) / 1e3  # MeV
    bend = 13.6 / momentum_beta * np.sqrt(0.25 * PIXEL_UM / _RADIATION_LENGTH_UM)
    bearing = rng.uniform(0, 2 * np.pi) + np.cumsum(bend * rng.standard_normal(len(bend)))
    charge = -np.diff(energies) * 1e3 / EV_PER_ELECTRON
    y, x = np.cumsum(0.25 * np.sin(bearing)), np.cumsum(0.25 * np.cos(bearing))
    return Path(y, x, charge, _diffusion(np.full(len(y), rng.uniform())))


def line(rng: np.random.Generator) -> Path:
    """Return a muon straight through the sensor, at an angle drawn by the cosine squared of the zenith."""
    zenith = np.arccos(rng.uniform(0.15**3, 1) ** (1 / 3))
    length = THICKNESS_UM / PIXEL_UM * np.tan(zenith)
    depth = np.linspace(0, 1, max(2, int(length / 0.25)))
    freed = _ELECTRONS_PER_UM * THICKNESS_UM / np.cos(zenith)
    share = rng.gamma(2.0, size=len(depth))  # thin layers take unequal parts
    bearing = rng.uniform(0, 2 * np.pi)
    return Path(
        length * depth * np.sin(bearing),
        length * depth * np.cos(bearing),
        freed * share / share.sum(),
        _diffusion(depth),
    )


def blob(rng: np.random.Generator) -> Path:
    """Return an alpha particle of 4 to 6 MeV: its dense cloud of electrons drives itself apart."""
    charge = rng.uniform(4e6, 6e6) / EV_PER_ELECTRON
    return Path(np.zeros(1), np.zeros(1), np.array([charge]), rng.uniform(1.8, 3.0, size=1))


KINDS: Final[Mapping[str, Callable[[np.random.Generator], Path]]] = {
    "point": point,
    "worm": worm,
    "line": line,
    "blob": blob,
}
"""Kinds of tracks by name."""


def stamp(path: Path, *, y: float, x: float, scale: float, rng: np.random.Generator) -> Stamp:
    """Electrons of a track that begins at a position, all charges scaled, each diffusing by itself.

    Parameters
    ----------
    y, x
        In pixels; a pixel's centre has whole numbers.
    scale
        Factor on the charge.
    """
    total = float(path.charge.sum()) * scale
    n = int(np.clip(total, 1, _MOST_DRAWN))
    step = rng.choice(len(path.charge), n, p=path.charge / path.charge.sum())
    rows = np.rint(y + path.y[step] + path.diffusion[step] * rng.standard_normal(n)).astype(np.int64)
    columns = np.rint(x + path.x[step] + path.diffusion[step] * rng.standard_normal(n)).astype(np.int64)
    row, column = int(rows.min()), int(columns.min())
    width = int(columns.max()) - column + 1
    height = int(rows.max()) - row + 1
    counts = np.bincount((rows - row) * width + columns - column, minlength=height * width)
    return Stamp(row, column, (counts.reshape(height, width) * (total / n)).astype(np.float32))


def _diffusion(depth: Floats) -> Floats:
    """Spread of electrons freed at a depth (0: at the gate, 1: at the far side)."""
    return MOST_DIFFUSION * np.sqrt(np.maximum(depth, 0.02))
