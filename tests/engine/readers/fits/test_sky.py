"""Tests of `engine.readers.fits.sky`: world coordinates on the sky."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from engine.readers import describe, open_images
from engine.readers.fits.sky import sky_position, sky_text

Said = Callable[[xr.Dataset], list[str]]


HEIGHT, WIDTH, BEFORE, OVERSCAN = 24, 30, 3, 5


DETECTOR = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 150.1,
    "CRVAL2": 2.2,
    "CRPIX1": 41.5,
    "CRPIX2": 17.25,
    "CD1_1": -7e-5,
    "CD1_2": 3e-6,
    "CD2_1": 4e-6,
    "CD2_2": 7.3e-5,
}
"""World coordinates of the pixels of the whole detector."""


def camera(path: Path, cards: Callable[[int, int, int], dict[str, Any]]) -> Path:
    """2 × 2 amplifiers, the right ones mirrored in x, the upper ones in y; each has the cards of `cards`."""
    units: list[Any] = [fits.PrimaryHDU()]
    for n, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        hdu = fits.ImageHDU(np.full((HEIGHT, BEFORE + WIDTH + OVERSCAN), 100, np.int16))
        x = f"{2 * WIDTH}:{WIDTH + 1}" if column else f"1:{WIDTH}"
        y = f"{2 * HEIGHT}:{HEIGHT + 1}" if row else f"1:{HEIGHT}"
        hdu.header["DETSEC"] = f"[{x},{y}]"
        hdu.header["DATASEC"] = f"[{BEFORE + 1}:{BEFORE + WIDTH},1:{HEIGHT}]"
        hdu.header["BIASSEC"] = f"[{BEFORE + WIDTH + 1}:{BEFORE + WIDTH + OVERSCAN},1:{HEIGHT}]"
        hdu.header.update(cards(n, column, row))
        units.append(hdu)
    fits.HDUList(units).writeto(path, overwrite=True)
    return path


def of_amplifier(_n: int, column: int, row: int) -> dict[str, Any]:
    """`DETECTOR` for the pixels of an amplifier: p = d + 3, or p = 3 + 2 · 30 + 1 - d where mirrored."""
    sign_x, sign_y = 1 - 2 * column, 1 - 2 * row
    made = dict(DETECTOR)
    made["CRPIX1"] = BEFORE + 2 * WIDTH + 1 - DETECTOR["CRPIX1"] if column else DETECTOR["CRPIX1"] + BEFORE
    made["CRPIX2"] = 2 * HEIGHT + 1 - DETECTOR["CRPIX2"] if row else DETECTOR["CRPIX2"]
    for n in (1, 2):
        made[f"CD{n}_1"] = DETECTOR[f"CD{n}_1"] * sign_x
        made[f"CD{n}_2"] = DETECTOR[f"CD{n}_2"] * sign_y
    return made


def of_scales(n: int, column: int, row: int) -> dict[str, Any]:
    """The same without a matrix: scales alone, or with PC, or turned by CROTA2."""
    made = {k: v for k, v in of_amplifier(n, column, row).items() if not k.startswith("CD")}
    made |= {"CDELT1": -7e-5 * (1 - 2 * column), "CDELT2": 7e-5 * (1 - 2 * row)}
    return made


def of_rotation(n: int, column: int, row: int) -> dict[str, Any]:
    return of_scales(n, column, row) | {"CROTA2": 3.0}


def of_pc(n: int, column: int, row: int) -> dict[str, Any]:
    sign_x, sign_y = 1 - 2 * column, 1 - 2 * row
    pc = {"PC1_2": 0.1 * sign_x * sign_y, "PC2_1": -0.05 * sign_x * sign_y}
    return of_scales(n, column, row) | pc


def of_sip(n: int, column: int, row: int) -> dict[str, Any]:
    """Distorted, the same for all: the powers' signs turn with the axes."""
    sign_x, sign_y = 1 - 2 * column, 1 - 2 * row
    made = of_amplifier(n, column, row) | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
    made |= {"A_ORDER": 2, "B_ORDER": 2}
    for name, along, value in (("A", sign_x, 2e-3), ("B", sign_y, -3e-3)):
        for p, q in ((2, 0), (1, 1), (0, 2)):
            made[f"{name}_{p}_{q}"] = along * sign_x**p * sign_y**q * value * (p + 1)
    return made


def linear(path: Path, **cards: Any) -> xr.Dataset:
    header = fits.Header({"CUNIT1": "um", "CUNIT2": "um", "CDELT1": 0.5, "CDELT2": 0.25, **cards}.items())
    fits.PrimaryHDU(np.zeros((4, 6), np.int16), header).writeto(path / "a.fits", overwrite=True)
    return open_images(path / "a.fits")


