"""Spectra as mixtures of a few: endmembers, and how much of each there is at every place.

References
----------
.. [1] D. D. Lee, H. S. Seung, Learning the parts of objects by non-negative matrix factorization, Nature 401
   (1999) 788-791.
.. [2] M. E. Winter, N-FINDR: an algorithm for fast autonomous spectral end-member determination in
   hyperspectral data, Proc. SPIE 3753 (1999) 266-275.
.. [3] C. L. Lawson, R. J. Hanson, Solving Least Squares Problems (1974), chapter 23.
"""

import itertools
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from engine import blocks
from engine.errors import InputError
from engine.schema import CHANNEL, PIXEL

NMF: Final = "nmf"
NFINDR: Final = "nfindr"
METHODS: Final = (NMF, NFINDR)
COMPONENT: Final = "component"
SWEEPS: Final = 10
"""Rounds in which N-FINDR tries to exchange every endmember, at most."""
MOST: Final = 8
"""Endmembers of which all subsets are tried for abundances; beyond, each place is solved by itself."""
SAMPLE: Final = 300
"""Rows from which principal components are found, about."""
RINGS: Final = 24
"""Rings of the frequency plane in which a spectrum is compared with itself."""
LOWEST: Final = 0.06
"""Cycles a pixel below which a peak is no lattice but the outline of things."""


class Unmixed(NamedTuple):
    """Components and abundances of the mixtures.

    Attributes
    ----------
    endmembers : DataArray, dims (component, channel)
    abundances : DataArray, dims (component, y, x)
        Not negative.
    """

    endmembers: xr.DataArray
    abundances: xr.DataArray


def unmix(spectra: xr.DataArray, *, n_components: int = 3, method: str = NFINDR, seed: int = 0) -> Unmixed:
    """Take spectra apart into endmembers and abundances; eager.

    Parameters
    ----------
    spectra : DataArray (channel, y, x)
        Not negative, as of `sliding_fft`.
    n_components
        Number of endmembers.
    method
        `nfindr`: the measured spectra that span the largest volume [2]_, and least squares without negative
        abundances [3]_. `nmf`: parts that are learned [1]_.
    seed
        For the places from which the search begins.

    Raises
    ------
    InputError
        If there is no such method, or fewer places than components.
    """
    if method not in METHODS:
        raise InputError(f"method is {method!r}; give one of {', '.join(METHODS)}")
    n_places = spectra.sizes[PIXEL[0]] * spectra.sizes[PIXEL[1]]
    if not 2 <= n_components <= n_places:
        raise InputError(f"n_components is {n_components}; give a whole number from 2 to {n_places}")
    (values,) = blocks.compute(blocks.as_tiles(spectra), doing="reading spectra")
    rows = np.asarray(values, np.float32).reshape(len(values), -1).T
    solve = _nmf if method == NMF else _nfindr
    endmembers, abundances = solve(rows, n_components, seed)
    maps = abundances.T.reshape(n_components, *values.shape[1:])
    dims = {dim: spectra.coords[dim] for dim in PIXEL if dim in spectra.coords}
    beside = {name: coord for name, coord in spectra.coords.items() if coord.dims == (CHANNEL,)}
    one = {"units": "1"}
    return Unmixed(
        xr.DataArray(endmembers, dims=(COMPONENT, CHANNEL), coords=beside, attrs=one),
        xr.DataArray(maps, dims=(COMPONENT, *PIXEL), coords=dims, attrs=one),
    )


def crystalline(unmixed: Unmixed) -> int:
    """Return the number of the component with the strongest lattice: the highest peak above its ring.

    Raises
    ------
    InputError
        If the endmembers know nothing of frequencies.
    """
    found = unmixed.endmembers
    if "frequency_y" not in found.coords:
        raise InputError("the endmembers have no frequencies; give spectra of sliding_fft")
    radius = np.hypot(found.coords["frequency_y"].values, found.coords["frequency_x"].values)
    return int(np.argmax([peak_over_ring(spectrum, radius) for spectrum in found.values]))


def peak_over_ring(spectrum: np.ndarray, radius: np.ndarray) -> float:
    """Highest ratio of a power spectrum to the median of the ring of frequencies that it lies in.

    Parameters
    ----------
    spectrum, radius : ndarray (channel,)
        Power, and cycles a pixel.
    """
    ring = np.minimum((radius / 0.5 * RINGS).astype(int), RINGS)
    highest = 0.0
    for number in np.unique(ring[(radius > LOWEST) & (radius <= 0.5)]):
        here = spectrum[ring == number]
        highest = max(highest, float(here.max() / max(float(np.median(here)), 1e-30)))
    return highest


