"""Numbers that tell whether a particle's lattice is whole: its spectrum, and the phases of its fringes.

Fringes of a whole crystal are one plane wave: the peak is as narrow as the particle's outline allows, and
its phase, followed through the particle (geometric phase [1]_), has no step, no bend and no vortex. A
stacking fault steps the phase, an edge dislocation ends a fringe and is a vortex, a twin has other fringes on
its other side. All lengths are in units of the particle or of its own spacing, so scale and orientation do
not count.

References
----------
.. [1] M. J. Hÿtch, E. Snoeck, R. Kilaas, Quantitative measurement of displacement and strain fields from HREM
   micrographs, Ultramicroscopy 74 (1998) 131-146.
"""

import itertools
from typing import Final, NamedTuple

import numpy as np
from scipy import fft, ndimage

from engine.nanoparticles.gaussian import smooth_gaussian
from engine.nanoparticles.lattice import Lattice, edge_taper, flat, over_noise, spectrum

N_FRINGES: Final = 4
"""Families of fringes that are followed, strongest first; of those not there the numbers are 0."""
N_RINGS: Final = 12
SLOW: Final = 6
"""Diameters over which what changes is no fringe, one in so many."""
RESOLUTION: Final = 0.22
"""Standard deviation of the window in which a phase is measured, of the particle's diameter."""
NAMES_OF_FRINGE: Final = (
    "height",
    "spacing",
    "sharp",
    "side peak",
    "coherence",
    "phase spread",
    "phase tail",
    "strain",
    "vortices",
    "amplitude dip",
    "amplitude spread",
    "two levels",
)
NAMES_OF_PAIR: Final = ("ratio", "angle", "overlap")
NAMES_OF_WHOLE: Final = ("diameter", "periods", "peaks", "contrast", "texture", "darkness", "roundness")
PAIRS: Final = tuple(itertools.combinations(range(3), 2))

NAMES: Final = (
    *NAMES_OF_WHOLE,
    *(f"ring {n}" for n in range(N_RINGS)),
    *(f"fringe {n} {name}" for n in range(N_FRINGES) for name in NAMES_OF_FRINGE),
    *(f"fringes {a} {b} {name}" for a, b in PAIRS for name in NAMES_OF_PAIR),
)
"""What each number of `features` is."""


class Fringe(NamedTuple):
    """One family of fringes followed through a particle."""

    amplitude: np.ndarray
    """Dims (y, x)."""
    phase: np.ndarray
    """Dims (y, x), radians: what is left when the mean plane wave is taken off."""


