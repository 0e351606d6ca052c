"""CCD frames with glow, hot pixels and particle tracks; the truth is what was deposited in each pixel."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import param
from numpy.typing import NDArray

from engine import progress
from engine.analysis import Settings
from engine.simulate import ccd, frame_files, ionisation
from engine.simulate.folders import filling
from engine.simulate.frame_files import Frame

EASY: Final = "easy"
HARD: Final = "hard"
CLASSES: Final = ("background", "glowing", "hot_pixel", "cluster")
"""Names of the truth's values 0, 1, 2, 3."""
OVERSCAN: Final = 32
"""Columns that an amplifier reads beyond its part of the frame: pedestal and noise alone."""

_DRIFT: Final = 1
"""Sets the random numbers of drifts apart from all others of a frame."""
_GLOWING: Final = 0.6
"""Share of the frames that glow."""
_PER_MPX: Final = {"point": 60, "worm": 40, "line": 12, "blob": 2}
"""Mean number of tracks of each kind in a million pixels."""


class Mosaic(Settings):
    """Simulated CCD frames, one or several amplifiers each, with the true class and track of every pixel."""

    size = param.Integer(1024, bounds=(32, 16384), doc="Rows and columns of a frame in pixels.")
    n_frames = param.Integer(4, bounds=(1, 10_000), doc="Number of frames.")
    difficulty = param.Selector(
        default=EASY,
        objects=[EASY, HARD],
        doc="easy: glow and hot pixels far above the noise. hard: they are near it, and tracks have 0.3 of"
        " their charge.",
    )
    n_amplifiers = param.Selector(
        default=1, objects=[1, 2, 4], doc="Amplifiers that read a frame; more than 1: an extension each."
    )
    drift = param.Number(
        0.0, bounds=(0, 10_000), doc="Most that an amplifier's pedestal drifts from row to row, in adu."
    )
    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    def frame(self, number: int) -> Frame:
        """Make one frame in memory; it does not depend on how many others are made."""
        rng = np.random.default_rng((self.seed, number))
        hard = self.difficulty == HARD
        noise = ccd.READOUT_NOISE
        level = noise * rng.uniform(5, 9) if hard else 2200 / ccd.GAIN
        peak = noise * rng.uniform(3, 6) if hard else rng.uniform(1400, 1500) / ccd.GAIN
        shape = (self.size, self.size)
        glow = ccd.glow(self.size, peak, rng) if rng.random() < _GLOWING else np.zeros(shape, np.float32)
        hot = ccd.hot(self.size, level, rng)
        charge, most, instance, table = self._tracks(rng, scale=0.3 if hard else 1.0)
        labels = _truth(glow, hot, charge)
        instance[labels != CLASSES.index("cluster")] = 0
        table["n_pixels"] = np.bincount(instance.ravel(), minlength=len(most) + 1)[1:]
        warm = rng.poisson(ccd.DARK + glow).astype(np.float32)
        electrons = ccd.bleed_charge(ccd.transfer_charge(warm + hot + charge, rng))
        image, parts, amplifiers = self._read(electrons, rng, number)
        return Frame(image, labels, instance, table, parts, amplifiers)

    def _read(
        self, electrons: ccd.Plane, rng: np.random.Generator, number: int
    ) -> tuple[NDArray[np.uint16], list[NDArray[np.uint16]], list[ccd.ReadoutAmplifier]]:
        """Return the frame without overscan, what each amplifier read, and the amplifiers.

        Drifts are drawn apart, so that a frame without them and one with them are otherwise the same.
        """
        amplifiers = ccd.amplifiers(self.size, int(self.n_amplifiers), rng)
        apart = np.random.default_rng((self.seed, number, _DRIFT))
        image = np.empty(electrons.shape, np.uint16)
        parts = []
        for amplifier in amplifiers:
            here = (amplifier.rows, amplifier.columns)
            n_rows = amplifier.rows.stop - amplifier.rows.start
            drift = ccd.drift(n_rows, self.drift, apart) if self.drift else None
            beyond = np.zeros((n_rows, OVERSCAN), np.float32)
            read = ccd.read_out(np.hstack([electrons[here], beyond]), amplifier, rng, drift=drift)
            image[here] = read[:, :-OVERSCAN]
            parts.append(read)
        return image, parts, amplifiers

    def write(self, folder: str | Path) -> Path:
        """Write `frame_000.fits` ... and `frame_000_truth.fits` ...

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        with filling(folder, what="frames") as target:
            for number in range(self.n_frames):
                frame, name = self.frame(number), f"frame_{number:03d}"
                frame_files.write_frame(target / f"{name}.fits", frame, header=self._header(number))
                frame_files.write_truth(target / f"{name}_truth.fits", frame, names=CLASSES)
                progress.report((number + 1) / self.n_frames, "writing simulated frames")
        return target

    def _header(self, number: int) -> dict[str, Any]:
        return {
            "OBJECT": "simulated",
            "BUNIT": "adu",
            "GAIN": (round(1 / ccd.GAIN, 4), "electrons per adu"),
            "RDNOISE": (round(float(ccd.READOUT_NOISE), 3), "electrons"),
            "SATURATE": ccd.MOST_ADU,
            **({"DRIFT": (self.drift, "adu")} if self.drift else {}),
            "DIFFICUL": self.difficulty,
            "SEED": self.seed,
            "FRAME": number,
        }

    def _tracks(
        self, rng: np.random.Generator, *, scale: float
    ) -> tuple[NDArray[np.float32], list[int], NDArray[np.int32], dict[str, NDArray[Any]]]:
        """Charge of all tracks, their numbers, which one left most in each pixel, and the table."""
        charge, most = np.zeros((2, self.size, self.size), np.float32)
        instance = np.zeros((self.size, self.size), np.int32)
        rows: list[tuple[int, str, float, float, float, float]] = []
        for kind, density in _PER_MPX.items():
            for _ in range(max(1, rng.poisson(density * self.size**2 / 1e6))):
                path = ionisation.KINDS[kind](rng)
                y, x = rng.uniform(-0.5, self.size - 0.5, 2)
                whole = ionisation.stamp(path, y=y, x=x, scale=scale, rng=rng)
                there, seen = _within(whole, self.size)
                left = whole.charge[seen]
                if not left.size or left.max() < ccd.READOUT_NOISE:
                    continue
                number = len(rows) + 1
                charge[there] += left
                instance[there] = np.where(left > most[there], number, instance[there])
                most[there] = np.maximum(most[there], left)
                centre = _centroid(left, there)
                total = float(whole.charge.sum())
                rows.append((number, kind, total * ionisation.EV_PER_ELECTRON, total, *centre))
        kinds = [
            ("track", "i4"),
            ("kind", "U8"),
            ("energy", "f8"),
            ("charge", "f8"),
            ("y", "f8"),
            ("x", "f8"),
        ]
        table = np.array(rows, dtype=kinds)
        return charge, table["track"].tolist(), instance, {name: table[name] for name, _ in kinds}


def _truth(
    glow: NDArray[np.float32], hot: NDArray[np.float32], charge: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return the class by what was deposited: at least the readout noise.

    Of hot pixels and tracks, the larger.
    """
    noise = ccd.READOUT_NOISE
    labels = np.where(glow >= noise, np.uint8(1), np.uint8(0))
    labels[(hot >= noise) & (hot >= charge)] = 2
    labels[(charge >= noise) & (charge > hot)] = 3
    return labels


def _within(whole: ionisation.Stamp, size: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the part of a frame that a stamp covers, and the part of the stamp that is inside the frame."""
    there, seen = [], []
    for start, n in zip((whole.row, whole.column), whole.charge.shape, strict=True):
        first, last = min(max(start, 0), size), min(max(start + n, 0), size)
        there.append(slice(first, last))
        seen.append(slice(first - start, last - start))
    return (there[0], there[1]), (seen[0], seen[1])


def _centroid(left: NDArray[np.float32], there: tuple[slice, slice]) -> tuple[float, float]:
    """Return the mean position of the electrons, y and x."""
    rows, columns = np.indices(left.shape)
    total = float(left.sum(dtype=np.float64))
    y = float((rows * left).sum(dtype=np.float64)) / total + there[0].start
    return y, float((columns * left).sum(dtype=np.float64)) / total + there[1].start
