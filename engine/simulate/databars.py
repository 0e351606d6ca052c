"""The strip with magnification, voltage, detector and scale that microscopes write below an image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.simulate.relief import Random

DISPLAY_MM: Final = 127.0
"""Width of the picture that a magnification refers to: a Polaroid's."""


@dataclass(frozen=True)
class Facts:
    """Text of a data bar."""

    pixel_size: float
    """In nm."""
    magnification: float
    voltage: float
    """In kV."""
    detector: str
    distance: float
    """From the lens to the sample, in mm."""


def magnification(pixel_size: float, n_columns: int) -> float:
    """Of an image whose pixels have a size in nm, shown `DISPLAY_MM` wide.

    Parameters
    ----------
    pixel_size : float
        Edge of a pixel in nm.
    n_columns : int
        Number of columns.

    Examples
    --------
    >>> magnification(127, 1000)
    1000.0
    """
    return DISPLAY_MM * 1e6 / (pixel_size * n_columns)


def bar(facts: Facts, style: str, *, n_columns: int) -> NDArray[np.uint8]:
    """Return the strip, (y, x), in one of the `STYLES`.

    Parameters
    ----------
    facts
        Text of the data bar.
    style : str
        Style of the data bar.
    n_columns : int
        Number of columns.
    """
    from PIL import Image, ImageDraw, ImageFont

    unit = max(1.0, n_columns / 256)
    ground, ink = (255, 0) if style == "zeiss" else (0, 255)
    picture = Image.new("L", (n_columns, round(26 * unit)), ground)
    pen = _Pen(ImageDraw.Draw(picture), ImageFont.load_default(8 * unit), ink, unit)
    STYLES[style](pen, facts)
    return np.asarray(picture)


def draw_style(rng: Random) -> str:
    """Return a maker's style by chance."""
    return str(rng.choice(list(STYLES)))


@dataclass(frozen=True)
class _Pen:
    """Draws at positions in units of 1/256 of the width."""

    draw: Any
    font: Any
    ink: int
    unit: float

    def text(self, x: float, y: float, words: str, *, anchor: str = "la") -> None:
        self.draw.text((x * self.unit, y * self.unit), words, font=self.font, fill=self.ink, anchor=anchor)

    def line(self, *points: float) -> None:
        self.draw.line([p * self.unit for p in points], fill=self.ink, width=max(1, round(self.unit)))

    def scale(self, pixel_size: float, *, room: float) -> tuple[float, str]:
        """Return the width of a round length that fits into a room, and its text (the font has no µ)."""
        step = pixel_size * self.unit
        most = room * step
        length = max(d * 10.0**e for e in range(-1, 8) for d in (1, 2, 5) if d * 10.0**e <= most)
        in_units = [(1e6, "mm"), (1e3, "um"), (0, "nm")]
        factor, unit = next((f or 1, name) for f, name in in_units if length >= f)
        return length / step, f"{length / factor:g} {unit}"


def _zeiss(pen: _Pen, facts: Facts) -> None:
    width, words = pen.scale(facts.pixel_size, room=48)
    pen.text(4, 2, words)
    pen.line(4, 19, 4 + width, 19)
    for end in (4, 4 + width):
        pen.line(end, 15, end, 23)
    thousands = f"{facts.magnification / 1e3:.2f} K X"
    pen.text(62, 3, f"EHT = {facts.voltage:.2f} kV")
    pen.text(62, 14, f"Mag = {thousands}")
    pen.text(138, 3, f"WD = {facts.distance:.1f} mm")
    pen.text(138, 14, f"Signal A = {facts.detector}")
    pen.draw.rectangle([pen.unit * p for p in (226, 4, 248, 20)], fill=pen.ink)


def _fei(pen: _Pen, facts: Facts) -> None:
    cells = {
        "det": facts.detector,
        "HV": f"{facts.voltage:.1f} kV",
        "mag": f"{facts.magnification:.0f} x",
        "WD": f"{facts.distance:.1f} mm",
    }
    x = 4.0
    for head, words in cells.items():
        pen.text(x, 3, head)
        pen.text(x, 14, words)
        x += max(28, pen.draw.textlength(words, font=pen.font) / pen.unit + 6)
        pen.line(x - 3, 1, x - 3, 25)
    width, words = pen.scale(facts.pixel_size, room=248 - x)
    pen.line(x, 7, x + width, 7)
    for end in (x, x + width):
        pen.line(end, 3, end, 11)
    pen.text(x + width / 2, 14, words, anchor="ma")


def _hitachi(pen: _Pen, facts: Facts) -> None:
    thousands = f"x{facts.magnification / 1e3:.2f}k"
    words = f"{facts.voltage:.1f}kV {facts.distance:.1f}mm {thousands} {facts.detector}"
    pen.text(4, 9, words)
    end = pen.draw.textlength(words, font=pen.font) / pen.unit + 14
    width, length = pen.scale(facts.pixel_size, room=250 - end)
    for n in range(11):
        pen.line(end + n * width / 10, 3, end + n * width / 10, 9)
    pen.text(end + width / 2, 13, length, anchor="ma")


STYLES: Final[Mapping[str, Callable[[_Pen, Facts], None]]] = {
    "zeiss": _zeiss,
    "fei": _fei,
    "hitachi": _hitachi,
}
