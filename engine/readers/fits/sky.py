"""World coordinates on the sky."""

import json
import math
import warnings
from functools import lru_cache
from typing import Any


def sky_position(wcs: str, x: float, y: float) -> tuple[float, float] | None:
    """Right ascension and declination of a position on a frame, in deg; None where there are none.

    Parameters
    ----------
    wcs
        Attr `wcs` of images: keywords of the world coordinates as JSON.
    x, y
        In pixels; the centre of the first pixel is 0.

    References
    ----------
    M. R. Calabretta, E. W. Greisen, Representations of celestial coordinates in FITS, A&A 395 (2002) 1077.
    """
    found = solution(wcs)
    if found is None:
        return None
    first, second = (float(value) for value in found.pixel_to_world_values(x, y))
    if not (math.isfinite(first) and math.isfinite(second)):
        return None
    ra, dec = (second, first) if found.wcs.lng == 1 else (first, second)
    if found.wcs.lngtyp.strip() != "RA":
        ra, dec = _equatorial(found, x, y)
    return ra % 360, dec


def _equatorial(found: Any, x: float, y: float) -> tuple[float, float]:
    """Right ascension and declination (ICRS) of a pixel whose coordinates are others, such as galactic."""
    place = found.pixel_to_world(x, y).icrs
    return float(place.ra.deg), float(place.dec.deg)


def sky_text(wcs: str, x: float, y: float) -> str:
    """Return the position for people, empty where there is none.

    Parameters
    ----------
    wcs : str
        World coordinates as the header's text.
    x : float
        Column, counted from 0.
    y : float
        Row, counted from 0.

    Examples
    --------
    >>> keywords = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 83.822, "CRVAL2": -5.391,
    ...             "CRPIX1": 1, "CRPIX2": 1, "CDELT1": -1e-4, "CDELT2": 1e-4}
    >>> sky_text(json.dumps(keywords), 0, 0)
    'RA 05h35m17.28s  Dec -05°23′27.6″'
    """
    found = sky_position(wcs, x, y)
    if found is None:
        return ""
    hours, *rest = _sexagesimal(found[0] / 15, 2)
    degrees = _sexagesimal(abs(found[1]), 1)
    sign = "-" if found[1] < 0 and any(degrees) else "+"
    return "RA {:02.0f}h{:02.0f}m{:05.2f}s".format(hours % 24, *rest) + (
        "  Dec {}{:02d}°{:02d}′{:04.1f}″".format(sign, *degrees)
    )


def _sexagesimal(value: float, places: int) -> tuple[int, int, float]:
    """Whole units, minutes, and seconds rounded to some places."""
    seconds = round(value * 3600, places)
    whole, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return int(whole), int(minutes), float(seconds)


@lru_cache(maxsize=64)
def solution(wcs: str) -> Any:
    """Return the `astropy.wcs.WCS` of celestial axes, kept for each text.

    None where the keywords give none.
    """
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    try:
        header = Header()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for keyword, value in json.loads(wcs).items():
                header[keyword] = value
            found = WCS(header)
            return found.celestial if found.has_celestial else None
    except Exception:  # noqa: BLE001  (wcslib raises nearly anything on keywords that make no sense)
        return None
