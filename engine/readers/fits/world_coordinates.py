"""World coordinates in FITS headers: their keywords, linear scales, and those of a mosaic of amplifiers.

References: E. W. Greisen, M. R. Calabretta, A&A 395 (2002) 1061 (matrices) and 1077 (the sky);
D. L. Shupe et al., ASP Conf. Ser. 347 (2005) 491 (SIP).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.readers.fits.headers import Hdu, Value
from engine.readers.fits.sections import Amplifier, Placement
from engine.readers.fits.sky import solution
from engine.readers.stack import Coordinate, axis
from engine.schema import PIXEL

WORLD: Final = re.compile(
    r"WCSAXES|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)\d+|(CD|PC|PV|PS)\d+_\d+|LONPOLE|LATPOLE|RADESYS|EQUINOX"
    r"|[AB]P?_(ORDER|DMAX|\d+_\d+)"
)
"""Keywords of the world coordinates, of projections, and of SIP distortion."""
NOT_LENGTHS: Final = re.compile(r".*-.*|(WAVE|AWAV|LAMB|FREQ|ENER|WAVN|VRAD|VOPT|ZOPT|VELO|BETA).*")
"""Types of axes with an algorithm such as -TAN or -LOG, and of spectra."""
MOST_APART: Final = 1.0
"""Pixels by which amplifiers may differ about a place on the sky."""

_MATRIX: Final = re.compile(r"WCSAXES|CDELT\d+|CROTA\d+|(CD|PC)\d+_\d+")
_FURTHER: Final = re.compile(r"[A-Z]+([3-9]|\d\d+)")
"""Keywords of axes beyond the second."""
_SIP: Final = re.compile(r"(A|B|AP|BP)_(\d)_(\d)")
_LENGTHS: Final = ("nm", "µm")
_APART: Final = "The amplifiers differ about where on the sky they look; the mosaic has no world coordinates."

Cards = dict[str, Value]
Floats = NDArray[np.float64]


def world_cards(cards: Mapping[str, Value]) -> Cards:
    """Keywords of the world coordinates, none where an axis has no type."""
    found = {keyword: value for keyword, value in cards.items() if WORLD.fullmatch(keyword)}
    return found if {"CTYPE1", "CTYPE2"} <= set(found) else {}


def world_attrs(cards: Cards) -> dict[str, str]:
    """Attr `wcs` of images: the keywords as JSON, where there are any."""
    return {"wcs": json.dumps(cards)} if cards else {}


def linear_coordinates(cards: Mapping[str, Value], shape: Sequence[int]) -> dict[str, Coordinate]:
    """Return the coordinates of y and x where both are plain lengths, none otherwise.

    An axis along which lengths fall is counted from 0: coordinates of images rise.

    Parameters
    ----------
    cards
        Of the header.
    shape
        Rows and columns.
    """
    steps = _matrix(cards)
    is_plain = all(
        not NOT_LENGTHS.fullmatch(str(cards.get(f"CTYPE{n}", "")).upper())
        and (f"CDELT{n}" in cards or f"CD{n}_{n}" in cards)
        for n in (1, 2)
    )
    if not is_plain or steps[0, 1] or steps[1, 0]:
        return {}
    made: dict[str, Coordinate] = {}
    for number, dim, size in zip((2, 1), PIXEL, shape, strict=True):
        step = steps[number - 1, number - 1]
        offset = _number(cards, f"CRVAL{number}", 0) + step * (1 - _number(cards, f"CRPIX{number}", 0))
        units = str(cards.get(f"CUNIT{number}", ""))
        found = axis(size, scale=abs(step), offset=offset if step > 0 else 0, units=units)
        if found is None or found[1] not in _LENGTHS:
            return {}
        made[dim] = found
    return made if len({units for _, units in made.values()}) == 1 else {}


def mosaic_cards(hdus: Sequence[Hdu], placement: Placement) -> tuple[Cards, list[str]]:
    """World coordinates of a mosaic from those of its amplifiers, and what the user should know.

    Each amplifier's are moved and mirrored as its pixels are; the first one's hold if the others are within
    `MOST_APART`. Where no amplifier has any, those of a primary header without pixels are taken, which count
    pixels of the detector.

    Parameters
    ----------
    hdus
        Headers of the file's units.
    placement : Placement
        Places of the amplifiers in the mosaic.
    """
    cards = {hdu.number: world_cards(hdu.cards) for hdu in hdus}
    given = [(amplifier, cards[amplifier.image.number]) for amplifier in placement.amplifiers]
    found = [(amplifier, shift_reference(own, *_path_back(amplifier))) for amplifier, own in given if own]
    if not found:
        of_detector = {} if hdus[0].is_image or _is_binned(hdus) else cards[0]
        back = (1, 1), (placement.corner[1], placement.corner[0])
        return (shift_reference(of_detector, *back) if of_detector else {}), []
    first = found[0][1]
    agrees = all(_apart(first, own, _corners(amplifier)) <= MOST_APART for amplifier, own in found)
    return (first, []) if agrees else ({}, [_APART])


def _is_binned(hdus: Sequence[Hdu]) -> bool:
    return any(str(hdu.cards.get("CCDSUM", "1 1")).split() != ["1", "1"] for hdu in hdus)


def _path_back(amplifier: Amplifier) -> tuple[tuple[int, int], tuple[int, int]]:
    """Signs and offsets `(x, y)` from a pixel of the mosaic to the amplifier's, both counted from 1."""
    signs, offsets = [], []
    sections = (amplifier.data.columns, amplifier.data.rows)
    for (start, stop), place, is_mirrored in zip(
        sections, amplifier.place[::-1], amplifier.mirrored[::-1], strict=True
    ):
        signs.append(-1 if is_mirrored else 1)
        offsets.append(stop + place + 1 if is_mirrored else start - place)
    return (signs[0], signs[1]), (offsets[0], offsets[1])


