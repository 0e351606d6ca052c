"""The maps that an EP4 table lists: where they lie, and which pairs of them can be opened."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final

from engine.errors import FileError, MapstackError
from engine.readers.ellipsometry.accurion_map import FLOATS, MapFile, find_map, verify
from engine.readers.ellipsometry.ep4_table import Pair
from engine.readers.guard import clear_errors, inside

VERIFY_BYTES: Final = 64 * 2**20
"""Folders up to this size have all checksums checked when opened, larger ones when a map is first read."""


@dataclass(frozen=True)
class MapPair:
    """One row of the table whose two maps can be opened."""

    row: Pair
    delta: MapFile
    psi: MapFile

    @property
    def maps(self) -> tuple[MapFile, MapFile]:
        """Both maps."""
        return self.delta, self.psi


def openable(folder: Path, rows: list[Pair], notes: list[str]) -> list[MapPair]:
    """Pairs of maps that are there, undamaged and of one size; each other one gets a sentence in `notes`.

    Parameters
    ----------
    folder : Path
        The folder.
    rows : list of Pair
        Listed pairs of maps.
    notes : list of str
        Sentences for the user; more are added.
    """
    pairs = _one_shape(_check_map(_find_maps(folder, rows, notes), notes), notes)
    notes += _picture_notes(pairs)
    return pairs


def inside_folder(folder: Path, name: str) -> Path | None:
    """Return where a listed map lies, None if its name leaves the folder.

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        Its name.
    """
    if not name or "\0" in name or PureWindowsPath(name).is_absolute() or PureWindowsPath(name).drive:
        return None
    path = folder / name.replace("\\", "/")
    return path if inside(path, folder) else None


def _find_maps(folder: Path, rows: list[Pair], notes: list[str]) -> list[MapPair]:
    """Return the pairs whose files are there and make sense, with a sentence about each other one."""
    pairs = []
    for row in rows:
        try:
            delta, psi = (_locate(folder, name) for name in (row.delta, row.psi))
        except MapstackError as error:
            notes.append(f"{_name(row)}: left out, {error}.")
        else:
            pairs.append(MapPair(row, delta, psi))
    return pairs


def _locate(folder: Path, name: str) -> MapFile:
    path = inside_folder(folder, name)
    if path is None:
        raise FileError(f"the map {name!r} lies outside the folder of its table; copy it there")
    if not path.is_file():
        raise FileError(f"the map {name!r} is missing; copy it into the folder")
    with clear_errors(path):
        found = find_map(path)
    if not found.has_floats and not found.grey:
        raise FileError(f"the picture {path.name} is not an 8-bit grey one; it holds no angles")
    return found


def _check_map(pairs: list[MapPair], notes: list[str]) -> list[MapPair]:
    """Return the undamaged pairs, all of them if the folder is too large to check now."""
    n_values = sum(found.shape[0] * found.shape[1] for pair in pairs for found in pair.maps)
    if n_values * FLOATS.itemsize > VERIFY_BYTES:
        return pairs
    sound = []
    for pair in pairs:
        try:
            for found in pair.maps:
                with clear_errors(found.path):
                    verify(found)
        except MapstackError as error:
            notes.append(f"{_name(pair.row)}: left out, {error}.")
        else:
            sound.append(pair)
    return sound


def _one_shape(pairs: list[MapPair], notes: list[str]) -> list[MapPair]:
    """Return the pairs that have the size that most maps have."""
    if not pairs:
        return []
    shape = Counter(found.shape for pair in pairs for found in pair.maps).most_common(1)[0][0]
    for pair in pairs:
        odd = [found for found in pair.maps if found.shape != shape]
        if odd:
            size, expected = (" × ".join(map(str, s)) for s in (odd[0].shape, shape))
            notes.append(
                f"{_name(pair.row)}: left out, the map {odd[0].path.name} has {size} pixels, not {expected}."
            )
    return [pair for pair in pairs if all(found.shape == shape for found in pair.maps)]


def _picture_notes(pairs: list[MapPair]) -> list[str]:
    rounded = [found for pair in pairs for found in pair.maps if not found.has_floats]
    if not rounded:
        return []
    share = f"{len(rounded)} of {2 * len(pairs)} maps hold only the 8-bit picture"
    return [f"{share}: values are whole degrees up to 255; 0 is maybe no data and left out."]


def _name(row: Pair) -> str:
    return f"{row.wavelength:g} nm, {row.angle:g} deg"
