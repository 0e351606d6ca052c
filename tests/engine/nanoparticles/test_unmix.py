"""Mixtures are taken apart: against scipy's least squares, a search by determinants, and known mixtures."""

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import nnls as reference

from engine.nanoparticles import crystalline, sliding_fft, unmix
from engine.nanoparticles.unmix import _principal, nfindr, nnls


@pytest.mark.parametrize("n", [3, 10])
def test_abundances_are_those_of_scipy(n):
    rng = np.random.default_rng(n)
    endmembers = rng.random((n, 40)).astype(np.float32)
    rows = (rng.normal(size=(60, n)) @ endmembers).astype(np.float32)
    expected = np.stack([reference(endmembers.T.astype(float), row.astype(float))[0] for row in rows])
    np.testing.assert_allclose(nnls(rows, endmembers), expected, atol=2e-4)


def test_endmembers_span_the_volume_that_exchanging_one_after_the_other_finds():
    rows = np.random.default_rng(1).random((300, 12)).astype(np.float32)
    chosen = nfindr(rows, 4, seed=5)
    points = np.column_stack([np.ones(len(rows)), _principal(rows, 3)])
    volume = abs(np.linalg.det(points[chosen]))
    for corner in range(4):
        for other in range(len(rows)):
            tried = chosen.copy()
            tried[corner] = other
            assert abs(np.linalg.det(points[tried])) <= volume * (1 + 1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", ["nfindr", "nmf"])
def test_a_lattice_on_noise_is_the_crystalline_component_where_it_is(method):
    y, x = np.mgrid[:256, :256]
    image = np.random.default_rng(0).normal(size=(256, 256))
    inside = np.hypot(y - 100, x - 150) < 60
    image += np.where(inside, 3 * np.cos(2 * np.pi * (x + 0.4 * y) / 7), 0)
    spectra = sliding_fft(xr.DataArray(image, dims=("y", "x")), window=32, step=16)
    found = unmix(spectra, n_components=3, method=method)
    lattice = found.abundances[crystalline(found)]
    at = inside[lattice["y"].values.astype(int)][:, lattice["x"].values.astype(int)]
    assert np.corrcoef(lattice.values.ravel(), at.ravel())[0, 1] > 0.8
