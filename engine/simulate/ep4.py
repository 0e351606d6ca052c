"""Writing Delta and Psi maps as an EP4 measurement folder: table, description, one PNG a map.

The picture inside a PNG is only the rounded value; the map itself is float32 in a `tEXt` chunk behind a
LabVIEW type descriptor, chunk order and layout as in files of the instrument.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

KEYWORD: Final = b".ACCURION_RAWDATA"
_NAME: Final = b"Image Pixels (Float)"
_TYPE_ARRAY_2D: Final = struct.pack(">HHii", 0x4040, 2, -1, -1)
_DESCRIPTOR: Final = _TYPE_ARRAY_2D + struct.pack(">HHB", 4, 9, len(_NAME)) + _NAME + b"\0"

COLUMNS: Final = (
    ("lambda", "nm", "DBL", "%.1f", "0.1"),
    ("bandwidth", "nm", "DBL", "%.1f", "0"),
    ("AOI", "deg", "DBL", "%.3f", "0.005"),
    ("zone", "-", "I32", "%d", "0"),
    ("time", "s", "DBL", "%f", "0.002"),
    ("X_pos", "mm", "DBL", "%.3f", "0.005"),
    ("Y_pos", "mm", "DBL", "%.3f", "0.005"),
    ("Theta_pos", "deg", "DBL", "%.3f", "0.01"),
    ("Delta", "deg", "Path", "%s", "0"),
    ("Psi", "deg", "Path", "%s", "0"),
)
"""Name, unit, LabVIEW type, format and tolerance of the columns of the table."""


def write_table(path: Path, rows: Sequence[tuple[float, float, str, str]]) -> None:
    """Write the `.ds.dat` table.

    Parameters
    ----------
    rows : sequence of (wavelength in nm, angle of incidence in deg, file of Delta, file of Psi)
    """
    lines = ["#" + "\t".join(c[0] for c in COLUMNS), "#" + "\t".join(c[1] for c in COLUMNS)]
    for wavelength, incidence, delta, psi in rows:
        numbers = (f"{wavelength:.1f}", "NaN", f"{incidence:.3f}", "0", "0.185000", "0.000", "0.000", "NaN")
        lines.append("\t".join((*numbers, delta, psi)))
    path.write_text("\n".join(lines) + "\n", encoding="latin-1", newline="\n")


def write_description(path: Path, *, kind: str, comment: str, properties: Mapping[str, str]) -> None:
    """Write the `.dsinfo.xml` beside the table: sample comment, columns, instrument settings.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        Kind of the measurement.
    comment : str
        Comment on the sample.
    properties : mapping of str to str
        Settings of the instrument.
    """
    parts = [
        "<DS_info_out>",
        "  <version>1.3</version>",
        f"  <tag>{escape(path.name.partition('.')[0])}</tag>",
    ]
    parts += [f"  <type>{kind}</type>", "  <binary>false</binary>"]
    parts += [f"  <comment>Sample Description: {escape(comment)}\n\nComment: </comment>"]
    for label, unit, data_type, form, tolerance in COLUMNS:
        fields = {
            "label": label,
            "data_type": data_type,
            "format": form,
            "tolerance": tolerance,
            "unit": unit,
        }
        parts += ["  <col_props>", *(f"    <{tag}>{text}</{tag}>" for tag, text in fields.items())]
        parts += ["    <min>0</min>", "    <max>0</max>", "    <col_width>50</col_width>"]
        parts += ["    <description/>", "  </col_props>"]
    parts += ["  <GroupSort_cluster/>", *(f"  <keys>{escape(key)}</keys>" for key in properties)]
    parts += [*(f"  <values>{escape(value)}</values>" for value in properties.values()), "</DS_info_out>"]
    path.write_text("\n".join(parts), encoding="latin-1", newline="\n", errors="xmlcharrefreplace")


def write_map(path: Path, values: np.ndarray) -> None:
    """Write one map as PNG: 8-bit picture of the rounded values and the float32 values themselves.

    Parameters
    ----------
    values : ndarray, dims (y, x), deg
        NaN = no fit, shown as 0 in the picture.
    """
    n_rows, n_columns = values.shape
    floats = np.ascontiguousarray(values, dtype=">f4").tobytes()
    descriptor = struct.pack(">H", len(_DESCRIPTOR) + 2) + _DESCRIPTOR
    header = struct.pack(">III", len(floats) + 8, n_rows, n_columns)
    picture = np.zeros((n_rows, n_columns + 1), np.uint8)  # the leading column is PNG's filter type, 0 = none
    picture[:, 1:] = np.clip(np.rint(np.nan_to_num(values, nan=0.0)), 0, 255)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", n_columns, n_rows, 8, 0, 0, 0, 0)),
        (b"bKGD", b"\0\0"),
        (b"tEXt", b"NI Image Type\0" + b"0"),
        (b"tEXt", KEYWORD + b"\0" + descriptor + header + floats),
        (b"IDAT", zlib.compress(picture.tobytes(), 6)),
        (b"IEND", b""),
    )
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data)
            file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
