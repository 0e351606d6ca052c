"""Strength of the lattice around every pixel."""

import numpy as np
import xarray as xr

from engine.nanoparticles import lattice_map


def test_fringes_stand_out_from_noise_where_they_are() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (128, 128))
    image[:, 64:] += 2 * np.sin(2 * np.pi * np.arange(128)[:, None] / 6)
    found = lattice_map.lattice_map(xr.DataArray(image.astype("f4"), dims=("y", "x")), window=32, step=8)
    values = np.asarray(found)
    assert values[:, -2:].min() > 5
    assert np.median(values[:, :3]) < 3


def test_window_values_reach_every_pixel_linearly() -> None:
    values = np.array([[0.0, 1.0, 2.0]] * 3, np.float32)
    pixels = lattice_map.at_pixels(values, (24, 24), window=8, step=8)
    assert pixels.shape == (24, 24)
    np.testing.assert_allclose(pixels[5, 4:20:8], [0.0625, 1.0625], atol=1e-6)
    assert pixels[0, 0] == 0
    assert pixels[0, 23] == 2
