"""Micrographs as microscopes write them: DM3 and DM4, SER (with its EMI), EMD of Velox or Berkeley, and MRC.

A file is known by its first bytes, never by its name alone, and its pixels are read in place, by plain reads
of byte ranges. Only the tags of DM files are left to RosettaSciIO (GPL, hence optional), behind a guard: it
would follow links out of an EMD file, map an MRC file into memory, and read all of an SER file to open it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import xarray as xr

from engine.errors import FileError, InputError
from engine.readers.dispatch import HEAD_BYTES
from engine.readers.microscopes import dm, emd, mrc, ser
from engine.readers.microscopes.signal import Part
from engine.readers.stack import Coordinate, axis, stack
from engine.schema import ENERGY, PIXEL

_FORMATS: Final[Sequence[tuple[Callable[[Path, bytes], bool], Callable[[Path], list[Part]]]]] = (
    (dm.is_dm, dm.parts),
    (ser.is_ser, ser.parts),
    (emd.is_emd, emd.parts),
    (mrc.is_mrc, mrc.parts),
)
"""All formats: whether a file is of it by its first bytes, and the images in the file."""

_RECIPROCAL: Final = re.compile(r"1\s*/|\^\s*-\s*1|⁻¹")


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is DM3, DM4, SER, EMD or MRC, or an EMI beside the SER files that it describes.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    if not head or path.is_dir():
        return False
    return _is_description(path) or any(is_it(path, head) for is_it, _ in _FORMATS)


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:  # noqa: ARG001
    """Open an image, dims (y, x), or a series, dims (image, y, x), lazily.

    Coordinates count nm from the first pixel, where the file has a pixel size in a unit of length; otherwise
    px. `key` is the number of the image, from 0, or its title, where the file holds several.

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
        If the file is damaged or ends too early.
    InputError
        If it is of another format, or holds no image of plain numbers, or not the one asked for.
    MissingDependencyError
        If it is DM3 or DM4 and RosettaSciIO is not installed.
    """
    if _is_description(path):
        return _read_described(path, key)
    parts = _parts(path)
    number = _number(parts, key, path)
    part = parts[number]
    notes = [*part.notes, *_others(parts, key), *_warn_of_units(part)]
    title = f"{path.stem} {part.title}" if part.title and len(parts) > 1 else part.title or path.stem
    images = stack(part.data, dims=part.dims, coords=_coordinates(part), notes=notes)
    return images.assign_attrs(title=title)


def files(path: Path) -> list[Path]:
    """Return the files that the images come from: for SER also the EMI that describes it, and vice versa."""
    if _is_description(path):
        return [path, *ser.files_of_emi(path)]
    description = ser.description(path)
    return [path] if description is None else [path, description]


def _is_description(path: Path) -> bool:
    return path.suffix.lower() == ".emi" and bool(ser.files_of_emi(path))


def _read_described(path: Path, key: str | None) -> xr.Dataset:
    """Open one of the SER files that an EMI describes; `key` counts them from 0."""
    found = ser.files_of_emi(path)
    if key is not None and (not key.isdecimal() or int(key) >= len(found)):
        raise InputError(f"{path.name} has no image {key!r}; there are: 0 to {len(found) - 1}")
    return read(found[int(key or 0)], key=None, chunks=None)


def _parts(path: Path) -> list[Part]:
    if path.is_dir():
        raise InputError(f"{path.name} is a folder; give one micrograph of it")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for is_it, parts in _FORMATS:
        if is_it(path, head):
            found = parts(path)
            if not found:
                raise InputError(f"{path.name} holds no image of plain numbers; export it as TIFF")
            return found
    raise FileError(f"{path.name} is none of DM3, DM4, SER, EMD and MRC, or is damaged; copy it again")


def _number(parts: Sequence[Part], key: str | None, path: Path) -> int:
    titles = [part.title for part in parts]
    if key is None or (key not in titles and key.isdecimal() and int(key) < len(parts)):
        return int(key or 0)
    if titles.count(key) == 1:
        return titles.index(key)
    listed = ", ".join(f"{n} {title}".strip() for n, title in enumerate(titles[:20]))
    raise InputError(f"{path.name} has no image {key!r}; there are: {listed}")


def _others(parts: Sequence[Part], key: str | None) -> list[str]:
    n_more = len(parts) - 1
    if key is not None or not n_more:
        return []
    names = ", ".join(part.title for part in parts[1:6] if part.title)
    told = f" ({names})" if names else ""
    return [f"The file holds {n_more} more images{told}; open them as FILE::1 and so on."]


def _coordinates(part: Part) -> dict[str, Coordinate]:
    """Return the coordinates in nm of both y and x, or of neither.

    Energies in eV where the series has them.
    """
    sizes = dict(zip(part.dims, part.data.shape, strict=True))
    made = {
        dim: _in_nm(axis(sizes[dim], scale=abs(scale), offset=0.0, units=units))
        for dim, (scale, units) in part.scales.items()
        if dim in PIXEL
    }
    lengths = {dim: found for dim, found in made.items() if found is not None and found[1] == "nm"}
    coords = lengths if set(lengths) == set(PIXEL) else {}
    if ENERGY in part.scales:
        scale, units = part.scales[ENERGY]
        energies = axis(sizes[ENERGY], scale=scale, offset=part.first_energy, units=units)
        coords |= {} if energies is None else {ENERGY: energies}
    return coords


def _in_nm(coordinate: Coordinate | None) -> Coordinate | None:
    if coordinate is None or coordinate[1] != "µm":
        return coordinate
    return coordinate[0] * 1e3, "nm"


def _warn_of_units(part: Part) -> list[str]:
    units = next((unit for dim, (_, unit) in part.scales.items() if dim in PIXEL), "")
    if not _RECIPROCAL.search(units):
        return []
    return [f"The pixels are counted in {units}, as in a diffraction pattern: no size in nm was taken."]
