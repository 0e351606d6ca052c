"""Films of the zones of a simulated sample, and their Delta and Psi."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.simulate import thinfilm, zone_layout

SEPARATION: Final = 0.15
"""Least distance of two zones: root mean square over channels of the chord on the Poincaré sphere."""

_TRIES: Final = 50


@dataclass(frozen=True)
class FilmSample:
    """Names of the zones and their spectra in deg, (zone, channel)."""

    names: list[str]
    delta: NDArray[np.float64]
    psi: NDArray[np.float64]


def draw(
    kinds: Sequence[str],
    *,
    wavelength: NDArray[np.float64],
    incidence: NDArray[np.float64],
    rng: np.random.Generator,
) -> FilmSample:
    """Random films for zones of the given kinds, distinct from each other, Delta wrapping in some zone.

    The first of up to 50 samples that fulfils both, else the one with the most distinct zones. Bare oxide
    alone never wraps: a sample of one zone is taken as it is.

    Parameters
    ----------
    kinds : sequence of str
        Kind of each zone.
    wavelength : ndarray
        Wavelengths in nm.
    incidence : ndarray
        Angles of incidence in degrees.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    best, best_apart = None, -1.0
    for _ in range(_TRIES):
        sample = _draw(kinds, wavelength, incidence, rng)
        can_wrap = len(kinds) > 1 and len(wavelength) > 1
        wraps = not can_wrap or bool((np.abs(np.diff(sample.delta)) > 180).any())
        apart = least_separation(sample.delta, sample.psi)
        if best is None or wraps * apart > best_apart:
            best, best_apart = sample, wraps * apart
        if wraps and apart >= SEPARATION:
            return sample
    assert best is not None  # noqa: S101 - the loop runs at least once
    return best


def least_separation(delta: NDArray[np.float64], psi: NDArray[np.float64]) -> float:
    """Smallest distance of two spectra: root mean square chord between points on the Poincaré sphere.

    Parameters
    ----------
    delta : ndarray
        Delta in degrees.
    psi : ndarray
        Psi in degrees.
    """
    double, phase = np.deg2rad(2 * psi), np.deg2rad(delta)
    points = np.stack([np.cos(double), np.sin(double) * np.cos(phase), np.sin(double) * np.sin(phase)])
    chords = np.sqrt(((points[:, :, None] - points[:, None]) ** 2).sum(0).mean(-1))
    return float(chords[np.triu_indices(len(delta), 1)].min(initial=np.inf))


def _draw(
    kinds: Sequence[str],
    wavelength: NDArray[np.float64],
    incidence: NDArray[np.float64],
    rng: np.random.Generator,
) -> FilmSample:
    oxide = int(rng.integers(270, 311))
    names: list[str] = []
    delta, psi = np.empty((2, len(kinds), len(wavelength)))
    for i, kind in enumerate(kinds):
        for _ in range(_TRIES):
            name, films = _films(kind, oxide, rng)
            delta[i], psi[i] = thinfilm.angles(films, wavelength=wavelength, incidence=incidence)
            if least_separation(delta[: i + 1], psi[: i + 1]) >= SEPARATION:
                break
        names.append(name)
    return FilmSample(names, delta, psi)


def _films(kind: str, oxide: int, rng: np.random.Generator) -> tuple[str, list[tuple[thinfilm.Index, float]]]:
    """Name and films of a zone: bare oxide, oxide of another thickness, or boron nitride on the oxide."""
    if kind == zone_layout.SUBSTRATE:
        return f"SiO2 {oxide} nm", [(thinfilm.silica, float(oxide))]
    if kind == zone_layout.STRIPE:
        thickness = int(rng.integers(80, 400))
        return f"SiO2 {thickness} nm", [(thinfilm.silica, float(thickness))]
    thickness = int(rng.integers(8, 141))
    return f"hBN {thickness} nm", [
        (thinfilm.boron_nitride, float(thickness)),
        (thinfilm.silica, float(oxide)),
    ]
