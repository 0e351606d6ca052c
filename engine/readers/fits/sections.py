"""Amplifiers: which pixels of a FITS file a detector's amplifiers exposed, and where these lie on it.

DETSEC (else CCDSEC) says which part of the detector an extension shows, DATASEC which of its pixels are
exposed, BIASSEC which are overscan. Ranges count from 1, both ends included; a falling range is a mirrored
axis. Reference: NOAO mosaic data format, Valdes 1998, ASP Conf. Ser. 145, 53.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from engine.errors import InputError
from engine.readers.fits.headers import Hdu
from engine.readers.fits.image_units import Image, image_of
from engine.readers.source import Window

SECTIONS: Final = ("DETSEC", "CCDSEC")
"""Keywords that place an extension on the detector, the best first."""

MOST_AMPLIFIERS: Final = 1024
MOST_GAPS: Final = 10
"""Pixels of a mosaic for each exposed pixel, beyond which the sections are taken for wrong."""

_RANGES: Final = re.compile(r"\[? *(\d{1,9}) *: *(\d{1,9}) *, *(\d{1,9}) *: *(\d{1,9}) *\]?")


@dataclass(frozen=True)
class Section:
    """Rows and columns, counted from 0, and which axes are mirrored, `(y, x)`."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    mirrored: tuple[bool, bool]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def window(self) -> Window:
        """Slices of the rows and columns."""
        return slice(*self.rows), slice(*self.columns)


@dataclass(frozen=True)
class Amplifier:
    """Part of a frame that one amplifier read: exposed pixels, overscan, and place."""

    image: Image
    data: Section
    bias: Section | None
    mirrored: tuple[bool, bool]
    place: tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """Amplifiers with places counted from the mosaic's own corner.

    Attributes
    ----------
    amplifiers
        In the order of the file.
    shape
        Rows and columns of the mosaic.
    corner
        Row and column of the mosaic's first pixel on the detector, in pixels as they were read out.
    left_out
        Sentences for the user about images that are no part of the mosaic.
    """

    amplifiers: tuple[Amplifier, ...]
    shape: tuple[int, int]
    corner: tuple[int, int]
    left_out: tuple[str, ...]


def placed(path: Path, hdus: Sequence[Hdu]) -> Placement:
    """Find the amplifiers of a file and put each at its place.

    Parameters
    ----------
    path : Path
        The file.
    hdus
        Headers of the file's units.

    Raises
    ------
    InputError
        If a keyword is missing or the sections do not fit together.
    """
    found, keyword, notes = _choose_section(path, hdus)
    amplifiers = [_amplifier(path, hdu, keyword) for hdu in found]
    with_bias = [amplifier.bias is not None for amplifier in amplifiers]
    if any(with_bias) and not all(with_bias):
        raise InputError(
            f"{path.name} has no BIASSEC in HDU {found[with_bias.index(False)].number}, but in others;"
            " write it into all headers"
        )
    if not any(with_bias):
        notes.append("No overscan was subtracted: the headers have no BIASSEC.")
    return _from_corner(path, amplifiers, notes)


def section(text: str) -> Section | None:
    """Return rows and columns of a FITS section such as `[1:1024,2048:1]`; None if it is none.

    Examples
    --------
    >>> section("[1:10,4:1]")
    Section(rows=(0, 4), columns=(0, 10), mirrored=(True, False))
    """
    found = _RANGES.fullmatch(text.strip())
    if found is None:
        return None
    x_first, x_last, y_first, y_last = map(int, found.groups())
    if min(x_first, x_last, y_first, y_last) < 1:
        return None
    rows, columns = sorted((y_first, y_last)), sorted((x_first, x_last))
    return Section((rows[0] - 1, rows[1]), (columns[0] - 1, columns[1]), (y_first > y_last, x_first > x_last))


