"""Ellipsometric angles of a stack of thin films on a silicon wafer, by the transfer matrix of the films.

Conventions as in Azzam and Bashara: indices N = n - ik, rho = r_p / r_s = tan(psi) exp(i delta), so that a
bare substrate below its Brewster angle has delta near 180 deg and a thin oxide lowers it; 0 <= delta < 360,
0 <= psi <= 90 deg.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Index = Callable[[NDArray[np.float64]], NDArray[np.complex128]]
"""Complex refractive index n - ik at wavelengths in nm."""

_SILICON: Final = np.array(
    [
        (413.3, 5.222, 0.269),
        (427.5, 4.961, 0.203),
        (442.8, 4.753, 0.163),
        (459.2, 4.583, 0.130),
        (476.9, 4.442, 0.090),
        (495.9, 4.320, 0.073),
        (516.6, 4.215, 0.060),
        (539.1, 4.123, 0.048),
        (563.6, 4.042, 0.032),
        (590.4, 3.969, 0.030),
        (619.9, 3.906, 0.022),
        (652.5, 3.847, 0.016),
        (688.8, 3.796, 0.013),
        (729.3, 3.752, 0.010),
        (774.9, 3.714, 0.008),
        (826.6, 3.673, 0.005),
    ]
)
"""Wavelength in nm, n, k: table of Aspnes and Studna, Phys. Rev. B 27, 985 (1983), 1.5 to 3.0 eV."""


def silicon(wavelength: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Index of crystalline silicon, interpolated in Aspnes and Studna's table (413 to 827 nm)."""
    nm, n, k = _SILICON.T
    return np.asarray(np.interp(wavelength, nm, n) - 1j * np.interp(wavelength, nm, k))


def silica(wavelength: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Index of fused silica: Sellmeier equation of Malitson, J. Opt. Soc. Am. 55, 1205 (1965)."""
    x = (np.asarray(wavelength, dtype=float) / 1000) ** 2
    terms = ((0.6961663, 0.0684043), (0.4079426, 0.1162414), (0.8974794, 9.896161))
    squared = np.asarray(1 + sum(strength * x / (x - pole**2) for strength, pole in terms))
    return np.asarray(np.sqrt(squared), dtype=complex)


def boron_nitride(wavelength: NDArray[np.float64]) -> NDArray[np.complex128]:
    """In-plane index of hexagonal boron nitride: Lee et al., Phys. Status Solidi B 256, 1800417 (2019).

    Films are taken as isotropic with it: at 50 deg incidence the light in the film runs 21 deg off the axis.
    """
    x = np.asarray(wavelength, dtype=float) ** 2
    return np.sqrt(1 + 3.263 * x / (x - 164.4**2)).astype(complex)


def angles(
    films: Sequence[tuple[Index, float]],
    *,
    wavelength: ArrayLike,
    incidence: ArrayLike = 50.0,
    substrate: Index = silicon,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Delta and psi of light reflected in air from films on a substrate.

    Parameters
    ----------
    films : sequence of (index, thickness)
        From the air down; thickness in nm; empty for the bare substrate.
    wavelength : array_like
        Vacuum wavelengths in nm.
    incidence : array_like
        Angles of incidence in deg, broadcast against `wavelength`.

    Returns
    -------
    delta, psi : ndarray
        In deg, 0 <= delta < 360, 0 <= psi <= 90.

    References
    ----------
    R. M. A. Azzam, N. M. Bashara, Ellipsometry and Polarized Light (North-Holland, 1977), section 4.6.

    Examples
    --------
    >>> delta, psi = angles([(silica, 2.0)], wavelength=632.8, incidence=70.0)
    >>> print(f"{delta:.1f} {psi:.1f}")
    173.5 10.6
    """
    nm, degrees = np.broadcast_arrays(np.asarray(wavelength, dtype=float), np.asarray(incidence, dtype=float))
    indices = [np.ones(nm.shape, dtype=complex), *(index(nm) for index, _ in films), substrate(nm)]
    cosines = [np.sqrt(1 - (np.sin(np.deg2rad(degrees)) / n) ** 2) for n in indices]
    phases = [
        2 * np.pi * thickness / nm * indices[i] * cosines[i]
        for i, (_, thickness) in enumerate(films, start=1)
    ]
    admittances_s = [n * c for n, c in zip(indices, cosines, strict=True)]
    admittances_p = [n / c for n, c in zip(indices, cosines, strict=True)]
    # the tangential field has opposite signs for the two polarisations in this convention, hence the minus
    rho = -_reflection(admittances_p, phases) / _reflection(admittances_s, phases)
    delta = np.rad2deg(np.angle(rho)) % 360.0
    return np.where(delta >= 360.0, 0.0, delta), np.rad2deg(np.arctan(np.abs(rho)))


def _reflection(
    admittances: list[NDArray[np.complex128]], phases: list[NDArray[np.complex128]]
) -> NDArray[np.complex128]:
    """Amplitude reflected, from the characteristic matrices of the films (field, admittance) bottom up."""
    field, current = np.ones_like(admittances[-1]), admittances[-1]
    for eta, phase in zip(admittances[-2:0:-1], phases[::-1], strict=True):
        cosine, sine = np.cos(phase), 1j * np.sin(phase)
        field, current = cosine * field + sine / eta * current, eta * sine * field + cosine * current
    return (admittances[0] * field - current) / (admittances[0] * field + current)