@pytest.mark.parametrize("cards", [of_amplifier, of_scales, of_rotation, of_pc, of_sip])
def test_a_mosaics_pixel_looks_where_its_amplifiers_pixel_looks(
    tmp_path: Path, cards: Callable[[int, int, int], dict[str, Any]], warnings_of: Said
) -> None:
    path = camera(tmp_path / "cam.fits", cards)
    images = open_images(f"{path}::mosaic")
    assert warnings_of(images) == []
    with fits.open(path) as hdus:
        for n, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)], start=1):
            own = WCS(hdus[n].header)
            for y, x in ((0, 0), (5, 17), (HEIGHT - 1, WIDTH - 1)):
                m_y = 2 * HEIGHT - 1 - y if row else y
                m_x = 2 * WIDTH - 1 - x if column else x
                found = sky_position(images.attrs["wcs"], m_x, m_y)
                expected = own.pixel_to_world_values(x + BEFORE, y)
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_a_trimmed_frame_looks_where_it_looked(tmp_path: Path) -> None:
    header = fits.Header({**DETECTOR, "DATASEC": "[4:33,1:24]", "BIASSEC": "[34:38,1:24]"}.items())
    fits.PrimaryHDU(np.ones((24, 38), np.int16), header).writeto(tmp_path / "a.fits")
    whole, part = (open_images(f"{tmp_path}/a.fits{key}").attrs["wcs"] for key in ("", "::mosaic"))
    np.testing.assert_allclose(sky_position(part, 5, 6), sky_position(whole, 8, 6), rtol=0, atol=1e-12)


def test_a_linear_scale_becomes_coordinates_with_units(tmp_path: Path) -> None:
    images = linear(tmp_path, CRPIX1=1, CRPIX2=2, CRVAL1=10, CRVAL2=0)
    np.testing.assert_allclose(images["x"], 10 + 0.5 * np.arange(6))
    np.testing.assert_allclose(images["y"], -0.25 + 0.25 * np.arange(4))
    assert describe(images)["pixel_size"] == {"y": 0.25, "x": 0.5, "units": "µm"}
    images = linear(tmp_path, CTYPE1="LINEAR", CTYPE2="LINEAR", CUNIT1="mm", CUNIT2="mm", CRPIX1=1, CRPIX2=1)
    assert describe(images)["pixel_size"] == {"y": 250.0, "x": 500.0, "units": "µm"}
    assert json.loads(images.attrs["wcs"])["CDELT1"] == 0.5
    assert sky_text(images.attrs["wcs"], 0, 0) == ""
    images = linear(tmp_path, CUNIT1="nm", CUNIT2="nm", CDELT2=-0.25, CRVAL2=7)
    assert images["y"].values.tolist() == [0, 0.25, 0.5, 0.75]


def test_the_sky_is_right_ascension_and_declination_whatever_the_axes(tmp_path: Path) -> None:
    swapped = DETECTOR | {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 2.2, "CRVAL2": 150.1}
    ra, dec = sky_position(json.dumps(swapped), 40.5, 16.25) or (0, 0)
    assert (ra, dec) == pytest.approx((150.1, 2.2))
    galactic = DETECTOR | {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}
    expected = SkyCoord(150.1, 2.2, unit="deg", frame="galactic").icrs
    assert sky_position(json.dumps(galactic), 40.5, 16.25) == pytest.approx(
        (expected.ra.deg, expected.dec.deg)
    )
    cube = DETECTOR | {"CTYPE3": "WAVE", "CRVAL3": 5e-7, "CDELT3": 1e-9, "CRPIX3": 1}
    assert sky_position(json.dumps(cube), 40.5, 16.25) == pytest.approx((150.1, 2.2))


@pytest.mark.parametrize(
    "wcs", ["", "[]", "{}", '{"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}', '{"A B": 1}']
)
def test_keywords_that_make_no_sense_have_no_place_on_the_sky(wcs: str) -> None:
    assert sky_position(wcs, 0, 0) is None
    assert sky_text(wcs, 0, 0) == ""


def test_seconds_are_rounded_into_minutes() -> None:
    keywords = DETECTOR | {"CRVAL1": 15 - 1e-9, "CRVAL2": -1 + 1e-9}
    assert sky_text(json.dumps(keywords), 40.5, 16.25) == "RA 01h00m00.00s  Dec -01°00′00.0″"


def test_right_ascension_stays_below_24_hours_and_declination_0_has_no_minus() -> None:
    keywords = DETECTOR | {"CRVAL1": 360 - 1e-9, "CRVAL2": -1e-9}
    assert sky_text(json.dumps(keywords), 40.5, 16.25) == "RA 00h00m00.00s  Dec +00°00′00.0″"


SKY = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 17.0,
    "CRPIX2": 9.0,
    "CRVAL1": 83.75,
    "CRVAL2": -5.5,
    "CDELT1": -1e-4,
    "CDELT2": 1e-4,
}


def test_a_position_on_the_sky_is_that_of_astropy():
    header = fits.Header(SKY.items())
    for x, y in ((0, 0), (16, 8), (30.5, -3.25)):
        expected = [float(value) for value in WCS(header).pixel_to_world_values(x, y)]
        assert sky_position(json.dumps(SKY), x, y) == pytest.approx(expected, abs=1e-12)
    assert sky_text(json.dumps(SKY), 16, 8) == "RA 05h35m00.00s  Dec -05°30′00.0″"
    assert sky_position(json.dumps({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}), 0, 0) is None
    assert sky_text("", 0, 0) == ""
