"""FITS: frames and cubes read by byte ranges, extensions by number or name, mosaics assembled.

`frame.fits` is the first HDU with an image, overscan and all; `frame.fits::2` and `frame.fits::SCI` are
others, `frame.fits::SCI,2` the one with EXTVER 2; `frame.fits::mosaic` is what the amplifiers saw together.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import xarray as xr

from engine.errors import InputError
from engine.readers.fits.amplifier_mosaic import lazy_mosaic, mosaic_source
from engine.readers.fits.headers import CARD, GZIP, Hdu, Value, survey
from engine.readers.fits.image_units import Scaling, axes_to_keep, image_of, image_source, lazy_image
from engine.readers.fits.sections import SECTIONS, placed
from engine.readers.fits.world_coordinates import linear_coordinates, mosaic_cards, world_attrs, world_cards
from engine.readers.source import Source
from engine.readers.stack import stack
from engine.schema import CHANNEL, PIXEL

MAGIC: Final = b"SIMPLE  ="
PACKED: Final = (".fits.gz", ".fit.gz", ".fts.gz", ".fz", ".fz.gz")
MOSAIC: Final = "mosaic"
UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("", "adu", "dn", "count", "counts", "ct"), "adu"),
    **dict.fromkeys(("electron", "electrons", "e", "e-", "photoelectron", "photoelectrons"), "electron"),
}
"""Units as BUNIT spells them, in small letters: ours; any other is kept as it is."""

_MOST_LISTED: Final = 20


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is FITS: by content, or by content and name if it is packed.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return head.startswith(MAGIC) or (head.startswith(GZIP) and path.name.lower().endswith(PACKED))


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:
    """Open an image lazily; `key` is the number or EXTNAME of its HDU, or `mosaic`.

    Attrs of the images: `header`, the cards as text, and `wcs`, the world coordinates as JSON. Where these
    are plain lengths, y and x are in their units, else in px.

    Parameters
    ----------
    path
        The file or folder.
    key
        Part of it that `::KEY` picks; None for the whole.
    chunks : mapping of str to int, optional
        Pixels of a tile along `y` and `x`.

    Raises
    ------
    FileError
        If the file is no FITS file or is cut off.
    InputError
        If there is no image, not the one asked for, or a header is absurd.
    """
    with name_file_in_errors(path):
        hdus, notes = survey(path)
        return images_of(path, hdus, notes, key=key, chunks=chunks)[0]


def images_of(
    path: Path, hdus: Sequence[Hdu], notes: list[str], *, key: str | None, chunks: Mapping[str, int] | None
) -> tuple[xr.Dataset, Source]:
    """Open an image of a file whose headers have been read; also give the array on disk that it is.

    Parameters
    ----------
    path : Path
        The file.
    hdus
        Headers of the file's units.
    notes : list of str
        Sentences for the user; more are added.
    key : str, optional
        Part of the file that was asked for; None for the whole.
    chunks
        Pixels of a tile along `y` and `x`; the format's own if not given.
    """
    if _is_mosaic(key):
        return _mosaic(path, hdus, notes, chunks)
    chosen = _choose(path, hdus, key)
    return _image(path, chosen, hdus, notes if key else notes + _others(path, hdus), chunks)


@contextmanager
def name_file_in_errors(path: Path) -> Iterator[None]:
    """Let every sentence name the file."""
    try:
        yield
    except InputError as error:
        if path.name in str(error):
            raise
        raise InputError(f"{path.name}: {error}") from None


def _is_mosaic(key: str | None) -> bool:
    return key is not None and key.lower() == MOSAIC


def _image(
    path: Path, hdu: Hdu, hdus: Sequence[Hdu], notes: list[str], chunks: Mapping[str, int] | None
) -> tuple[xr.Dataset, Source]:
    image = image_of(path, hdu)
    dims = PIXEL if len(image.shape) == 2 else (CHANNEL, *PIXEL)
    units = _units(hdu.cards, hdus[0].cards)
    source = image_source(path, image)
    data = lazy_image(source, chunks=chunks)
    notes = notes + _blanks(image.scaling)
    coords = linear_coordinates(hdu.cards, image.shape[-2:])
    images = stack(data, dims=dims, coords=coords, units=units, notes=notes)
    return images.assign_attrs(header=_text(hdu), **world_attrs(world_cards(hdu.cards))), source


def _mosaic(
    path: Path, hdus: Sequence[Hdu], notes: list[str], chunks: Mapping[str, int] | None
) -> tuple[xr.Dataset, Source]:
    placement = placed(path, hdus)
    source = mosaic_source(path, placement)
    data = lazy_mosaic(source, chunks=chunks)
    cards, more = mosaic_cards(hdus, placement)
    first = next(hdu for hdu in hdus if hdu.is_image)
    images = stack(
        data,
        dims=PIXEL,
        coords=linear_coordinates(cards, placement.shape),
        units=_units(first.cards, hdus[0].cards),
        notes=[*notes, *placement.left_out, *more],
    )
    return images.assign_attrs(header=_text(hdus[0]), **world_attrs(cards)), source


def _choose(path: Path, hdus: Sequence[Hdu], key: str | None) -> Hdu:
    """Return the HDU to open.

    Raises
    ------
    InputError
        If there is no such image.
    """
    found = [hdu for hdu in hdus if hdu.is_image] if key is None else [h for h in hdus if _is_called(h, key)]
    if key is None and found:
        return next((hdu for hdu in found if len(axes_to_keep(hdu.shape)) <= 3), found[0])
    if key is None:
        tables = sum(hdu.cards.get("XTENSION") in ("BINTABLE", "TABLE") for hdu in hdus)
        held = f"{tables} tables and no image" if tables else "no image"
        raise InputError(f"{path.name} holds {held}; give a FITS file with a frame or a stack of frames")
    if not found or not found[0].is_image:
        there = _list_names(hdu for hdu in hdus if hdu.is_image) or "none"
        kind = "no HDU" if not found else "no image in HDU"
        raise InputError(f"{path.name} has {kind} {key!r}; images are: {there}")
    return found[0]


def _is_called(hdu: Hdu, key: str) -> bool:
    """Return whether a key means an HDU: its number, its EXTNAME, or EXTNAME and EXTVER."""
    if key.isdecimal():
        return hdu.number == int(key)
    name, comma, version = key.upper().rpartition(",")
    wanted = hdu.name if hdu.name or hdu.number else "PRIMARY"
    if comma and wanted == name.strip():
        return version.strip() == str(hdu.cards.get("EXTVER", 1))
    return bool(wanted) and wanted == key.strip().upper()


def _others(path: Path, hdus: Sequence[Hdu]) -> list[str]:
    """Return what the user should know where there are several images."""
    images = [hdu for hdu in hdus if hdu.is_image]
    if len(images) < 2:
        return []
    note = f"The file holds {len(images)} images: {_list_names(images)}."
    note += f" Open another as {path.name}::{images[1].number}"
    has_sections = any(keyword in hdu.cards for hdu in images for keyword in SECTIONS)
    return [note + (f", all together as {path.name}::{MOSAIC}." if has_sections else ".")]


def _list_names(hdus: Iterator[Hdu] | Sequence[Hdu]) -> str:
    names = [f"{hdu.number} {hdu.name}".strip() for hdu in hdus]
    return ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "")


def _blanks(scaling: Scaling) -> list[str]:
    """Say where astropy, whose values these are, does not replace BLANK by NaN."""
    if scaling.blank is None or (scaling.blank and not scaling.is_shifted):
        return []
    return [f"Pixels without a value are stored as BLANK = {scaling.blank}; they were kept as numbers."]


def _units(cards: Mapping[str, Value], primary: Mapping[str, Value]) -> str:
    spelled = str(cards.get("BUNIT", primary.get("BUNIT", ""))).strip()
    return UNITS.get(spelled.lower(), spelled)


def _text(hdu: Hdu) -> str:
    """Header, a line a card."""
    return "\n".join(hdu.text[n : n + CARD].rstrip() for n in range(0, len(hdu.text), CARD))
