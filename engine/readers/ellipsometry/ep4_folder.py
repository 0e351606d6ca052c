"""EP4 imaging ellipsometry: a folder with a table of map pairs, one PNG a map, and a sheet of facts.

The table `*.ds.dat` is tab separated: column names, units, then a row per pair of a Delta and a Psi map.
What can be opened is opened; everything left out is named in the images' `warnings`. The format has no
pixel size.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import FileError, InputError, MapstackError
from engine.readers.ellipsometry.accurion_map import MapFile, load_maps
from engine.readers.ellipsometry.dsinfo import read_dsinfo
from engine.readers.ellipsometry.ep4_maps import MapPair, inside_folder, openable
from engine.readers.ellipsometry.ep4_table import Pair, read_table
from engine.readers.guard import clear_errors, inside
from engine.readers.source import Source, lazy, tile_chunks
from engine.readers.stack import Coordinate, dumps, stack
from engine.schema import ANGLE, CHANNEL, DELTA, PIXEL, PSI, WAVELENGTH

SUFFIX: Final = ".ds.dat"

LONG_NAMES: Final = {DELTA: "Delta", PSI: "Psi"}


def accepts(path: Path, head: bytes) -> bool:
    """Return whether this is an EP4 folder or its table.

    Parameters
    ----------
    path
        A file or folder.
    head : bytes
        Start of the file, empty for a folder.
    """
    return _is_table(path) if head or path.is_file() else bool(_tables(path))


def read(path: Path, *, key: str | None, chunks: Mapping[str, int] | None) -> xr.Dataset:
    """Open an EP4 folder, or its `.ds.dat` table, lazily.

    Parameters
    ----------
    path
        Folder or table.
    key
        Of a scan of wavelength *and* angle: the angle of incidence in deg whose wavelengths are opened.
    chunks
        Tile sizes; `y` sets the rows read at a time.

    Returns
    -------
    Dataset
        `delta` and `psi` in deg, dims (`wavelength` or `angle`, y, x).

    Raises
    ------
    InputError, FileError
        If not a single pair of maps can be opened.
    """
    table_path, notes = _table_of(path)
    table = read_table(table_path)
    notes += table.notes
    dim, rows = _series(table.pairs, key, notes)
    pairs = openable(table_path.parent, rows, notes)
    if not pairs:
        raise InputError(f"no pair of maps of {table_path.name} can be opened: {' '.join(notes[:3])}")
    coords = {dim: _coordinate(dim, pairs)}
    variables = {}
    for name, long_name in LONG_NAMES.items():
        data = _lazy_maps(table_path.parent, tuple(getattr(pair, name) for pair in pairs), chunks or {})
        data = data if table.factors[name] == 1 else data * np.float32(table.factors[name])
        images = stack(data, dims=(dim, *PIXEL), name=name, coords=coords, units="deg")
        variables[name] = images[name].assign_attrs(long_name=long_name)
    facts = _facts(table_path, notes)
    return xr.Dataset(
        variables, attrs={"title": table_path.name[: -len(SUFFIX)], **facts, "warnings": dumps(notes)}
    )


def files(path: Path) -> list[Path]:
    """Return the files of an EP4 folder that its images come from: table, information sheet, maps."""
    table_path, _ = _table_of(path)
    sheet = _sheet(table_path)
    names = dict.fromkeys(name for pair in read_table(table_path).pairs for name in (pair.delta, pair.psi))
    maps = [where for name in names if (where := inside_folder(table_path.parent, name)) is not None]
    return [table_path, *([sheet] if sheet else []), *(where for where in maps if where.is_file())]


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIX)


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _is_table(path) and path.is_file())


def _table_of(path: Path) -> tuple[Path, list[str]]:
    """Return the table to read, and a sentence if the folder has several."""
    if path.is_file():
        return path, []
    tables = [table for table in _tables(path) if inside(table, path)]
    if not tables:
        raise FileError(f"{path.name} has no table *{SUFFIX} of its own; give the folder of one measurement")
    others = [table.name for table in tables[1:]]
    notes = [f"The folder holds several tables: {tables[0].name} was opened, not {', '.join(others)}."]
    return tables[0], notes if others else []


def _series(pairs: tuple[Pair, ...], key: str | None, notes: list[str]) -> tuple[str, list[Pair]]:
    """Return the spectral dim and its rows in ascending order, each value once."""
    known = [pair for pair in pairs if not np.isnan([pair.wavelength, pair.angle]).any()]
    if len(known) < len(pairs):
        notes.append(f"{len(pairs) - len(known)} rows without wavelength or angle were left out.")
    angles = sorted({pair.angle for pair in known})
    if key is not None or (len(angles) > 1 and len({pair.wavelength for pair in known}) > 1):
        known = _at_angle(known, angles, key, notes)
    if len({pair.wavelength for pair in known}) > 1:
        return WAVELENGTH, _once({pair.wavelength: pair for pair in reversed(known)}, known, notes)
    if len({pair.angle for pair in known}) > 1:
        return ANGLE, _once({pair.angle: pair for pair in reversed(known)}, known, notes)
    if len(known) > 1:
        notes.append(
            "All maps have one wavelength and one angle: they were taken as channels, in the table's order."
        )
        return CHANNEL, known
    return WAVELENGTH, known


def _at_angle(known: list[Pair], angles: list[float], key: str | None, notes: list[str]) -> list[Pair]:
    listed = ", ".join(f"{angle:g}" for angle in angles)
    try:
        angle = angles[0] if key is None else float(key)
    except ValueError:
        angle = np.nan
    if angle not in angles:
        raise InputError(f"no maps were measured at an angle of {key!r}; there are: {listed} deg")
    if key is None:
        notes.append(
            f"Measured at the angles {listed} deg: {angle:g} was opened; another one as FOLDER::ANGLE."
        )
    return [pair for pair in known if pair.angle == angle]


def _once(first: Mapping[float, Pair], known: list[Pair], notes: list[str]) -> list[Pair]:
    if len(first) < len(known):
        notes.append(
            f"{len(known) - len(first)} repeated rows were left out: of each value the first one was taken."
        )
    return [first[value] for value in sorted(first)]


def _coordinate(dim: str, pairs: list[MapPair]) -> Coordinate:
    values = {WAVELENGTH: [p.row.wavelength for p in pairs], ANGLE: [p.row.angle for p in pairs]}
    units = {WAVELENGTH: "nm", ANGLE: "deg"}
    return np.array(values.get(dim, range(len(pairs))), dtype=np.float64), units.get(dim, "1")


def _lazy_maps(folder: Path, maps: tuple[MapFile, ...], chunks: Mapping[str, int]) -> da.Array:
    shape = (len(maps), *maps[0].shape)
    source = Source(load_maps, folder, maps, shape, np.dtype(np.float32))
    _, rows, columns = tile_chunks(shape, source.dtype.itemsize, spectral=0)
    return lazy(source, chunks=(len(maps), chunks.get(PIXEL[0], rows), columns))


def _sheet(table: Path) -> Path | None:
    own = table.with_name(table.name[: -len(SUFFIX)] + ".dsinfo.xml")
    sheets = [own] if own.is_file() else sorted(table.parent.glob("*.dsinfo.xml"))
    return sheets[0] if len(sheets) == 1 and inside(sheets[0], table.parent) else None


def _facts(table: Path, notes: list[str]) -> dict[str, str]:
    """Return what the sheet says as attrs; a sheet that is absent or broken is only a note."""
    sheet = _sheet(table)
    if sheet is None:
        notes.append("There is no *.dsinfo.xml beside the table: sample comment and objective are not known.")
        return {}
    try:
        with clear_errors(sheet):
            return read_dsinfo(sheet)
    except MapstackError as error:
        notes.append(f"Sample comment and objective are not known: {error}.")
        return {}
