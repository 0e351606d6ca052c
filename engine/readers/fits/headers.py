"""FITS headers: what each header and data unit (HDU) of a file holds and where its bytes lie.

Headers alone are read, a block of 2880 bytes at a time and never more than a bound, and the file is held
to what they claim. Reference: FITS Standard 4.0, Pence et al. 2010, A&A 524, A42.
"""

import gzip
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from engine.errors import FileError, InputError
from engine.readers.guard import judge

BLOCK: Final = 2880
CARD: Final = 80
GZIP: Final = b"\x1f\x8b"
STARTS: Final = (b"SIMPLE  =", b"XTENSION=")
MOST_HEADER_BYTES: Final = 2**22
MOST_HDUS: Final = 10_000
MOST_AXES: Final = 999
BITPIX: Final = (8, 16, 32, 64, -32, -64)

Value = bool | int | float | str

_TEXT: Final = re.compile(r" *'((?:[^']|'')*)'")
_INTEGER: Final = re.compile(r"[+-]?\d+")
_REAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([EeDd][+-]?\d+)?")


@dataclass(frozen=True)
class Hdu:
    """One header and data unit.

    Attributes
    ----------
    number
        Position in the file, 0 for the primary one, as astropy counts.
    cards
        Values by keyword; of a keyword given twice, the first.
    text
        The header as it stands, its cards one after the other.
    offset, n_bytes
        Where the data begins in the (unpacked) file, and its size by the header.
    is_whole
        Whether the file holds all of the data.
    """

    number: int
    cards: Mapping[str, Value]
    text: str
    offset: int
    n_bytes: int
    is_whole: bool

    @property
    def name(self) -> str:
        """EXTNAME in capitals; `PRIMARY` for a nameless first one, else empty."""
        return str(self.cards.get("EXTNAME", "" if self.number else "PRIMARY")).strip().upper()

    @property
    def is_tiled(self) -> bool:
        """True for an image stored as a table of compressed tiles."""
        return self.cards.get("XTENSION") == "BINTABLE" and self.cards.get("ZIMAGE") is True

    @property
    def is_image(self) -> bool:
        """True for an image with at least two axes and at least one pixel."""
        kind = self.cards.get("XTENSION", "IMAGE" if self.number == 0 else "")
        shape = self.shape if kind == "IMAGE" or self.is_tiled else ()
        return len(shape) >= 2 and min(shape) > 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the image's axes, the slowest first, as astropy gives them."""
        return axes(self.cards, "Z" if self.is_tiled else "")[::-1]

    @property
    def bitpix(self) -> int:
        """BITPIX of the image's stored values."""
        return integer(self.cards, "ZBITPIX" if self.is_tiled else "BITPIX")


def integer(cards: Mapping[str, Value], keyword: str, default: int | None = None) -> int:
    """Whole number that a keyword holds.

    Parameters
    ----------
    cards : mapping
        Keywords of the header with their values.
    keyword : str
        Name of the keyword.
    default : int, optional
        Value where the keyword is absent; without one it must be there.

    Raises
    ------
    InputError
        If it holds something else, or is absent and has no default.
    """
    value = cards.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"the FITS header has no whole number {keyword}; write the file again")
    return value


def axes(cards: Mapping[str, Value], prefix: str = "") -> tuple[int, ...]:
    """Lengths of the axes, NAXIS1 first.

    Parameters
    ----------
    cards : mapping
        Keywords of the header with their values.
    prefix : str
        Start of the keywords.

    Raises
    ------
    InputError
        If they are not given, or negative.
    """
    n_axes = integer(cards, f"{prefix}NAXIS")
    if not 0 <= n_axes <= MOST_AXES:
        raise InputError(f"the FITS header claims {n_axes} axes; write the file again")
    lengths = tuple(integer(cards, f"{prefix}NAXIS{n}") for n in range(1, n_axes + 1))
    if any(length < 0 for length in lengths):
        raise InputError(f"the FITS header claims axes of {lengths} pixels; write the file again")
    return lengths


