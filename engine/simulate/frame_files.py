"""Simulated frames with their truth, and the FITS files that a camera would write of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.simulate.ccd import ReadoutAmplifier


@dataclass(frozen=True)
class Frame:
    """A simulated frame and its truth.

    Attributes
    ----------
    image : ndarray, dims (y, x), uint16
        In adu, without overscan.
    labels : ndarray, dims (y, x), uint8
        Index into the names of classes.
    instance : ndarray, dims (y, x), int32
        Number of the track that left most in a pixel of class cluster, 0 elsewhere.
    tracks : dict of ndarray
        One value a track: number, kind, energy in eV, charge in electrons, y and x in px, n_pixels.
    parts : list of ndarray, dims (y, x), uint16
        What each amplifier read, its overscan behind its columns.
    amplifiers : list of Amplifier
    """

    image: NDArray[np.uint16]
    labels: NDArray[np.uint8]
    instance: NDArray[np.int32]
    tracks: dict[str, NDArray[Any]]
    parts: list[NDArray[np.uint16]]
    amplifiers: list[ReadoutAmplifier]


def write_frame(path: Path, frame: Frame, *, header: Mapping[str, Any]) -> None:
    """Write one image, or an extension for each amplifier as it was read: away from it, overscan last.

    Amplifiers at the right and at the top read their part mirrored; DETSEC says so by falling ranges.
    Values of the header may be pairs of a value and a comment.

    Parameters
    ----------
    path : Path
        The file.
    frame : Frame
        The simulated frame.
    header : mapping
        Keywords of the header.
    """
    from astropy.io import fits

    shared = fits.Header()
    for keyword, value in header.items():
        shared[keyword] = value
    if len(frame.parts) == 1:
        fits.PrimaryHDU(frame.image, shared).writeto(path, overwrite=True)
        return
    units = [fits.PrimaryHDU(header=shared)]
    for number, (amplifier, part) in enumerate(zip(frame.amplifiers, frame.parts, strict=True), start=1):
        rows, columns = amplifier.rows, amplifier.columns
        width, height = columns.stop - columns.start, rows.stop - rows.start
        own = fits.Header({"EXTNAME": f"AMP{number}", "BUNIT": "adu"})
        x, flipped_x = _section(columns)
        y, flipped_y = _section(rows)
        stored = part.copy()
        data = part[:, :width][:: -1 if flipped_y else 1, :: -1 if flipped_x else 1]
        stored[:, :width] = data
        own["DETSEC"] = f"[{x},{y}]"
        own["DATASEC"] = f"[1:{width},1:{height}]"
        own["BIASSEC"] = f"[{width + 1}:{part.shape[1]},1:{height}]"
        units.append(fits.ImageHDU(stored, own))
    fits.HDUList(units).writeto(path, overwrite=True)


def _section(part: slice) -> tuple[str, bool]:
    """FITS range of a part, counted from 1, falling where it is the far part of the frame."""
    if part.start > 0:
        return f"{part.stop}:{part.start + 1}", True
    return f"{part.start + 1}:{part.stop}", False


def write_truth(path: Path, frame: Frame, *, names: Sequence[str]) -> None:
    """Write the class of each pixel (values named in the header), its track, and the table of tracks.

    Parameters
    ----------
    path : Path
        The file.
    frame : Frame
        The simulated frame.
    names : sequence of str
        Names of the classes, in the order of their values.
    """
    from astropy.io import fits

    primary = fits.PrimaryHDU(frame.labels)
    for value, name in enumerate(names):
        primary.header[f"CLASS{value}"] = name
    table = frame.tracks
    units = {"energy": "eV", "charge": "electron", "y": "pix", "x": "pix"}
    columns = [
        fits.Column(name.upper(), _format(values), unit=units.get(name), array=values)
        for name, values in table.items()
    ]
    instance = fits.ImageHDU(frame.instance, name="INSTANCE")
    fits.HDUList([primary, instance, fits.BinTableHDU.from_columns(columns, name="TRACKS")]).writeto(
        path, overwrite=True
    )


def _format(values: np.ndarray) -> str:
    """FITS format of a column."""
    return {"U": "8A", "f": "D"}.get(values.dtype.kind, "J")
