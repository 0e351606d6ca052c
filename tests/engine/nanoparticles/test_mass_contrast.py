"""Particles that are darker than their support."""

import numpy as np

from engine.nanoparticles import mass_contrast


def test_dark_disks_on_a_slope_are_found() -> None:
    y, x = np.mgrid[:96, :96]
    disk = (y - 48) ** 2 + (x - 40) ** 2 < 24**2
    image = 200 + 0.5 * x - 60.0 * disk + np.random.default_rng(0).normal(0, 3, (96, 96))
    found = mass_contrast.part(image, sigma=1.0)
    overlap = (found.inside & disk).sum() / (found.inside | disk).sum()
    assert overlap > 0.9
    assert found.separation > 3


def test_a_surface_follows_the_support_and_not_what_lies_on_it() -> None:
    y, x = np.mgrid[:64, :64]
    plane = 10 + 0.1 * x + 0.2 * y
    image = plane - 50.0 * ((y - 32) ** 2 + (x - 32) ** 2 < 64)
    np.testing.assert_allclose(mass_contrast.surface(image, 1), plane, atol=0.1)
    assert not mass_contrast.surface(image, 0).any()