def survey(path: Path) -> tuple[list[Hdu], list[str]]:
    """Headers of all HDUs in order, and sentences about what is damaged behind the first.

    Raises
    ------
    FileError
        If the first header is no FITS header or has no end.
    InputError
        If a header is absurd, or a packed file would unpack to far more than it can honestly hold.
    """
    hdus: list[Hdu] = []
    packed = is_packed(path)
    with open_fits(path) as file:
        while len(hdus) < MOST_HDUS:
            try:
                text = _header_text(file, path)
                if not text:
                    break
                hdus.append(_hdu(file, path, text, number=len(hdus), packed=packed))
            except (FileError, InputError) as error:
                if not hdus or packed:
                    raise
                return hdus, [f"What follows HDU {len(hdus) - 1} was left out: {error}."]
    if not hdus:
        raise FileError(f"{path.name} does not begin with a FITS header; check that it is a FITS file")
    return hdus, [f"HDU {hdu.number} is cut off; copy the file again." for hdu in hdus if not hdu.is_whole]


def is_packed(path: Path) -> bool:
    """Return whether the file is packed with gzip as a whole."""
    with path.open("rb") as file:
        return file.read(len(GZIP)) == GZIP


@contextmanager
def open_fits(path: Path) -> Iterator[BinaryIO]:
    """Open for plain reads; a gzip file is unpacked on the way."""
    if is_packed(path):
        with gzip.open(path, "rb") as packed:
            yield cast("BinaryIO", packed)
    else:
        with path.open("rb") as plain:
            yield plain


def _header_text(file: BinaryIO, path: Path) -> str:
    """Return the cards from the file's position to the END card; empty where no header begins."""
    block = file.read(BLOCK)
    if not block.startswith(STARTS):
        return ""
    blocks: list[bytes] = []
    while len(block) == BLOCK and len(blocks) * BLOCK < MOST_HEADER_BYTES:
        for start in range(0, BLOCK, CARD):
            if block[start : start + 8].rstrip() == b"END":
                blocks.append(block[:start])
                return re.sub(r"[^ -~]", "?", b"".join(blocks).decode("latin-1"))
        blocks.append(block)
        block = file.read(BLOCK)
    raise FileError(f"{path.name} has a FITS header without an END; copy the file again")


def _hdu(file: BinaryIO, path: Path, text: str, *, number: int, packed: bool) -> Hdu:
    """Return one HDU, the file then standing behind its data."""
    cards = values(text)
    offset = file.tell()
    n_bytes = _data_bytes(cards)
    end, size = offset + n_bytes, path.stat().st_size
    if packed:
        judge(path, declared=end, stored=size, whole=True)
        file.seek(end)
        is_whole = file.tell() == end
    else:
        is_whole = end <= size
    if is_whole:
        file.seek(-(-end // BLOCK) * BLOCK)
    else:
        file.seek(0, 2)
    return Hdu(number, cards, text, offset, n_bytes, is_whole)


def _data_bytes(cards: Mapping[str, Value]) -> int:
    """Return the size of the data, FITS Standard 4.0, equation 2; equation 4 for random groups."""
    lengths = axes(cards)
    bitpix = integer(cards, "BITPIX")
    if bitpix not in BITPIX:
        raise InputError(
            f"the FITS header has BITPIX = {bitpix}; expected one of {', '.join(map(str, BITPIX))}"
        )
    extra, groups = integer(cards, "PCOUNT", 0), integer(cards, "GCOUNT", 1)
    if extra < 0 or groups < 0:
        raise InputError("the FITS header has a negative PCOUNT or GCOUNT; write the file again")
    if cards.get("GROUPS") is True and lengths[:1] == (0,):
        lengths = lengths[1:]
    return abs(bitpix) // 8 * groups * (extra + math.prod(lengths)) if lengths else 0


def values(text: str) -> dict[str, Value]:
    """Return the values by keyword.

    Examples
    --------
    >>> values("BZERO   =              3.2768E4 / offset".ljust(80) + "OBJECT  = 'M 13    '".ljust(80))
    {'BZERO': 32768.0, 'OBJECT': 'M 13'}
    """
    found: dict[str, Value] = {}
    for start in range(0, len(text), CARD):
        card = text[start : start + CARD]
        if card[8:9] == "=":
            found.setdefault(card[:8].rstrip(), _value(card[9:]))
    return found


def _value(field: str) -> Value:
    """Return the value of a card; what is neither a logical nor a finite number stays text."""
    quoted = _TEXT.match(field)
    if quoted:
        return quoted[1].replace("''", "'").rstrip()
    bare = field.partition("/")[0].strip()
    if bare in ("T", "F"):
        return bare == "T"
    if _INTEGER.fullmatch(bare):
        return int(bare)
    if _REAL.fullmatch(bare):
        number = float(bare.upper().replace("D", "E"))
        return number if math.isfinite(number) else bare
    return bare