def nnls(rows: np.ndarray, endmembers: np.ndarray) -> np.ndarray:
    """Abundances `(row, component)`, none negative, with the least squared error of each row [3]_.

    Of few endmembers all subsets are solved for all rows at once; the best one that is not negative is the
    answer.

    Parameters
    ----------
    rows : ndarray (row, channel)
        Spectra, one a row.
    endmembers : ndarray (component, channel)
        Spectra of the components.
    """
    n = len(endmembers)
    gram = endmembers.astype(np.float64) @ endmembers.T.astype(np.float64)
    right = (rows @ endmembers.T).astype(np.float64)
    if n > MOST:
        return _each(gram, right)
    found, best = np.zeros_like(right), np.zeros(len(rows))
    for size in range(1, n + 1):
        for subset in map(list, itertools.combinations(range(n), size)):
            try:
                part = np.linalg.solve(gram[np.ix_(subset, subset)], right[:, subset].T).T
            except np.linalg.LinAlgError:  # two endmembers alike: a smaller subset serves
                continue
            gain = np.einsum("ij,ij->i", part, right[:, subset])
            better = (part >= 0).all(axis=1) & (gain > best)
            best[better] = gain[better]
            found[better] = 0.0
            found[np.ix_(better, subset)] = part[better]
    return np.asarray(found)


def _each(gram: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.optimize import nnls as solve

    factor = np.linalg.cholesky(gram + 1e-12 * np.trace(gram) / len(gram) * np.eye(len(gram)))
    sides = np.linalg.solve(factor, right.T).T
    return np.stack([solve(factor.T, side)[0] for side in sides])


def _nfindr(rows: np.ndarray, n_components: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = nfindr(rows, n_components, seed=seed)
    endmembers = rows[chosen]
    return endmembers, nnls(rows, endmembers)


def nfindr(rows: np.ndarray, n_components: int, *, seed: int) -> np.ndarray:
    """Numbers of the rows that span the largest simplex in their principal components [2]_.

    The volume is linear in every corner, so one product gives the volume with each row in its place.

    Parameters
    ----------
    rows : ndarray (row, channel)
        Spectra, one a row.
    n_components : int
        Number of components.
    seed : int
        Seed of every random choice.
    """
    points = np.column_stack([np.ones(len(rows)), _principal(rows, n_components - 1)])
    chosen = np.random.default_rng(seed).choice(len(rows), n_components, replace=False)
    for _ in range(SWEEPS):
        before = chosen.copy()
        for corner in range(n_components):
            others = np.delete(points[chosen], corner, axis=0)
            volumes = np.abs(points @ _cofactors(others))
            best = int(np.argmax(volumes))
            if volumes[best] > volumes[chosen[corner]] * (1 + 1e-9):
                chosen[corner] = best
        if np.array_equal(before, chosen):
            break
    return chosen


def _cofactors(others: np.ndarray) -> np.ndarray:
    """Vector whose product with a row is the determinant of that row and the others."""
    n = others.shape[1]
    minors = [np.linalg.det(np.delete(others, column, axis=1)) for column in range(n)]
    return np.asarray(np.asarray(minors) * (-1.0) ** np.arange(n))


def _principal(rows: np.ndarray, n: int) -> np.ndarray:
    """Scores in the first principal components: those of a part of the rows, where there are many."""
    from scipy.sparse.linalg import svds

    some = rows[:: max(1, len(rows) // SAMPLE)]
    centre = some.mean(axis=0, dtype=np.float64).astype(np.float32)
    if n >= min(some.shape):
        return np.asarray(rows[:, :n] - centre[:n])
    start = np.random.default_rng(0).normal(size=min(some.shape)).astype(np.float32)
    _, _, directions = svds(some - centre, k=n, v0=start, tol=1e-4)
    return np.asarray((rows @ directions.T).astype(np.float64) - centre @ directions.T)


def _nmf(rows: np.ndarray, n_components: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn import decomposition

    factors = decomposition.NMF(n_components, init="nndsvda", random_state=seed, max_iter=400, tol=1e-4)
    abundances = factors.fit_transform(rows)
    return np.asarray(factors.components_), np.asarray(abundances)
