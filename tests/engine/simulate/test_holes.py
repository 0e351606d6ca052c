"""Tests of `engine.simulate.holes`: holes of a simulated measurement: pixels and channels without a value."""

import numpy as np
import pytest
from astropy.io import fits

from engine.__main__ import main
from engine.simulate import ep4
from engine.simulate.ellipsometry_maps import Maps


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_share_of_pixels_with_holes_is_as_asked_for_and_every_pixel_keeps_some_value(share):
    images, _ = Maps(n_regions=2, holes=share).images()
    missing = images["delta"].isnull()
    assert float(missing.any("wavelength").mean()) == pytest.approx(share, rel=0.02)
    assert float(missing.mean()) == pytest.approx(9 / 11 * share, rel=0.02)
    assert not missing.all("wavelength").any()
    assert (missing == images["psi"].isnull()).all()


def test_the_picture_is_the_rounded_value_and_zero_in_holes(tmp_path):
    from PIL import Image

    values = np.array([[0.4, 99.6], [np.nan, 300.0]], np.float32)
    ep4.write_map(tmp_path / "map.png", values)
    with Image.open(tmp_path / "map.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), [[0, 100], [0, 255]])


def test_the_command_takes_whole_numbers_to_choose_from(tmp_path):
    words = ["simulate", "mosaic", "--out", str(tmp_path / "m"), "--size", "64", "--n-frames", "1"]
    assert main([*words, "--n-amplifiers", "2"]) == 0
    with fits.open(tmp_path / "m" / "frame_000.fits") as written:
        assert len(written) == 3
