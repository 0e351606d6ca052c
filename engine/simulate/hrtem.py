"""Simulated HR-TEM micrographs of nanoparticles on carbon, some with a planted defect, and the truth."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import param
from numpy.typing import NDArray
from scipy import ndimage

from engine import progress
from engine.analysis import Settings
from engine.simulate import crystals, hrtem_imaging
from engine.simulate.crystals import DISLOCATION, FAULT, NONE, STRUCTURES, TWIN, Atoms
from engine.simulate.folders import filling

CLASSES: Final = ("yes", "no", "null")
"""A lattice with a defect, one without, and a lattice that is not resolved."""
COLUMNS: Final = (
    "file",
    "object",
    "class",
    "y",
    "x",
    "radius",
    "area",
    "structure",
    "zone",
    "defect",
    "spacing",
    "angle",
    "spacings",
    "angles",
    "pixel_size",
)
"""Columns of `truth.csv`; places, radius and area in pixels, spacings and pixel size in nm, angles in
degrees."""

_RESOLVED: Final = 0.17
"""Fringes of planes closer than this (nm) are not counted as resolved."""
_EDGE: Final = 0.18
"""How far from an atom's centre a particle reaches, in nm."""
_BRIDGED: Final = 0.25
"""Half the gap between atoms over which the outline goes straight, in nm."""
_MARGIN: Final = 64
"""Pixels that are imaged beyond each edge, whose far side would show there otherwise."""
_TRIES: Final = 40


@dataclass(frozen=True)
class Micrograph:
    """A simulated micrograph and its truth."""

    image: NDArray[np.uint16]
    objects: NDArray[np.uint16]
    """Number of each pixel's particle, 0 = none."""
    rows: list[dict[str, Any]]
    """Of the table, one a particle."""
    microscope: hrtem_imaging.Microscope

    @property
    def classes(self) -> list[str]:
        """Of the particles, in the order of their numbers."""
        return [row["class"] for row in self.rows]