def _choose_section(path: Path, hdus: Sequence[Hdu]) -> tuple[list[Hdu], str, list[str]]:
    """HDUs of the mosaic, the keyword that places them (none for a single frame), and what was left out."""
    images = [hdu for hdu in hdus if hdu.is_image]
    for keyword in SECTIONS:
        found = [hdu for hdu in images if keyword in hdu.cards]
        if found and len(found) <= MOST_AMPLIFIERS:
            left = [str(hdu.number) for hdu in images if keyword not in hdu.cards]
            notes = [f"Images without {keyword} were left out: HDU {', '.join(left)}."] if left else []
            return found, keyword, notes
    if len(images) == 1:
        return images, "", []
    raise InputError(
        f"{path.name} cannot be assembled: none of its {len(images)} images says by DETSEC or CCDSEC where it"
        f" lies; open them one by one, as {path.name}::1"
    )


def _amplifier(path: Path, hdu: Hdu, keyword: str) -> Amplifier:
    image = image_of(path, hdu)
    if len(image.shape) != 2:
        raise InputError(f"{path.name} holds a stack in HDU {hdu.number}; a mosaic is made of single frames")
    bias = _section(path, hdu, "BIASSEC", image.shape)
    data = _section(path, hdu, "DATASEC", image.shape) or _section(path, hdu, "TRIMSEC", image.shape)
    place = _section(path, hdu, keyword, None) if keyword else None
    if data is None and bias is None and place is not None:
        data = Section((0, image.shape[0]), (0, image.shape[1]), (False, False))
    if data is None:
        raise InputError(
            f"{path.name} has no DATASEC in HDU {hdu.number}: which pixels are exposed is unknown;"
            " open it without ::mosaic"
        )
    if place is None:
        return Amplifier(image, data, bias, data.mirrored, (0, 0))
    mirrored = (place.mirrored[0] != data.mirrored[0], place.mirrored[1] != data.mirrored[1])
    return Amplifier(image, data, bias, mirrored, _corner(path, hdu, place, data))


def _section(path: Path, hdu: Hdu, keyword: str, shape: tuple[int, ...] | None) -> Section | None:
    """Section that a keyword holds, None where there is no such keyword."""
    text = hdu.cards.get(keyword)
    if text is None:
        return None
    found = section(str(text))
    if found is None or (shape is not None and (found.rows[1] > shape[0] or found.columns[1] > shape[1])):
        raise InputError(
            f"{path.name} has {keyword} = {str(text)!r} in HDU {hdu.number}; expected ranges within the image"
            " such as [1:1024,1:512]"
        )
    return found


def _corner(path: Path, hdu: Hdu, place: Section, data: Section) -> tuple[int, int]:
    """First row and column on the detector, in pixels as they were read out (binned, CCDSUM)."""
    bins = re.findall(r"\d{1,4}", str(hdu.cards.get("CCDSUM", "1 1")))
    step_x, step_y = (max(1, int(n)) for n in bins) if len(bins) == 2 else (1, 1)
    for y, x in ((1, 1), (step_y, step_x)):
        if (place.shape[0] // y, place.shape[1] // x) == data.shape:
            return place.rows[0] // y, place.columns[0] // x
    raise InputError(
        f"{path.name}: the place of HDU {hdu.number} on the detector has {place.shape[1]} × {place.shape[0]}"
        f" pixels, its DATASEC {data.shape[1]} × {data.shape[0]}; correct one of them"
    )


def _from_corner(path: Path, found: Sequence[Amplifier], notes: Sequence[str]) -> Placement:
    """Count places from the mosaic's own corner, if no amplifier lies over another."""
    starts = np.array([amplifier.place for amplifier in found])
    ends = starts + [amplifier.data.shape for amplifier in found]
    for n in range(1, len(found)):
        both = np.minimum(ends[n], ends[:n]) - np.maximum(starts[n], starts[:n])
        if (both > 0).all(axis=1).any():
            raise InputError(
                f"{path.name} cannot be assembled: HDU {found[n].image.number} lies over another on the"
                " detector; correct DETSEC"
            )
    height, width = map(int, ends.max(axis=0) - starts.min(axis=0))
    if height * width > MOST_GAPS * int((ends - starts).prod(axis=1).sum()):
        raise InputError(
            f"{path.name} cannot be assembled: the amplifiers fill too little of {width} × {height} pixels;"
            " correct DETSEC"
        )
    first_y, first_x = map(int, starts.min(axis=0))
    moved = tuple(replace(a, place=(a.place[0] - first_y, a.place[1] - first_x)) for a in found)
    return Placement(moved, (height, width), (first_y, first_x), tuple(notes))
