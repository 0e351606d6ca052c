"""World coordinates: of mosaics against astropy on each amplifier, linear scales, positions on the sky."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits
from astropy.wcs import WCS

from engine.readers import open_images
from engine.readers.fits.sky import sky_position

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


def linear(path: Path, **cards: Any) -> xr.Dataset:
    header = fits.Header({"CUNIT1": "um", "CUNIT2": "um", "CDELT1": 0.5, "CDELT2": 0.25, **cards}.items())
    fits.PrimaryHDU(np.zeros((4, 6), np.int16), header).writeto(path / "a.fits", overwrite=True)
    return open_images(path / "a.fits")


@pytest.mark.parametrize(
    "cards",
    [
        {"CUNIT1": "deg", "CUNIT2": "deg"},
        {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"},
        {"CTYPE1": "WAVE", "CTYPE2": "LINEAR"},
        {"CTYPE1": "WAVE-LOG", "CTYPE2": "LINEAR"},
        {"CUNIT1": "nm"},
        {"CUNIT1": "furlong"},
        {"CDELT1": 0},
        {"CDELT1": "wide"},
        {"PC1_2": 0.1},
        {"CD1_1": 0.5, "CD2_2": 0.5, "CD2_1": 0.1},
        {"CROTA2": 10},
    ],
    ids=str,
)
def test_what_is_no_plain_length_stays_pixels(tmp_path: Path, cards: dict[str, Any]) -> None:
    images = linear(tmp_path, **cards)
    assert {images[dim].attrs["units"] for dim in ("y", "x")} == {"px"}
    assert images["x"].values.tolist() == list(range(6))


def test_a_primary_header_without_pixels_counts_those_of_the_detector(tmp_path: Path) -> None:
    path = camera(tmp_path / "cam.fits", lambda *_: {})
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update(DETECTOR)
        del hdus[1], hdus[2]  # the left half is gone: the mosaic begins at column 31 of the detector
    images = open_images(f"{path}::mosaic")
    assert images.sizes["x"] == WIDTH
    expected = WCS(fits.Header(DETECTOR.items())).pixel_to_world_values(WIDTH + 4, 7)
    np.testing.assert_allclose(sky_position(images.attrs["wcs"], 4, 7), expected, rtol=0, atol=1e-9)


def test_amplifiers_with_reference_points_of_their_own_are_compared_on_the_sky(
    tmp_path: Path, warnings_of: Said
) -> None:
    def referred(n: int, column: int, row: int, shift: float = 0.0) -> dict[str, Any]:
        made = of_amplifier(n, column, row)
        if n:
            header = fits.Header(made.items())
            ra, dec = map(float, WCS(header).pixel_to_world_values(9, 9))
            made |= {"CRVAL1": ra, "CRVAL2": dec, "CRPIX1": 10.0 + shift, "CRPIX2": 10.0}
        return made

    images = open_images(f"{camera(tmp_path / 'a.fits', referred)}::mosaic")
    assert json.loads(images.attrs["wcs"])["CRVAL1"] == DETECTOR["CRVAL1"]
    assert warnings_of(images) == []
    path = camera(tmp_path / "b.fits", lambda n, c, r: referred(n, c, r, shift=2.0))
    images = open_images(f"{path}::mosaic")
    assert "wcs" not in images.attrs
    assert "The amplifiers differ about where on the sky they look" in warnings_of(images)[0]


@pytest.mark.parametrize(
    ("change", "has_wcs"),
    [
        ({"CRPIX1": 0.9}, True),
        ({"CRPIX1": 1.5}, False),
        ({"CD1_1": "wide"}, False),
        ({"CD1_1": 1e300}, False),
        ({"CTYPE1": "ABCD-XYZ"}, False),
    ],
)
def test_amplifiers_that_differ_by_more_than_a_pixel_or_make_no_sense_give_none(
    tmp_path: Path, change: dict[str, Any], has_wcs: bool, warnings_of: Said
) -> None:
    def changed(n: int, column: int, row: int) -> dict[str, Any]:
        made = of_amplifier(n, column, row)
        if n != 2:
            return made
        return made | {k: made[k] + v if k == "CRPIX1" else v for k, v in change.items()}

    images = open_images(f"{camera(tmp_path / 'cam.fits', changed)}::mosaic")
    assert ("wcs" in images.attrs) == has_wcs
    assert len(warnings_of(images)) == (0 if has_wcs else 1)
