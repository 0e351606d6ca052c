"""Metadata that an electron microscope wrote beside its picture: pixel size, data bar and settings.

FEI and Thermo Fisher write it into tag 34680 or 34682 of a TIFF, Zeiss and LEO into tag 34118 (both parsed by
tifffile), JEOL (`$CM_...`) and Hitachi (`[SemImageFile]`) into a text of the picture's name beside it.
Nothing here ever makes a picture fail: what is damaged or contradicts the picture is told in a note.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Final

from engine.readers.guard import inside
from engine.readers.stack import UNITS, Coordinate, axis
from engine.schema import PIXEL, X, Y

FEI_TAGS: Final = (34680, 34682)
ZEISS_TAG: Final = 34118
RESOLUTION_UNITS: Final[Mapping[int, float]] = {2: 2.54e7, 3: 1e7}
"""Nanometres of what TIFF counts pixels by: inch and centimetre."""

FINEST_PRINT: Final = 1e3
"""Pixels in nm, from which a TIFF's resolution is that of a screen, printer or scanner and says nothing."""
SIZES: Final = (1e-3, 1e6)
"""Pixels in nm that an electron microscope can have."""
MOST_TEXT: Final = 2**20
"""Bytes of a text beside a picture that are read."""

_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s]*)")
_KILOVOLT: Final[Mapping[str, float]] = {"v": 1e-3, "volt": 1e-3, "kv": 1.0}


@dataclass(frozen=True)
class Acquisition:
    """Acquisition of a picture; NaN and "" where nothing says so."""

    pixel_size: tuple[float, float] = (float("nan"),) * 2
    """Edges of a pixel along y and x in nm."""
    magnification: float = float("nan")
    voltage: float = float("nan")
    """Accelerating voltage in kV."""
    working_distance: float = float("nan")
    """In mm."""
    detector: str = ""
    instrument: str = ""
    width: int = 0
    """Pixels along x of the picture that the pixel size is meant for, 0 where nothing says so."""
    notes: tuple[str, ...] = ()

    def attrs(self) -> dict[str, float | str]:
        """Return all that is known but the pixel size, as attrs of images."""
        names = ("magnification", "voltage", "working_distance", "detector", "instrument")
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value and value == value}

    def coords(self, height: int, width: int) -> dict[str, Coordinate]:
        """Return the coordinates of y and x in nm, none where the pixel size is not known.

        Parameters
        ----------
        height : int
            Rows of the image.
        width : int
            Columns of the image.
        """
        sizes = {Y: height, X: width}
        made = {
            dim: axis(sizes[dim], scale=scale, offset=0.0, units="nm")
            for dim, scale in zip(PIXEL, self.pixel_size, strict=True)
        }
        return {dim: found for dim, found in made.items() if found is not None}


def read_metadata(path: Path, tiff: Any = None, *, width: int = 0) -> Acquisition:
    """Return what is known of how a picture was taken.

    Parameters
    ----------
    path
        The picture.
    tiff
        Its open `tifffile.TiffFile`, if it is one.
    width
        Pixels along x, 0 where not known; those of a TIFF are.
    """
    sources: list[tuple[str, Callable[[], Acquisition | None]]] = [("text", lambda: _read_text_beside(path))]
    if tiff is not None:
        sources = [("tag", lambda: _read_tags(tiff)), *sources]
        width = int(tiff.pages[0].imagewidth)
    notes: list[str] = []
    for name, source in sources:
        try:
            found = source()
        except Exception as error:  # noqa: BLE001 - whatever is wrong there, the picture can be seen
            notes.append(f"The microscope's {name} cannot be read ({type(error).__name__}): damaged.")
            continue
        if found is not None:
            return _check_acquisition(found, width, name)
    printed = Acquisition.pixel_size if tiff is None else _read_data_bar(tiff)
    return Acquisition(pixel_size=printed, notes=tuple(notes))


