"""Nanocrystals seen along a beam: atoms in projection, maybe with a planted defect, and their fringes.

References
----------
Lattice parameters: wurtzite CdSe a = 0.4299 nm, c = 0.7010 nm, u = 0.3767; zinc-blende CdSe a = 0.605 nm;
gold a = 0.4078 nm (CRC Handbook of Chemistry and Physics, 97th edition, sections 4 and 12).
Displacements round an edge dislocation: J. P. Hirth, J. Lothe, Theory of Dislocations (1982), equation 3-45.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

POISSON_RATIO: Final = 0.35
NONE: Final = ""
TWIN: Final = "twin"
FAULT: Final = "stacking fault"
DISLOCATION: Final = "edge dislocation"
WEAKEST: Final = 0.2
"""Structure factor, of the strongest, below which a reflection is not counted."""
INDICES: Final = 4
"""Highest Miller index that is looked at."""


@dataclass(frozen=True, eq=False)
class Structure:
    """A crystal: cell vectors as rows in nm, places in the cell, scattering of each, and the usual views."""

    name: str
    cell: Points
    basis: Points
    weights: tuple[float, ...]
    zones: tuple[tuple[int, int, int], ...]
    """Directions along which it is seen, as sums of cell vectors; the first shows faults edge-on."""
    plane: tuple[int, int, int]
    """Miller indices of the plane of twins and faults, which holds the first zone."""
    fault: float
    """How far the crystal beyond a stacking fault is moved along the fault's trace, in nm, and which way."""
    twins: bool

    @property
    def reciprocal(self) -> Points:
        """Rows: the vectors whose sums are normal to the planes (h, k, l), of length 1 / d."""
        return np.asarray(np.linalg.inv(self.cell).T)


def _cubic(
    name: str, a: float, basis: list[list[float]], weights: tuple[float, ...], *, twins: bool
) -> Structure:
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    places = np.concatenate([faces + np.array(place) for place in basis])
    zones = ((1, -1, 0), (1, 0, 0), (1, 1, 1), (1, 1, -2))
    scattering = tuple(w for w in weights for _ in faces)
    return Structure(name, a * np.eye(3), places, scattering, zones, (1, 1, 1), -a / np.sqrt(6), twins)


def _wurtzite(name: str, a: float, c: float, u: float, weights: tuple[float, float]) -> Structure:
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, c]])
    places = [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, u], [2 / 3, 1 / 3, 0.5 + u]]
    scattering = (weights[0], weights[0], weights[1], weights[1])
    zones = ((1, 0, 0), (2, 1, 0), (0, 0, 1))
    return Structure(name, cell, np.array(places), scattering, zones, (0, 0, 1), a / np.sqrt(3), twins=False)


STRUCTURES: Final[Mapping[str, Structure]] = {
    structure.name: structure
    for structure in (
        _wurtzite("wurtzite CdSe", 0.4299, 0.7010, 0.3767, (1.0, 0.75)),
        _cubic("zinc-blende CdSe", 0.605, [[0, 0, 0], [0.25, 0.25, 0.25]], (1.0, 0.75), twins=True),
        _cubic("gold", 0.4078, [[0, 0, 0]], (1.15,), twins=True),
    )
}


class Reflection(NamedTuple):
    """Fringes of one family of planes that are edge-on."""

    spacing: float
    """In nm."""
    angle: float
    """Of the direction across the fringes, in radians from x towards y, 0 to pi."""
    strength: float
    """Structure factor per atom."""


class CrystalView(NamedTuple):
    """Orientation of a crystal: rows are the directions of image x, y and the beam."""

    axes: Points
    reflections: tuple[Reflection, ...]
    """Edge-on planes, widest first."""


@lru_cache(maxsize=32)
def view(name: str, zone: int) -> CrystalView:
    """Return a structure seen along one of its zones, its fault planes normal to x where they are edge-on.

    Parameters
    ----------
    name : str
        Name of the structure.
    zone : int
        Number of the zone axis.
    """
    structure = STRUCTURES[name]
    beam = np.array(structure.zones[zone]) @ structure.cell
    beam /= np.linalg.norm(beam)
    across = np.array(structure.plane) @ structure.reciprocal
    across = across - (across @ beam) * beam
    if np.linalg.norm(across) < 1e-6:
        across = np.cross(beam, structure.cell[0])
    across /= np.linalg.norm(across)
    axes = np.stack([across, np.cross(beam, across), beam])
    return CrystalView(axes, _reflections(structure, axes))


def _reflections(structure: Structure, axes: Points) -> tuple[Reflection, ...]:
    span = range(-INDICES, INDICES + 1)
    indices = np.array([hkl for hkl in itertools.product(span, span, span) if any(hkl)])
    vectors = indices @ structure.reciprocal @ axes.T
    phases = np.exp(2j * np.pi * indices @ structure.basis.T)
    strengths = np.abs(phases @ np.array(structure.weights)) / len(structure.basis)
    edge_on = (np.abs(vectors[:, 2]) < 1e-6) & (strengths > WEAKEST * strengths.max())
    angles = np.arctan2(vectors[:, 1], vectors[:, 0])
    half = edge_on & (angles > -1e-9) & (angles < np.pi - 1e-9)
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    found = [Reflection(1 / lengths[n], angles[n], strengths[n]) for n in np.flatnonzero(half)]
    return tuple(sorted(found, key=lambda one: (-one.spacing, one.angle)))


class Atoms(NamedTuple):
    """Atoms of a particle in projection, in nm about its centre."""

    x: Points
    y: Points
    z: Points
    weight: Points
    reflections: tuple[Reflection, ...]
    """What fringes show, in the frame of the image."""