def features(crop: np.ndarray, inside: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Numbers of one particle, named by `NAMES`.

    Parameters
    ----------
    crop : ndarray (y, x)
        The micrograph round the particle, some of its surroundings included.
    inside : ndarray (y, x), bool
        Which pixels are the particle's.
    lattice
        Of the same crop.
    """
    values = np.asarray(crop, np.float32)
    weight = edge_taper(inside)
    diameter = max(2.0, 2 * float(np.sqrt(inside.sum() / np.pi)))
    power, fy, fx = spectrum(values, weight)
    heights = over_noise(power, fy, fx, diameter)
    core = weight > 0.6 if (weight > 0.6).any() else inside
    even = flat(values, weight, sigma=diameter / SLOW) * weight
    fringes = [
        follow(even, weight, f, sigma=RESOLUTION * diameter / 2) for f in lattice.frequencies[:N_FRINGES]
    ]
    rows = [
        _of_fringe(heights, weight, core, fringe, lattice, n, diameter) for n, fringe in enumerate(fringes)
    ]
    rows += [[0.0] * len(NAMES_OF_FRINGE)] * (N_FRINGES - len(rows))
    pairs = [number for a, b in PAIRS for number in _of_pair(fringes, lattice, core, a, b)]
    whole = _of_whole(values, inside, lattice, diameter)
    rings = _rings(heights, fy, fx)
    found = np.array([*whole, *rings, *itertools.chain(*rows), *pairs], np.float32)
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


def follow(even: np.ndarray, weight: np.ndarray, frequency: np.ndarray, *, sigma: float) -> Fringe:
    """Amplitude and phase of the fringes of a frequency (y, x, cycles a pixel) through a crop.

    The crop, flat and weighted (`lattice.flat`), is multiplied by the conjugate wave and smoothed by a
    Gaussian of `sigma` pixels, of 0.6 periods at least; the phase is taken about the best plane.

    Parameters
    ----------
    even : ndarray (y, x)
        The crop without slow changes, weighted.
    weight : ndarray (y, x)
        Weight of each pixel, 0 outside of the particle.
    frequency : ndarray (2,)
        Frequency along y and x in cycles a pixel.
    sigma : float
        Standard deviation of the Gaussian in pixels.
    """
    rows, columns = (np.arange(n, dtype=np.float32) for n in even.shape)
    sigma = max(sigma, 0.6 / float(np.hypot(*frequency)))
    share = np.maximum(smooth_gaussian(weight, sigma), 1e-3)
    for _ in range(2):
        down, along = (np.exp(-2j * np.pi * f * n) for f, n in zip(frequency, (rows, columns), strict=True))
        smooth = smooth_gaussian((even * down[:, None] * along).astype(np.complex64), sigma) / share
        seen = smooth * weight
        turned = [
            np.angle(np.sum(seen[1:] * np.conj(seen[:-1]))),
            np.angle(np.sum(seen[:, 1:] * np.conj(seen[:, :-1]))),
        ]
        frequency = np.asarray(frequency) + np.array(turned) / (2 * np.pi)
    mean = np.sum(seen)
    return Fringe(np.abs(smooth), np.angle(smooth * np.conj(mean)))


def _of_fringe(
    heights: np.ndarray,
    weight: np.ndarray,
    core: np.ndarray,
    fringe: Fringe,
    lattice: Lattice,
    number: int,
    diameter: float,
) -> list[float]:
    strength = fringe.amplitude * core
    total = max(float(strength.sum()), 1e-12)
    order = abs(np.sum(strength * np.exp(1j * fringe.phase))) / total
    phases, amplitudes = np.abs(fringe.phase[core]), fringe.amplitude[core]
    middle = max(float(np.median(amplitudes)), 1e-12)
    sharp, side = _sharpness(heights, weight, lattice.frequencies[number], diameter)
    slopes = [np.angle(np.exp(1j * np.diff(fringe.phase, axis=axis))) for axis in (0, 1)]
    near = [core[1:] & core[:-1], core[:, 1:] & core[:, :-1]]
    steep = np.concatenate([np.abs(slope[where]) for slope, where in zip(slopes, near, strict=True)])
    return [
        float(np.log(max(lattice.height[number], 1e-6))),
        float(lattice.spacing[number] / diameter),
        sharp,
        side,
        float(order),
        float(np.sqrt(np.mean(phases**2))),
        float(np.quantile(phases, 0.95)),
        float(np.quantile(steep, 0.95) * lattice.spacing[number]) if steep.size else 0.0,
        float(vortices(fringe.phase, core)),
        float(np.quantile(amplitudes, 0.03) / middle),
        float(amplitudes.std() / middle),
        _two_levels(fringe, core),
    ]


def _sharpness(
    heights: np.ndarray, weight: np.ndarray, frequency: np.ndarray, diameter: float
) -> tuple[float, float]:
    """Power near a peak that is in it, of what the outline allows; and the highest peak beside it."""
    n = len(heights)
    ideal = np.abs(fft.fft2(weight, heights.shape)) ** 2
    place = np.round(np.asarray(frequency) * n).astype(int)
    reach = max(2, int(np.ceil(3.0 * n / diameter)))
    offsets = np.arange(-reach, reach + 1)
    there = np.take(
        np.take(heights, place[0] + offsets, axis=0, mode="wrap"), place[1] + offsets, axis=1, mode="wrap"
    )
    wanted = np.take(np.take(ideal, offsets, axis=0, mode="wrap"), offsets, axis=1, mode="wrap")
    distance = np.hypot(*np.meshgrid(offsets, offsets, indexing="ij")) * diameter / n
    lobe, beside = distance <= 1.0, (distance > 1.3) & (distance <= 3.0)
    share = there[lobe].sum() / max(there[distance <= 3].sum(), 1e-12)
    allowed = wanted[lobe].sum() / max(wanted[distance <= 3].sum(), 1e-12)
    return float(share / allowed), float(
        there[beside].max(initial=0) / max(there[lobe].max(initial=0), 1e-12)
    )


def vortices(phase: np.ndarray, core: np.ndarray) -> int:
    """Return places round which a phase turns by a whole circle: ends of fringes.

    Parameters
    ----------
    phase : ndarray (y, x)
        Phase of the fringes in rad.
    core : ndarray (y, x), bool
        Inner part of the particle.
    """
    right = np.angle(np.exp(1j * np.diff(phase, axis=1)))
    down = np.angle(np.exp(1j * np.diff(phase, axis=0)))
    turn = right[:-1] + down[:, 1:] - right[1:] - down[:, :-1]
    inner = core[1:, 1:] & core[1:, :-1] & core[:-1, 1:] & core[:-1, :-1]
    return int(np.sum((np.abs(turn) > np.pi) & inner))


def _two_levels(fringe: Fringe, core: np.ndarray) -> float:
    """Return by how much two halves of a particle agree better each with itself than with each other."""
    rows, columns = np.nonzero(core)
    rows, columns = rows - rows.mean(), columns - columns.mean()
    waves = (fringe.amplitude * np.exp(1j * fringe.phase))[core]
    total, best = np.abs(waves).sum(), 0.0
    whole = abs(waves.sum())
    reach = float(np.hypot(rows, columns).max(initial=1.0))
    for angle in np.linspace(0, np.pi, 12, endpoint=False):
        across = rows * np.sin(angle) + columns * np.cos(angle)
        for shift in (-0.35, -0.15, 0.0, 0.15, 0.35):
            one = across > shift * reach
            best = max(best, abs(waves[one].sum()) + abs(waves[~one].sum()))
    return float((best - whole) / max(total, 1e-12))


def _of_pair(
    fringes: list[Fringe], lattice: Lattice, core: np.ndarray, a: int, b: int
) -> tuple[float, float, float]:
    if b >= len(fringes):
        return 0.0, 0.0, 0.0
    turn = abs(lattice.angle[a] - lattice.angle[b])
    one, other = fringes[a].amplitude[core], fringes[b].amplitude[core]
    overlap = float(np.corrcoef(one, other)[0, 1]) if one.size > 2 and one.std() * other.std() > 0 else 0.0
    return float(lattice.spacing[a] / lattice.spacing[b]), float(min(turn, np.pi - turn)), overlap


def _of_whole(values: np.ndarray, inside: np.ndarray, lattice: Lattice, diameter: float) -> list[float]:
    around = ndimage.binary_dilation(inside, iterations=max(2, int(diameter / 8))) & ~inside
    here, there = values[inside], values[around] if around.any() else values[inside]
    spread = max(float(there.std()), 1e-12)
    rows, columns = np.nonzero(inside)
    axes = np.linalg.eigvalsh(np.cov(rows, columns)) if rows.size > 2 else np.ones(2)
    periods = diameter / lattice.spacing[0] if lattice.resolved else 0.0
    fine = values - smooth_gaussian(values, max(1.0, diameter / 10))
    texture = float(fine[inside].std() / max(float(fine[around].std()) if around.any() else 1.0, 1e-12))
    return [
        float(np.log(diameter)),
        float(periods),
        float(lattice.spacing.size),
        float(here.std() / spread),
        texture,
        float((here.mean() - there.mean()) / spread),
        float(np.sqrt(max(axes[0], 1e-12) / max(axes[1], 1e-12))),
    ]


def _rings(heights: np.ndarray, fy: np.ndarray, fx: np.ndarray) -> list[float]:
    """Unevenness of each ring of frequencies: the logarithm of the mean over the noise."""
    ring = np.minimum((np.hypot(fy, fx) / 0.5 * N_RINGS).astype(int), N_RINGS)
    total = np.bincount(ring.ravel(), heights.ravel(), minlength=N_RINGS + 1)[:N_RINGS]
    count = np.bincount(ring.ravel(), minlength=N_RINGS + 1)[:N_RINGS]
    return [float(n) for n in np.log(np.maximum(total / np.maximum(count, 1), 1e-6))]