class Hrtem(Settings):
    """Simulated HR-TEM micrographs of CdSe and gold nanoparticles with planted defects."""

    size = param.Integer(1024, bounds=(64, 8192), doc="Rows and columns of a micrograph in pixels.")
    n_frames = param.Integer(4, bounds=(1, 10_000), doc="Number of micrographs.")
    pixel_size = param.Number(
        0.0, bounds=(0.0, 1.0), doc="In nm; 0: drawn for each micrograph, from 0.02 to 0.06."
    )
    n_particles = param.Integer(
        0, bounds=(0, 1000), doc="Particles that are tried a micrograph; 0: as many as fit loosely."
    )
    defects = param.Number(0.4, bounds=(0, 1), doc="Share of the resolved particles that have a defect.")
    unresolved = param.Number(0.25, bounds=(0, 1), doc="Share of the particles whose lattice is blurred.")
    empty = param.Number(0.1, bounds=(0, 1), doc="Share of the micrographs without particles.")
    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="Seed of every random choice.")

    def frame(self, number: int) -> Micrograph:
        """Make one micrograph in memory; it does not depend on how many others are made."""
        rng = np.random.default_rng((self.seed, number))
        pixel = self.pixel_size or float(np.exp(rng.uniform(np.log(0.02), np.log(0.06))))
        name = str(rng.choice(list(STRUCTURES)))
        widest = crystals.view(name, 0).reflections[0].spacing
        microscope = hrtem_imaging.draw_microscope(rng, pixel_size=pixel, spacing=widest)
        shape = (self.size + 2 * _MARGIN,) * 2
        sharp = hrtem_imaging.support(shape, thickness=rng.uniform(2, 16), pixel_size=pixel, rng=rng)
        blurred, blur = np.zeros(shape, np.float32), rng.uniform(0.2, 0.4)
        seen = (slice(_MARGIN, -_MARGIN),) * 2
        objects = np.zeros((self.size, self.size), np.uint16)
        rows: list[dict[str, Any]] = []
        if rng.random() >= self.empty:
            mean = float(rng.uniform(1.6, 4.2))
            for y, x, radius in self._places(rng, pixel, mean):
                kind = self._kind(rng)
                atoms, facts = _particle(name, radius, kind, rng)
                y, x = y + _MARGIN, x + _MARGIN
                _put(atoms, blurred if facts["moves"] else sharp, y=y, x=x, pixel=pixel)
                inside = _inside(atoms, shape, y=y, x=x, pixel=pixel)[seen]
                if inside.any():
                    rows.append({**facts, "class": kind, "pixel_size": round(pixel, 6)})
                    objects[inside] = len(rows)
        image = hrtem_imaging.form_image(sharp, blurred, blur, microscope, rng)[seen]
        return Micrograph(image, *_count_electrons(objects, rows), microscope)

    def write(self, folder: str | Path) -> Path:
        """Write `frame_000.tif`, its label file `frame_000.txt`, `frame_000_mask.png` ..., and `truth.csv`.

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        import tifffile
        from PIL import Image

        rows: list[dict[str, Any]] = []
        with filling(folder, what="micrographs") as target:
            for number in range(self.n_frames):
                made, name = self.frame(number), f"frame_{number:03d}"
                step, unit = 1 / made.microscope.pixel_size, {"unit": "nm"}
                image = target / f"{name}.tif"
                tifffile.imwrite(image, made.image, imagej=True, resolution=(step, step), metadata=unit)
                Image.fromarray(made.objects).save(target / f"{name}_mask.png")
                (target / f"{name}.txt").write_text(_label_text(name, made, self.size), encoding="utf-8")
                rows += [{"file": image.name, **row} for row in made.rows]
                progress.report((number + 1) / self.n_frames, "writing simulated micrographs")
            with (target / "truth.csv").open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                table.writeheader()
                table.writerows(rows)
        return target

    def _places(
        self, rng: np.random.Generator, pixel: float, mean: float
    ) -> list[tuple[float, float, float]]:
        """Return the centres in pixels and radii in nm of particles that overlap little."""
        field = (self.size * pixel) ** 2
        n_tries = self.n_particles or max(1, rng.poisson(0.28 * field / (np.pi * mean**2)))
        found: list[tuple[float, float, float]] = []
        for _ in range(n_tries):
            radius = float(np.clip(rng.normal(mean, 0.18 * mean), 0.8, 6.0))
            for _ in range(_TRIES):
                y, x = rng.uniform(0, self.size, 2)
                near = 1.02 if rng.random() < 0.85 else 0.9
                apart = [
                    pixel * np.hypot(y - other[0], x - other[1]) > near * (radius + other[2])
                    for other in found
                ]
                if all(apart):
                    found.append((float(y), float(x), radius))
                    break
        return found

    def _kind(self, rng: np.random.Generator) -> str:
        if rng.random() < self.unresolved:
            return "null"
        return "yes" if rng.random() < self.defects else "no"


def _particle(name: str, radius: float, kind: str, rng: np.random.Generator) -> tuple[Atoms, dict[str, Any]]:
    """Atoms of a particle of a class, and what is known of it."""
    structure = STRUCTURES[name]
    defect = NONE
    if kind == "yes":
        defect = str(rng.choice([TWIN, FAULT, DISLOCATION] if structure.twins else [FAULT, DISLOCATION]))
    faulted = defect in (TWIN, FAULT)
    zone = 0 if faulted or rng.random() < 0.6 else int(rng.choice(_zones_in_reach(name)))
    tilt, moves = rng.normal(0, np.deg2rad(0.6), 2), False
    if kind == "null":
        tilt, moves = rng.normal(0, np.deg2rad(8), 2), True
    turn = float(rng.uniform(0, 2 * np.pi))
    atoms = crystals.crystal(name, radius=radius, zone=zone, turn=turn, tilt=tilt, defect=defect, rng=rng)
    shown = [] if kind == "null" else [one for one in atoms.reflections if one.spacing > _RESOLVED]
    facts = {
        "structure": name,
        "zone": "".join(map(str, structure.zones[zone])),
        "defect": defect,
        "moves": moves,
        "spacing": round(shown[0].spacing, 5) if shown else "",
        "angle": round(float(np.rad2deg(shown[0].angle)), 3) if shown else "",
        "spacings": " ".join(f"{one.spacing:.5f}" for one in shown),
        "angles": " ".join(f"{np.rad2deg(one.angle):.3f}" for one in shown),
    }
    return atoms, facts


def _zones_in_reach(name: str) -> list[int]:
    """Zones along which a structure has fringes that are resolved."""
    views = [crystals.view(name, zone) for zone in range(len(STRUCTURES[name].zones))]
    return [zone for zone, seen in enumerate(views) if seen.reflections[0].spacing > _RESOLVED]


def _put(atoms: Atoms, plane: NDArray[np.float32], *, y: float, x: float, pixel: float) -> None:
    hrtem_imaging.splat(plane, atoms.y / pixel + y, atoms.x / pixel + x, atoms.weight)


def _inside(atoms: Atoms, shape: tuple[int, int], *, y: float, x: float, pixel: float) -> NDArray[np.bool_]:
    """Return the pixels of a particle: those within an atom's reach of an atom."""
    inside = np.zeros(shape, bool)
    rows, columns = np.round(atoms.y / pixel + y).astype(int), np.round(atoms.x / pixel + x).astype(int)
    there = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    if not there.any():
        return inside
    inside[rows[there], columns[there]] = True
    reach = int((_EDGE + _BRIDGED) / pixel) + 2
    top, bottom = max(0, rows[there].min() - reach), rows[there].max() + reach + 1
    left, right = max(0, columns[there].min() - reach), columns[there].max() + reach + 1
    box = (slice(top, bottom), slice(left, right))
    wide = ndimage.binary_fill_holes(
        ndimage.distance_transform_edt(~inside[box]) <= (_EDGE + _BRIDGED) / pixel
    )
    inside[box] = ndimage.distance_transform_edt(wide) > _BRIDGED / pixel
    return inside


def _count_electrons(
    objects: NDArray[np.uint16], rows: list[dict[str, Any]]
) -> tuple[NDArray[np.uint16], list[dict[str, Any]]]:
    """Return the particles of which something is seen, counted anew, with their places."""
    areas = np.bincount(objects.ravel(), minlength=len(rows) + 1)[1:]
    seen = np.flatnonzero(areas)
    numbers = np.zeros(len(rows) + 1, np.uint16)
    numbers[seen + 1] = np.arange(1, seen.size + 1)
    objects = numbers[objects]
    centres = ndimage.center_of_mass(objects > 0, objects, np.arange(1, seen.size + 1)) if seen.size else []
    counted = []
    for n, ((y, x), old) in enumerate(zip(centres, seen, strict=True), start=1):
        place = {"object": n, "y": round(float(y), 2), "x": round(float(x), 2), "area": int(areas[old])}
        counted.append({**rows[old], **place, "radius": round(float(np.sqrt(areas[old] / np.pi)), 2)})
    return objects, counted


def _label_text(name: str, made: Micrograph, size: int) -> str:
    """Return the label file of the prior system: centres as (x, y), radii, classes, size."""
    lines = [f"{name} particle centers:"]
    lines += [f"({round(row['x'])}, {round(row['y'])})" for row in made.rows]
    lines += ["Radius Size:", *(str(round(row["radius"])) for row in made.rows)]
    lines += ["Defect Label:", *made.classes, "Image Size:", str(size), ""]
    return "\n".join(lines)