def shift_reference(cards: Cards, signs: tuple[int, int], offsets: tuple[int, int]) -> Cards:
    """World coordinates for pixels m where `sign * m + offset` are those that the given ones are for.

    With p - CRPIX = sign * (m - sign * (CRPIX - offset)), the columns of the matrix change their signs, and
    the SIP coefficients those of their powers.

    Parameters
    ----------
    cards : mapping
        Keywords of the header with their values.
    signs : tuple of int
        Direction of each axis.
    offsets : tuple of int
        Offset of each axis in pixels.
    """
    made = {k: v for k, v in cards.items() if not (_MATRIX.fullmatch(k) or _FURTHER.fullmatch(k))}
    steps = _matrix(cards) * signs
    for n, (sign, offset) in enumerate(zip(signs, offsets, strict=True), start=1):
        made[f"CRPIX{n}"] = sign * (_number(cards, f"CRPIX{n}", 0) - offset)
        made |= {f"CD{n}_{m}": float(steps[n - 1, m - 1]) for m in (1, 2)}
    for keyword in cards:
        if match := _SIP.fullmatch(keyword):
            along = signs[match[1].startswith("B")]
            turned = along * signs[0] ** int(match[2]) * signs[1] ** int(match[3])
            made[keyword] = turned * _number(cards, keyword, math.nan)
    return made


def _matrix(cards: Mapping[str, Value]) -> Floats:
    """From pixels to intermediate world coordinates, Greisen & Calabretta 2002, sections 2.1.2 and 6.1."""
    places = [(n, m) for n in (1, 2) for m in (1, 2)]
    if any(f"CD{n}_{m}" in cards for n, m in places):
        return np.array([_number(cards, f"CD{n}_{m}", 0) for n, m in places]).reshape(2, 2)
    scales = np.array([_number(cards, f"CDELT{n}", 1) for n in (1, 2)])
    if any(f"PC{n}_{m}" in cards for n, m in places):
        turn = np.array([_number(cards, f"PC{n}_{m}", float(n == m)) for n, m in places]).reshape(2, 2)
        return np.asarray(scales[:, None] * turn)
    angle = math.radians(_number(cards, "CROTA2", _number(cards, "CROTA1", 0)))
    cosine, sine = (math.cos(angle), math.sin(angle)) if math.isfinite(angle) else (math.nan, math.nan)
    return np.asarray(np.array([[cosine, -sine], [sine, cosine]]) * scales)


def _number(cards: Mapping[str, Value], keyword: str, default: float) -> float:
    value = cards.get(keyword, default)
    return float(value) if isinstance(value, (int, float)) else math.nan


def _corners(amplifier: Amplifier) -> Floats:
    """Return corner pixels `(x, y)` of an amplifier in the mosaic, counted from 0."""
    (y, x), (height, width) = amplifier.place, amplifier.data.shape
    return np.array([[x + a * (width - 1), y + b * (height - 1)] for a in (0, 1) for b in (0, 1)], float)


def _apart(first: Cards, other: Cards, pixels: Floats) -> float:
    """Return the pixels by which two solutions differ at most about where pixels look.

    Infinite if they are nonsense.
    """
    with np.errstate(all="ignore"):
        try:
            is_same = _frame_of(first) == _frame_of(other)
            apart = (_plane_apart if is_same else _sky_apart)(first, other, pixels)
        except Exception:  # noqa: BLE001  (wcslib raises nearly anything on keywords that make no sense)
            return math.inf
    most = float(np.abs(apart).max())
    return most if math.isfinite(most) else math.inf


def _frame_of(cards: Cards) -> Cards:
    """Return all that leads from intermediate coordinates to the world."""
    return {k: v for k, v in cards.items() if not k.startswith(("CRPIX", "CD"))}


def _plane_apart(first: Cards, other: Cards, pixels: Floats) -> Floats:
    planes = [
        (pixels + 1 - [_number(cards, f"CRPIX{n}", 0) for n in (1, 2)]) @ _matrix(cards).T
        for cards in (first, other)
    ]
    return np.asarray(np.linalg.solve(_matrix(first), (planes[1] - planes[0]).T), np.float64)


def _sky_apart(first: Cards, other: Cards, pixels: Floats) -> Floats:
    ours, theirs = (solution(json.dumps(cards)) for cards in (first, other))
    world = theirs.pixel_to_world_values(*pixels.T)
    return np.asarray(ours.world_to_pixel_values(*world)) - pixels.T
