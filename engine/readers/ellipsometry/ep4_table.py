"""The table of an EP4 folder: which Delta map belongs to which Psi map, at what wavelength and angle."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.errors import InputError
from engine.readers.stack import UNITS

TABLE_BYTES: Final = 16 * 2**20
COLUMNS: Final = ("lambda", "aoi", "delta", "psi")


@dataclass(frozen=True)
class Pair:
    """One row: wavelength in nm, angle of incidence in deg, file names of the two maps."""

    wavelength: float
    angle: float
    delta: str
    psi: str


@dataclass(frozen=True)
class Ep4Table:
    """The rows that can be read, factors to degrees by map, and sentences about the other rows."""

    pairs: tuple[Pair, ...]
    factors: Mapping[str, float]
    notes: list[str]


def read_table(path: Path) -> Ep4Table:
    """Read a `.ds.dat` table.

    Any line ends, a byte order mark, latin-1 or UTF-8, a decimal comma and a missing line of units are taken.

    Raises
    ------
    InputError
        If it is empty, too large, or lacks a column.
    """
    if path.stat().st_size > TABLE_BYTES:
        raise InputError(
            f"the table {path.name} is larger than {TABLE_BYTES // 2**20} MB; that is no list of maps"
        )
    lines = [line for line in re.split(r"\r\n|\r|\n", _decode(path.read_bytes())) if line.strip()]
    if not lines:
        raise InputError(f"the table {path.name} is empty; export the measurement again")
    names = [name.strip().lower() for name in lines[0].lstrip("#").split("\t")]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise InputError(
            f"the table {path.name} has no column {', '.join(missing)};"
            f" expected a tab-separated table with {', '.join(COLUMNS)} in its first line"
        )
    columns = {name: names.index(name) for name in COLUMNS}
    units = lines[1].lstrip("#").split("\t") if len(lines) > 1 and lines[1].startswith("#") else []
    return _rows(path, [line for line in lines[1:] if not line.startswith("#")], columns, units)


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _rows(path: Path, lines: list[str], columns: Mapping[str, int], units: list[str]) -> Ep4Table:
    pairs, notes = [], []
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) <= max(columns.values()):
            notes.append(f"Row {number} of {path.name} is incomplete and was left out.")
            continue
        wavelength, angle = (_number(fields[columns[name]]) for name in ("lambda", "aoi"))
        pairs.append(Pair(wavelength, angle, fields[columns["delta"]], fields[columns["psi"]]))
    if not pairs:
        raise InputError(f"the table {path.name} lists no maps; export the measurement again")
    unit = {name: units[at].strip().lower() if at < len(units) else "deg" for name, at in columns.items()}
    factors = {name: UNITS.get(unit[name], ("deg", 1.0))[1] for name in ("delta", "psi")}
    notes += [
        f"The table {path.name} gives {name} in {unit[name]!r}, which is not known: taken as degrees."
        for name in factors
        if UNITS.get(unit[name], ("", 1.0))[0] != "deg"
    ]
    return Ep4Table(tuple(pairs), factors, notes)


def _number(text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