def crystal(
    name: str,
    *,
    radius: float,
    zone: int,
    turn: float,
    tilt: Points,
    defect: str,
    rng: np.random.Generator,
) -> Atoms:
    """Atoms of a nearly spherical particle.

    Parameters
    ----------
    name
        Of the structure.
    radius
        In nm.
    zone
        Number of the zone along which it is seen.
    turn
        Angle in the image, in radians from x towards y.
    tilt : ndarray (2,)
        Angles off the zone about image x and y of the untwisted crystal, in radians.
    defect
        `""`, or one of `TWIN`, `FAULT`, `DISLOCATION`.
    rng
        For the outline and the place of the defect.
    """
    structure, seen = STRUCTURES[name], view(name, zone)
    reach = 1.3 * radius
    places, weights = _lattice(structure, reach, rng)
    points = places @ seen.axes.T
    chosen, points = _with_defect(points, structure, seen, defect, radius, rng)
    weights = np.tile(weights, 2)[chosen]
    inside = _outline(points, radius, rng)
    points, weights = points[inside], weights[inside]
    points = points @ _rotation(*tilt).T
    cos, sin = np.cos(turn), np.sin(turn)
    x, y = cos * points[:, 0] - sin * points[:, 1], sin * points[:, 0] + cos * points[:, 1]
    turned = [one._replace(angle=float((one.angle + turn) % np.pi)) for one in seen.reflections]
    return Atoms(x, y, points[:, 2], weights, tuple(turned))


def _lattice(structure: Structure, reach: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return all atoms within a ball about a random point of the cell, and what each scatters."""
    heights = 1 / np.linalg.norm(structure.reciprocal, axis=1)
    n_cells = np.ceil(reach / heights).astype(int) + 1
    grids = np.meshgrid(*(np.arange(-n, n + 1) for n in n_cells), indexing="ij")
    corners = np.stack([grid.ravel() for grid in grids], axis=1) - rng.random(3)
    places = (corners[:, np.newaxis] + structure.basis).reshape(-1, 3) @ structure.cell
    weights = np.tile(np.array(structure.weights), len(corners))
    near = np.einsum("ij,ij->i", places, places) < reach**2
    return places[near], weights[near]


def _with_defect(
    points: Points,
    structure: Structure,
    seen: CrystalView,
    defect: str,
    radius: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], Points]:
    """Return which atoms there are (a twin's count from where the plain ones end), and where they lie."""
    every = np.arange(len(points))
    if defect == NONE:
        return every, points
    layers = np.unique(np.round(points[:, 0], 4))
    middle = layers[np.abs(layers) < 0.4 * radius]
    plane = float(rng.choice(middle)) if middle.size else 0.0
    if defect == TWIN:
        mirrored = points * [-1, 1, 1] + [2 * plane, 0, 0]
        ours, theirs = points[:, 0] <= plane + 1e-3, mirrored[:, 0] > plane + 1e-3
        chosen = np.concatenate([every[ours], every[theirs] + len(points)])
        return chosen, np.concatenate([points[ours], mirrored[theirs]])
    if defect == FAULT:
        beyond = points[:, 0] > plane + 1e-3
        return every, points + np.where(beyond, structure.fault, 0.0)[:, np.newaxis] * np.array([0, 1, 0])
    core = rng.uniform(-0.35, 0.35, 2) * radius
    return every, points + _add_dislocation(points[:, :2] - core, _translation(structure, seen))


def _translation(structure: Structure, seen: CrystalView) -> Points:
    """Shortest step in the image that carries the projected lattice into itself, as (x, y)."""
    steps = np.array(list(itertools.product(range(-1, 2), repeat=3)))
    centred = [steps[:, :3] @ structure.cell]
    if len(structure.basis) > 2 and np.allclose(structure.cell, structure.cell[0, 0] * np.eye(3)):
        centred += [(steps + face) @ structure.cell for face in structure.basis[1:4]]
    projected = (np.concatenate(centred) @ seen.axes.T)[:, :2]
    lengths = np.hypot(*projected.T)
    return np.asarray(projected[np.argmin(np.where(lengths > 1e-3, lengths, np.inf))])


def _add_dislocation(places: Points, burgers: Points) -> Points:
    """Displacements round an edge dislocation, `(atom, 3)`, from places about its core."""
    length = float(np.hypot(*burgers))
    along = burgers / length
    normal = np.array([-along[1], along[0]])
    x, y = places @ along, places @ normal
    square = np.maximum(x**2 + y**2, 1e-4)
    factor = length / (2 * np.pi)
    first = factor * (np.arctan2(y, x) + x * y / (2 * (1 - POISSON_RATIO) * square))
    lengthwise = (1 - 2 * POISSON_RATIO) / (4 * (1 - POISSON_RATIO)) * np.log(square / length**2)
    second = -factor * (lengthwise + (x**2 - y**2) / (4 * (1 - POISSON_RATIO) * square))
    moved = first[:, np.newaxis] * along + second[:, np.newaxis] * normal
    return np.concatenate([moved, np.zeros((len(moved), 1))], axis=1)


def _outline(points: Points, radius: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which points lie in a slightly elongated ball with a few facets, of the same mean radius."""
    stretch = rng.uniform(0.88, 1.12, 3)
    inside = np.einsum("ij,ij->i", points / stretch, points / stretch) < radius**2
    normals = rng.normal(size=(rng.integers(0, 7), 3))
    for normal in normals / np.linalg.norm(normals, axis=1, keepdims=True):
        inside &= points @ normal < rng.uniform(0.75, 0.95) * radius
    return np.asarray(inside)


def _rotation(about_x: float, about_y: float) -> Points:
    cx, sx, cy, sy = np.cos(about_x), np.sin(about_x), np.cos(about_y), np.sin(about_y)
    first = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    second = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.asarray(second @ first)
