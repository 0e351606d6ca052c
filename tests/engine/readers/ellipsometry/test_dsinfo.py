"""Tests of `engine.readers.ellipsometry.dsinfo`."""

from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from engine.errors import InputError
from engine.readers import open_images
from engine.simulate import ep4

Said = Callable[[xr.Dataset], list[str]]


def test_a_scan_of_the_angle_of_incidence_has_the_dim_angle(ep4_folder: Path) -> None:
    rows = [(632.8, 60.0 - 5 * n, f"d{n}.png", f"p{n}.png") for n in range(3)]
    ep4.write_table(ep4_folder / "m.ds.dat", rows)
    images = open_images(ep4_folder)
    assert images["delta"].dims == ("angle", "y", "x")
    assert images["angle"].values.tolist() == [50.0, 55.0, 60.0]
    assert images["angle"].attrs["units"] == "deg"
    assert float(images["delta"][2, 0, 0]) == 100.25


def test_a_scan_of_both_opens_one_angle_and_names_the_others(ep4_folder: Path, warnings_of: Said) -> None:
    rows = [(500.0, 50, "d0.png", "p0.png"), (510.0, 50, "d1.png", "p1.png"), (500.0, 60, "d2.png", "p2.png")]
    ep4.write_table(ep4_folder / "m.ds.dat", rows)
    assert open_images(ep4_folder).sizes["wavelength"] == 2
    assert "50, 60 deg" in warnings_of(open_images(ep4_folder))[0]
    assert float(open_images(f"{ep4_folder}::60")["delta"][0, 0, 0]) == 160.25
    with pytest.raises(InputError, match="no maps were measured at an angle of '70'; there are: 50, 60 deg"):
        open_images(f"{ep4_folder}::70")


def test_repeats_at_one_wavelength_and_angle_are_channels(ep4_folder: Path, warnings_of: Said) -> None:
    ep4.write_table(ep4_folder / "m.ds.dat", [(500.0, 50.0, f"d{n}.png", f"p{n}.png") for n in range(3)])
    images = open_images(ep4_folder)
    assert images["delta"].dims == ("channel", "y", "x")
    assert images.sizes["channel"] == 3
    assert "taken as channels" in warnings_of(images)[0]