def _check_acquisition(found: Acquisition, width: int, source: str) -> Acquisition:
    """Return an acquisition without a pixel size that is impossible or of a picture of another width."""
    least, most = SIZES
    if not all(isfinite(size) for size in found.pixel_size):
        note = f"The microscope's {source} tells no pixel size; it may be damaged."
    elif not all(least <= size <= most for size in found.pixel_size):
        note = f"The microscope's pixel size of {found.pixel_size[1]:g} nm cannot be and was left out."
    elif width and found.width and width != found.width:
        note = (
            f"The microscope's pixel size was left out: it is that of a picture {found.width} pixels wide,"
            f" and this one has {width}."
        )
    else:
        return found
    return replace(found, pixel_size=Acquisition.pixel_size, notes=(note,))


def _read_tags(tiff: Any) -> Acquisition | None:
    """Return what the tags of a TIFF's first page say, None if no microscope wrote them."""
    tags = tiff.pages[0].tags
    for code in FEI_TAGS:
        if code in tags:
            return _fei(_mapping(tags[code].value))
    if ZEISS_TAG in tags:
        return _zeiss(_mapping(tags[ZEISS_TAG].value))
    return _read_description(str(tiff.pages[0].description))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise TypeError(f"{type(value).__name__} where names and values were expected")
    return value


def _fei(sections: Mapping[str, Any]) -> Acquisition:
    def entry(section: str, *names: str) -> Any:
        held = sections.get(section)
        found = [held[name] for name in names if name in held] if isinstance(held, Mapping) else []
        return next((value for value in found if value != ""), None)

    beam, scan = str(entry("Beam", "Beam") or "EBeam"), str(entry("Beam", "Scan") or "EScan")
    edges = [_float(entry("Scan", name) or entry(scan, name)) * 1e9 for name in ("PixelHeight", "PixelWidth")]
    field = _float(entry("Scan", "HorFieldsize") or entry(beam, "HFW") or entry(scan, "HorFieldsize"))
    display = _float(entry("Image", "MagCanvasRealWidth") or entry("System", "DisplayWidth"))
    return Acquisition(
        pixel_size=(edges[0], edges[1]),
        magnification=_round_size(display / field) if field > 0 else float("nan"),
        voltage=_float(entry("Beam", "HV") or entry(beam, "HV")) / 1e3,
        working_distance=_float(entry(beam, "WD") or entry("Stage", "WorkingDistance")) * 1e3,
        detector=_text(entry("Detectors", "Name")),
        instrument=_text(entry("System", "SystemType", "Type")),
        width=_int(entry("Image", "ResolutionX")),
    )


def _zeiss(entries: Mapping[str, Any]) -> Acquisition:
    def said(name: str) -> str:
        _, *value = entries.get(name) or ("", "")
        return " ".join(map(str, value))

    numbers = [*map(_float, entries.get("") or ()), *[float("nan")] * 10][:10]
    named = _length(said("ap_image_pixel_size"), "nm") or _length(said("ap_pixel_size"), "nm")
    exact = numbers[3] * 1e9
    size = exact if not named or abs(exact - named) < 0.01 * named else named
    kilo = 1e3 if "k x" in said("ap_mag").lower() else 1.0
    return Acquisition(
        pixel_size=(size, size),
        magnification=_float(said("ap_mag")) * kilo if said("ap_mag") else numbers[4],
        voltage=_kilovolts(said("ap_actualkv")) if said("ap_actualkv") else numbers[6] / 1e3,
        working_distance=(_length(said("ap_wd"), "mm") or numbers[9] * 1e3),
        detector=said("dp_detector_channel") or said("dp_detector_type"),
        instrument=" ".join(filter(None, ("Zeiss", said("dp_sem")))),
        width=_int(said("dp_image_store")),
    )


def _read_text_beside(path: Path) -> Acquisition | None:
    """Return what a text of the picture's name says, None if no microscope wrote one."""
    text = find_text_beside(path)
    if text is None:
        return None
    with text.open("rb") as file:
        stored = file.read(MOST_TEXT)
    is_marked = stored[:2] in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if is_marked else "utf-16-le" if stored[1:2] == b"\0" else "utf-8"
    return _read_description(stored.decode(encoding, errors="replace"))


def find_text_beside(path: Path) -> Path | None:
    """Return the text of a picture's name beside it, if there is one: `a.txt` or `a.tif.txt` of `a.tif`."""
    names = (path.with_suffix(".txt"), path.with_suffix(".TXT"), path.with_name(f"{path.name}.txt"))
    found = (name for name in names if name != path and name.is_file() and inside(name, path.parent))
    return next(found, None)


