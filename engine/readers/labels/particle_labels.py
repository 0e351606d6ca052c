"""Text files that list a micrograph's particles: where each is, how large, and whether it has a defect.

One section after the other, each with its heading, one particle a line:

    Particle Location:
    (112, 87)
    Radius Size:
    21
    Defect Label:
    yes
    Image Size:
    (1024, 1024)

Centres are (x, y), the size is (width, height); blank lines and [x, y] are read too, and one number for a
square image. `yes` and `no` say that a particle at atomic resolution has a defect or none, `null` that it is
not at atomic resolution. An empty file is what a micrograph without particles has.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from engine.errors import FileError, InputError
from engine.schema import OBJECT, X, Y

RADIUS: Final = "radius"
DEFECT: Final = "defect"
DEFECTS: Final = ("yes", "no", "null")
SECTIONS: Final = ("Radius Size:", "Defect Label:", "Image Size:")
HEADING: Final = "Particle Location:"
MOST_BYTES: Final = 2**24

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR: Final = re.compile(rf"[(\[]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,?\s*[)\]]")
_SIZE: Final = re.compile(r"(\d{1,9})|[(\[]\s*(\d{1,9})\s*,\s*(\d{1,9})\s*[)\]]")


@dataclass(frozen=True)
class _Line:
    """A line that is not blank, its number in the file and where it is from."""

    text: str
    number: int
    path: Path

    def refused(self, expected: str) -> InputError:
        told = self.text if len(self.text) <= 40 else f"{self.text[:37]}..."
        return InputError(f"{self.path.name}, line {self.number}: {told!r} is there, expected {expected}")


def read_particle_labels(path: str | Path) -> xr.Dataset:
    """Read the particles of a micrograph.

    Returns
    -------
    Dataset, dim `object`
        `y`, `x` and `radius` in px, `defect`: yes, no or null. Attrs: `heading`, the first line;
        `image_size`: rows and columns, where the file says them.

    Raises
    ------
    FileError
        If there is no such file, or it is no text.
    InputError
        If a line is not as it must be; the sentence has its number.
    """
    path = Path(path)
    lines = _lines(path)
    if not lines:
        return _table([], [], [])
    if _PAIR.fullmatch(lines[0].text) or lines[0].text in SECTIONS:
        raise lines[0].refused("a heading before the centres")
    centres, radii, defects, size = _sections(path, lines[1:])
    table = _table([_pair(line) for line in centres], _each(radii, _radius), _each(defects, _defect))
    return table.assign_attrs(heading=lines[0].text, image_size=_size(size))


def class_map(path: str | Path) -> np.ndarray:
    """Return the pixels of a micrograph's particles by label: 1 yes, 2 no, 3 null, 0 = no particle.

    `(y, x)` uint8.

    The outlines are those of the particles in the mask beside (`NAME_mask.png`), each with the label whose
    centre lies in it; without a mask, disks of the labels' radii.

    Raises
    ------
    FileError, InputError
        As `read_particle_labels`; if neither the file nor a mask says how large the micrograph is.
    """
    path = Path(path)
    table = read_particle_labels(path)
    beside = path.with_name(f"{path.stem}_mask.png")
    mask = _mask(beside) if beside.is_file() else None
    shape = table.attrs.get("image_size") if mask is None else mask.shape
    if shape is None:
        raise InputError(f"{path.name} has no 'Image Size:'; add it, or put {beside.name} beside")
    labels = np.zeros(tuple(shape), np.uint8)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for y, x, radius, defect in zip(*(table[name].values for name in (Y, X, RADIUS, DEFECT)), strict=True):
        place = (min(max(round(y), 0), shape[0] - 1), min(max(round(x), 0), shape[1] - 1))
        if mask is not None and mask[place]:
            inside = mask == mask[place]
        else:
            inside = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        labels[inside & (labels == 0)] = 1 + DEFECTS.index(str(defect))
    return labels


def _mask(path: Path) -> np.ndarray:
    """Return the particles of a mask by number: as they are, or connected where the mask has one value."""
    from PIL import Image
    from scipy import ndimage

    with Image.open(path) as picture:
        values = np.asarray(picture)
    if values.ndim != 2:
        raise InputError(
            f"{path.name} is coloured; give a mask with one number a particle, or black and white"
        )
    return values if np.unique(values).size > 2 else ndimage.label(values > 0)[0]


def write_particle_labels(path: str | Path, table: xr.Dataset, *, size: tuple[int, int]) -> None:
    """Write the particles of a micrograph as `read_particle_labels` reads them, every number kept.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    table : Dataset, dim `object`
        `y`, `x`, `radius` and `defect`; attr `heading`, where it has one, is the first line.
    size
        Rows and columns of the image.

    Raises
    ------
    FileError
        If the file cannot be written.
    InputError
        If a column is missing or holds other values than those that can be read again.
    """
    missing = {Y, X, RADIUS, DEFECT} - {str(name) for name in table.variables}
    if missing:
        raise InputError(f"the table has no {', '.join(sorted(missing))}; give y, x, radius and defect")
    columns = {name: np.atleast_1d(table[name].values) for name in (Y, X, RADIUS)}
    defects = [str(value) for value in table[DEFECT].values]
    unknown = sorted(set(defects) - set(DEFECTS))
    if unknown:
        raise InputError(f"a particle's defect is {unknown[0]!r}; expected one of {', '.join(DEFECTS)}")
    if not all(np.isfinite(values).all() for values in columns.values()) or (columns[RADIUS] <= 0).any():
        raise InputError("a particle has no place or no size; leave it out of the table")
    heading = " ".join(str(table.attrs.get("heading", HEADING)).split()) or HEADING
    xs, ys, radii = (list(map(_format_label, columns[name])) for name in (X, Y, RADIUS))
    centres = [f"({x}, {y})" for x, y in zip(xs, ys, strict=True)]
    contents = (centres, radii, defects, [f"({size[1]}, {size[0]})"])
    sections = zip((heading, *SECTIONS), contents, strict=True)
    text = "".join(f"{line}\n" for title, values in sections for line in (title, *values))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(f"{path} cannot be written ({error.strerror}); give another place") from None


def _lines(path: Path) -> list[_Line]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is too large for a list of particles; give a label file")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); check the spelling and rights") from None
    except UnicodeDecodeError:
        raise FileError(f"{path.name} is no text; give a label file") from None
    numbered = enumerate(map(str.strip, text.splitlines()), 1)
    return [_Line(line, number, path) for number, line in numbered if line]


def _sections(path: Path, lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return the lines of the centres, the radii, the defects and the size.

    Raises
    ------
    InputError
        If a heading is missing, or there are not as many radii and defects as centres.
    """
    found: list[list[_Line]] = [[]]
    headings: list[_Line] = []
    for line in lines:
        if line.text in SECTIONS[len(headings) : len(headings) + 1]:
            headings.append(line)
            found.append([])
        elif line.text in SECTIONS:
            raise line.refused([*map(repr, SECTIONS), "the end of the file"][len(headings)])
        else:
            found[-1].append(line)
    if len(headings) < len(SECTIONS):
        raise InputError(f"{path.name} has no section {SECTIONS[len(headings)]!r}; give a whole label file")
    for heading, section in zip(headings[:2], found[1:3], strict=True):
        if len(section) != len(found[0]):
            raise InputError(
                f"{path.name}, line {heading.number}: {heading.text!r} lists {len(section)} particles,"
                f" expected {len(found[0])}, one a centre"
            )
    if len(found[3]) != 1:
        raise headings[2].refused(f"one line after it, not {len(found[3])}")
    return found


