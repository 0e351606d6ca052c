"""Images in FITS files: stored numbers read by byte ranges or tiles, and scaled as astropy does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dask.array as da
import numpy as np

from engine.errors import FileError, InputError
from engine.readers.fits.headers import Hdu, Value, integer, is_packed, open_fits
from engine.readers.guard import judge
from engine.readers.source import Planes, Source, Window, lazy, load_planes, stamp, tile_chunks, whole
from engine.schema import PIXEL

STORED: Final[Mapping[int, str]] = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
"""Types of the stored numbers by BITPIX."""


@dataclass(frozen=True)
class Scaling:
    """From stored numbers to values: `BZERO + BSCALE * number`, NaN where the number is BLANK.

    FITS Standard 4.0, sections 4.4.2.5 and 5.2.5; types as astropy chooses them, so that values are equal bit
    for bit: unsigned integers by their BZERO stay integers, BITPIX 8 and 16 become float32, others float64.
    """

    bitpix: int
    bscale: float = 1
    bzero: float = 0
    blank: int | None = None

    @property
    def stored(self) -> np.dtype[Any]:
        """Type of the numbers in the file."""
        return np.dtype(STORED[self.bitpix])

    @property
    def is_shifted(self) -> bool:
        """True if BZERO only moves integers into the other half of their range."""
        shift = -128 if self.bitpix == 8 else 1 << (abs(self.bitpix) - 1)
        return self.bitpix > 0 and self.bscale == 1 and self.bzero == shift

    @property
    def is_plain(self) -> bool:
        """True if the stored numbers are the values."""
        return self.bscale == 1 and self.bzero == 0 and self.blank is None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, native byte order."""
        native = self.stored.newbyteorder("=")
        if self.is_plain or self.bitpix < 0:
            return native
        if self.is_shifted:
            return np.dtype(f"{'i' if self.bitpix == 8 else 'u'}{native.itemsize}")
        return np.dtype(np.float64 if self.bitpix > 16 else np.float32)

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return the values of stored numbers in native byte order; may reuse their memory."""
        if self.is_plain:
            return numbers
        if self.is_shifted:
            return (numbers.view(f"u{numbers.itemsize}") ^ (1 << (self.bitpix - 1))).view(self.dtype)
        scaled = numbers.astype(self.dtype, copy=self.bitpix > 0)
        with np.errstate(all="ignore"):
            if self.bscale != 1:
                np.multiply(scaled, self.bscale, out=scaled)
            if self.bzero != 0:
                scaled += self.bzero
        if self.blank and self.bitpix > 0:
            scaled[numbers == self.blank] = np.nan
        return scaled


@dataclass(frozen=True)
class Image:
    """One image of a file; all that reading a window of it needs.

    Attributes
    ----------
    number
        Of its HDU.
    shape
        Without leading axes of length 1 beyond the third axis.
    stored_shape
        With them.
    scaling
        From stored numbers to values.
    offset
        Of the first stored number in the (unpacked) file.
    is_packed
        Whether the file is packed with gzip as a whole.
    tile
        Shape of a compressed tile along the axes of `shape`, None where the numbers lie plain.
    """

    number: int
    shape: tuple[int, ...]
    stored_shape: tuple[int, ...]
    scaling: Scaling
    offset: int
    is_packed: bool
    tile: tuple[int, ...] | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.scaling.dtype


def image_of(path: Path, hdu: Hdu) -> Image:
    """Image of an HDU, its claims held against the file.

    Raises
    ------
    FileError
        If the file holds less than the header says.
    InputError
        If it has too many axes, cannot be scaled, or looks like a bomb.
    """
    shape = hdu.shape
    kept = axes_to_keep(shape)
    if len(kept) > 3:
        sizes = " × ".join(map(str, shape))
        raise InputError(
            f"{path.name} holds {sizes} values in HDU {hdu.number}; expected an image or a stack of images:"
            " store each stack as an extension of its own"
        )
    if not hdu.is_whole:
        raise FileError(f"{path.name} ends before the last value of HDU {hdu.number}; copy the file again")
    if hdu.bitpix not in STORED:
        raise InputError(f"{path.name} has values of BITPIX {hdu.bitpix} in HDU {hdu.number}; write it again")
    scaling = _scaling(hdu)
    tile = tuple(_tile(hdu)[axis] for axis in kept) if hdu.is_tiled else None
    if tile is not None:
        itemsize = scaling.dtype.itemsize
        for n_values, at_once in ((_product(shape), False), (_product(_tile(hdu)), True)):
            judge(path, declared=n_values * itemsize, stored=hdu.n_bytes, whole=at_once)
    sizes_kept = tuple(shape[axis] for axis in kept)
    return Image(hdu.number, sizes_kept, shape, scaling, hdu.offset, is_packed(path), tile)


def axes_to_keep(shape: tuple[int, ...]) -> list[int]:
    """Numbers of the axes that are opened: of more than three, not those of length 1 before the last two.

    Examples
    --------
    >>> axes_to_keep((1, 5, 64, 1)), axes_to_keep((1, 64, 64))
    ([1, 2, 3], [0, 1, 2])
    """
    last = len(shape) - 2
    return [axis for axis, size in enumerate(shape) if len(shape) <= 3 or size > 1 or axis >= last]


def image_source(path: Path, image: Image) -> Source:
    """Return an image as an array on disk.

    Parameters
    ----------
    path : Path
        The file.
    image : Image
        Description of the image in the file.
    """
    return Source(load, path, image, image.shape, image.dtype, stamp(path))


def lazy_image(source: Source, *, chunks: Mapping[str, int] | None) -> da.Array:
    """Dask array of an image, in the tiles asked for where its numbers lie plain in the file.

    Parameters
    ----------
    source : Source
        Array on disk.
    chunks
        Pixels of a tile along `y` and `x`; the format's own if not given.
    """
    image: Image = source.part
    spectral = 0 if len(image.shape) == 3 else None
    if image.is_packed:
        return whole(source, spectral=spectral)
    tiles = tile_chunks(image.shape, image.dtype.itemsize, spectral=spectral, stored=image.tile)
    return lazy(source, chunks=tiles if image.tile else choose_unit(tiles, image.shape, chunks))


def choose_unit(
    tiles: tuple[int, ...], shape: tuple[int, ...], chunks: Mapping[str, int] | None
) -> tuple[int, ...]:
    """Return the tiles with the sizes along y and x that were asked for.

    Parameters
    ----------
    tiles : tuple of int
        Sizes of the tiles along each axis.
    shape : tuple of int
        Sizes of the image along each axis.
    chunks
        Pixels of a tile along `y` and `x`; the format's own if not given.
    """
    wanted = tuple((chunks or {}).get(dim, 0) for dim in PIXEL)
    pairs = zip(wanted, tiles[-2:], shape[-2:], strict=True)
    return (*tiles[:-2], *(min(n, size) if isinstance(n, int) and n > 0 else own for n, own, size in pairs))


def load(path: Path, image: Image, window: Window) -> np.ndarray:
    """Read the values in a window of an image.

    Parameters
    ----------
    path : Path
        The file.
    image : Image
        Description of the image in the file.
    window
        Rows and columns to read.
    """
    if image.tile is not None:
        return _load_tiles(path, image, window)
    numbers = _unpack(path, image)[window] if image.is_packed else _load_numbers(path, image, window)
    return image.scaling.values(numbers)


def _load_numbers(path: Path, image: Image, window: Window) -> np.ndarray:
    *_, n_rows, n_columns = image.shape
    n_planes = image.shape[0] if len(image.shape) == 3 else 1
    stored = image.scaling.stored
    offsets = tuple(image.offset + n * n_rows * n_columns * stored.itemsize for n in range(n_planes))
    planes = Planes((path,) * n_planes, offsets, stored, n_columns)
    if len(image.shape) == 3:
        return load_planes(path, planes, window)
    return np.asarray(load_planes(path, planes, (slice(0, 1), *window))[0])


def _unpack(path: Path, image: Image) -> np.ndarray:
    """Return all stored numbers of an image in a file packed as a whole, native byte order."""
    stored = image.scaling.stored
    raw = np.empty(image.shape, stored)
    view = memoryview(raw.reshape(-1).view(np.uint8).data)
    n_read = 0
    with open_fits(path) as file:
        file.seek(image.offset)
        while n_read < len(view) and (n := file.readinto(view[n_read:])):  # type: ignore[attr-defined]
            n_read += n
    if n_read < len(view):
        raise FileError(f"{path.name} ends before its last value; copy the file again")
    native = stored.newbyteorder("=")
    return raw if stored.isnative else raw.byteswap(inplace=True).view(native)


def _load_tiles(path: Path, image: Image, window: Window) -> np.ndarray:
    from astropy.io import fits

    index: list[Any] = [0] * len(image.stored_shape)
    for axis, part in zip(axes_to_keep(image.stored_shape), window, strict=True):
        index[axis] = part
    with fits.open(path, memmap=False, lazy_load_hdus=True) as hdus:
        values = np.asarray(hdus[image.number].section[tuple(index)])
    return values.astype(image.dtype, copy=False)


def _scaling(hdu: Hdu) -> Scaling:
    factors = [hdu.cards.get(keyword, default) for keyword, default in (("BSCALE", 1), ("BZERO", 0))]
    if any(isinstance(factor, (bool, str)) for factor in factors):
        raise InputError(f"BSCALE or BZERO of HDU {hdu.number} is no number; write the file again")
    blank = hdu.cards.get("BLANK", _tiles_blank(hdu) if hdu.is_tiled else None)
    is_number = hdu.bitpix > 0 and isinstance(blank, int) and not isinstance(blank, bool)
    bscale, bzero = (factor for factor in factors if isinstance(factor, (int, float)))
    return Scaling(hdu.bitpix, bscale, bzero, int(blank) if is_number and blank is not None else None)


def _tiles_blank(hdu: Hdu) -> Value | None:
    """BLANK of compressed integers: ZBLANK as a keyword, or the type's least number where it is a column."""
    has_column = any(key.startswith("TTYPE") and value == "ZBLANK" for key, value in hdu.cards.items())
    return hdu.cards.get("ZBLANK", -(1 << (abs(hdu.bitpix) - 1)) if has_column else None)


def _tile(hdu: Hdu) -> tuple[int, ...]:
    """Shape of a compressed tile: single rows where the header does not say."""
    shape = hdu.shape[::-1]
    sizes = [integer(hdu.cards, f"ZTILE{n + 1}", 1 if n else shape[0]) for n in range(len(shape))]
    if min(sizes) < 1:
        raise InputError(f"the tiles of HDU {hdu.number} have no pixels; write the file again")
    return tuple(min(size, length) for size, length in zip(sizes, shape, strict=True))[::-1]


def _product(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=object))