def _read_description(text: str) -> Acquisition | None:
    if "[SemImageFile]" in text:
        pairs = (line.partition("=") for line in text.splitlines())
        return _hitachi({name.strip(): value.strip() for name, _, value in pairs})
    if "$CM_" in text:
        lines = (line.strip().lstrip("$").partition(" ") for line in text.splitlines() if "$" in line)
        return _jeol({name: value.strip() for name, _, value in lines})
    return None


def _hitachi(entries: Mapping[str, str]) -> Acquisition:
    size = _length(entries.get("PixelSize", ""), "nm", bare="nm") or float("nan")
    return Acquisition(
        pixel_size=(size, size),
        magnification=_float(entries.get("Magnification")),
        voltage=_kilovolts(entries.get("AcceleratingVoltage", ""), bare="v"),
        working_distance=_length(entries.get("WorkingDistance", ""), "mm", bare="um") or float("nan"),
        detector=entries.get("SignalName", ""),
        instrument=" ".join(filter(None, ("Hitachi", entries.get("InstructName", "")))),
        width=_int(entries.get("DataSize")),
    )


def _jeol(entries: Mapping[str, str]) -> Acquisition:
    bar = _float(entries.get("SM_MICRON_BAR"))
    marker = _length(entries.get("SM_MICRON_MARKER", ""), "nm") or float("nan")
    size = marker / bar if bar > 0 else float("nan")
    return Acquisition(
        pixel_size=(size, size),
        magnification=_float(entries.get("CM_MAG")),
        voltage=_kilovolts(entries.get("CM_ACCEL_VOLT", ""), bare="kv"),
        working_distance=_length(entries.get("SM_WD", ""), "mm", bare="mm") or float("nan"),
        detector=entries.get("CM_SIGNAL_NAME", "") or entries.get("CM_SIGNAL", ""),
        instrument=" ".join(filter(None, ("JEOL", entries.get("CM_INSTRUMENT", "")))),
        width=_int(entries.get("CM_FULL_SIZE") or entries.get("CM_IMAGE_RES")),
    )


def _read_data_bar(tiff: Any) -> tuple[float, float]:
    """Return the pixel size from the resolution of a TIFF, if it is finer than anything can print or scan."""
    tags = tiff.pages[0].tags
    try:
        unit = RESOLUTION_UNITS[int(tags["ResolutionUnit"].value)]
        edges = [unit * tags[name].value[1] / tags[name].value[0] for name in ("YResolution", "XResolution")]
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return Acquisition.pixel_size
    is_fine = all(SIZES[0] <= edge < FINEST_PRINT for edge in edges)
    return (edges[0], edges[1]) if is_fine else Acquisition.pixel_size


def _float(value: Any) -> float:
    """Return a number, or that which a text begins with; NaN otherwise."""
    match = _NUMBER.match(str(value))
    return float(match[1]) if match else float("nan")


def _int(value: Any) -> int:
    number = _float(value)
    return int(number) if isfinite(number) else 0


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _round_size(value: float) -> float:
    """Return a number without the digits that division left: to four."""
    return float(f"{value:.4g}")


def _length(text: str, unit: str, *, bare: str = "") -> float | None:
    """Return a length in `unit`, `nm` or `mm`, from a text such as `5um`.

    A bare number is in the unit `bare`.
    """
    match = _NUMBER.match(text)
    spelled = match[2].lower().replace("μ", "µ") or bare if match else ""
    if match is None or spelled not in UNITS or UNITS[spelled][0] not in ("nm", "µm"):
        return None
    ours, factor = UNITS[spelled]
    nanometres = float(match[1]) * factor * {"nm": 1.0, "µm": 1e3}[ours]
    return nanometres / {"nm": 1.0, "mm": 1e6}[unit]


def _kilovolts(text: str, *, bare: str = "") -> float:
    match = _NUMBER.match(text)
    spelled = match[2].lower() or bare if match else ""
    return float(match[1]) * _KILOVOLT[spelled] if match and spelled in _KILOVOLT else float("nan")