def _each(lines: Sequence[_Line], parse: Callable[[_Line], Any]) -> list[Any]:
    return [parse(line) for line in lines]


def _pair(line: _Line) -> tuple[float, float]:
    match = _PAIR.fullmatch(line.text)
    x, y = (float(match[1]), float(match[2])) if match else (np.inf, np.inf)
    if not np.isfinite([x, y]).all():
        raise line.refused("a centre such as (112, 87)")
    return x, y


def _radius(line: _Line) -> float:
    if not re.fullmatch(_NUMBER, line.text) or not 0 < float(line.text) < np.inf:
        raise line.refused("a radius in pixels")
    return float(line.text)


def _defect(line: _Line) -> str:
    if line.text not in DEFECTS:
        raise line.refused(f"one of {', '.join(DEFECTS)}")
    return line.text


def _size(lines: Sequence[_Line]) -> tuple[int, int]:
    """Return rows and columns."""
    (line,) = lines
    match = _SIZE.fullmatch(line.text)
    if match is None:
        raise line.refused("the size of the image, such as (1024, 1024)")
    width, height = (match[1], match[1]) if match[1] else (match[2], match[3])
    return int(height), int(width)


def _table(centres: list[tuple[float, float]], radii: list[float], defects: list[str]) -> xr.Dataset:
    places = np.array(centres, np.float64).reshape(-1, 2)
    pixels = {"units": "px"}
    return xr.Dataset(
        {
            Y: (OBJECT, places[:, 1], pixels),
            X: (OBJECT, places[:, 0], pixels),
            RADIUS: (OBJECT, np.array(radii, np.float64), pixels),
            DEFECT: (OBJECT, np.array(defects, dtype="<U4"), {"units": "1"}),
        }
    )


def _format_label(value: float) -> str:
    """Return a number as short as it can be read again exactly."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
