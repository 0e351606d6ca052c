"""Reliefs of surfaces, (y, x) -> height and material, and their parts: noise, cells, stamps, strands.

Heights are in pixels; lengths that a sample is described by are in units of 1/256 of the edge of an image
at a zoom of 1, and `View.scale` turns them into pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy import ndimage

Plane = NDArray[np.float32]
Random = np.random.Generator

DARK: Final = 0.16
"""Yield of what is so far behind a specimen that hardly an electron comes back."""
_TRIES: Final = 8


class FieldOfView(NamedTuple):
    """Field of view on a sample, and its resolution."""

    shape: tuple[int, int]
    scale: float
    """Pixels a unit of length."""
    turn: float
    """Angle of the sample on its stage, in radians."""

    @property
    def area(self) -> float:
        """In square units."""
        return self.shape[0] * self.shape[1] / self.scale**2

    def deeper(self, tilt: float) -> "FieldOfView":
        """Return the part of the sample that is seen in as many rows when it is tilted, angle in degrees.

        The angle is about the x axis.
        """
        n_rows = scipy.fft.next_fast_len(int(np.ceil(self.shape[0] / np.cos(np.deg2rad(tilt)))) + 8)
        return self._replace(shape=(n_rows, self.shape[1]))

    def axes(self, place: Random) -> tuple[Plane, Plane]:
        """Return coordinates y and x in units along the sample's own directions, from a random origin."""
        n_rows, n_columns = self.shape
        y = (np.arange(n_rows, dtype=np.float32)[:, np.newaxis] - n_rows / 2) / self.scale
        x = (np.arange(n_columns, dtype=np.float32) - n_columns / 2) / self.scale
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        down, along = place.uniform(-1e3, 1e3, 2)
        return (
            np.asarray(cos * y - sin * x + down, np.float32),
            np.asarray(sin * y + cos * x + along, np.float32),
        )

    def places(self, n: int, place: Random, *, margin: float = 0.0) -> NDArray[np.float64]:
        """Random positions (y, x) in pixels, up to a margin in units beyond the edges.

        Parameters
        ----------
        n : int
            Number of positions.
        place : numpy.random.Generator
            Draws what differs between places on the sample.
        margin : float
            Margin beyond the edges.
        """
        beyond = margin * self.scale
        return place.uniform(-beyond, np.array(self.shape) + beyond, (n, 2))

    def count(self, density: float) -> int:
        """Things in the view, of which so many are in 256 × 256 square units."""
        return max(1, round(density * self.area / 256**2))


@dataclass
class Relief:
    """A surface as it lies under the beam."""

    height: Plane
    """(y, x), in pixels."""
    material: Plane
    """Secondary electrons an incident one where it is level, in units of the ground's."""
    tilt: float = 0.0
    """By which it is seen from the front, in degrees."""


def flat(view: FieldOfView, material: float = 1.0, *, tilt: float = 0.0) -> Relief:
    """Level ground.

    Parameters
    ----------
    view : View
        Field of view: size and resolution.
    material : float
        Brightness of the material.
    tilt : float
        Angle of the tilt in degrees.
    """
    shape = view.deeper(tilt).shape if tilt else view.shape
    return Relief(np.zeros(shape, np.float32), np.full(shape, material, np.float32), tilt)


def noise(shape: tuple[int, int], rng: Random, *, length: float, band: float = 0.0) -> Plane:
    """Random smooth field, mean 0 and standard deviation 1.

    Parameters
    ----------
    length
        Correlation length in pixels; with a band, the wavelength.
    band
        Relative width of the ring of spatial frequencies; 0: all below that of the length.
    """
    ky = scipy.fft.fftfreq(shape[0])[:, np.newaxis].astype(np.float32)
    kx = scipy.fft.rfftfreq(shape[1]).astype(np.float32)
    square = (ky * length) ** 2 + (kx * length) ** 2
    if band:
        passed = np.exp(-0.5 * ((np.sqrt(square) - 1) / band) ** 2)
    else:
        passed = np.exp(-0.5 * (2 * np.pi) ** 2 * square / 2)
    white = rng.standard_normal((2, *passed.shape), np.float32)
    field = scipy.fft.irfft2(passed * (white[0] + 1j * white[1]), s=shape)
    field -= field.mean()
    return np.asarray(field / max(float(field.std()), 1e-9), np.float32)


def cells(
    y: Plane, x: Plane, spacing: float, place: Random, *, jitter: float = 0.9
) -> tuple[Plane, Plane, NDArray[np.int64]]:
    """Cells of points on a jittered grid: distance to the nearest, to the border, and the cell's number.

    Distances are in units of the spacing; the border is where the second nearest point is as near.

    Parameters
    ----------
    y : ndarray (y, x)
        Position of each pixel along y.
    x : ndarray (y, x)
        Position of each pixel along x.
    spacing : float
        Distance of neighbouring points.
    place : numpy.random.Generator
        Draws what differs between places on the sample.
    jitter : float
        Share of the spacing by which points are moved.

    References
    ----------
    S. Worley, A cellular texture basis function, SIGGRAPH 1996.
    """
    y, x = y / np.float32(spacing), x / np.float32(spacing)
    row, column = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    top, left = int(row.min()) - 1, int(column.min()) - 1
    n_columns = int(column.max()) - left + 2
    points = place.random((int(row.max()) - top + 2, n_columns, 2), np.float32) - np.float32(0.5)
    points = (points * np.float32(jitter) + np.float32(0.5)).reshape(-1, 2)
    fy, fx = y - row, x - column
    first = np.full(y.shape, np.inf, np.float32)
    second, number = first.copy(), np.zeros(y.shape, np.int64)
    home = (row - top).astype(np.int64) * n_columns + (column - left)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            index = home + (dy * n_columns + dx)
            square = (points[:, 0].take(index) + dy - fy) ** 2
            square += (points[:, 1].take(index) + dx - fx) ** 2
            nearer = square < first
            np.minimum(second, np.maximum(first, square), out=second)
            np.minimum(first, square, out=first)
            np.copyto(number, index, where=nearer)
    first, second = np.sqrt(first), np.sqrt(second)
    return first, second - first, number


def scatter_discs(
    view: FieldOfView, radii: Sequence[float], place: Random, *, apart: float
) -> NDArray[np.float64]:
    """Return positions (y, x) in pixels of discs kept apart by a factor on the sum of their radii.

    Parameters
    ----------
    view : View
        Field of view: size and resolution.
    radii : sequence of float
        Radii in pixels.
    place : numpy.random.Generator
        Draws what differs between places on the sample.
    apart : float
        Factor on the sum of two radii.
    """
    found = np.full((len(radii), 2), np.inf)
    sizes = np.asarray(radii)
    for n, radius in enumerate(radii):
        tries = place.uniform(-radius, np.array(view.shape) + radius, (_TRIES, 2))
        gaps = np.hypot(*(tries[:, np.newaxis] - found[:n]).T) - apart * (radius + sizes[:n, np.newaxis])
        clear = np.flatnonzero(gaps.min(axis=0, initial=np.inf) > 0)
        if clear.size:
            found[n] = tries[clear[0]]
    return found


def put(
    relief: Relief, patch: Plane, *, at: Iterable[float], level: float = 0.0, material: float = 1.0
) -> None:
    """Lay a thing on a relief, centred at (y, x); its patch holds heights, -inf where it is not.

    Parameters
    ----------
    relief : Relief
        Heights and materials; changed in place.
    patch : ndarray (y, x)
        Heights, -inf where there is nothing.
    at : iterable of float
        Centre (y, x) in pixels.
    level : float
        Height of the ground in pixels.
    material : float
        Brightness of the material.
    """
    starts = [round(float(p) - n / 2) if np.isfinite(p) else -n for p, n in zip(at, patch.shape, strict=True)]
    there = tuple(slice(max(0, a), max(0, a + n)) for a, n in zip(starts, patch.shape, strict=True))
    seen = tuple(
        slice(max(0, -a), max(0, most - a)) for a, most in zip(starts, relief.height.shape, strict=True)
    )
    height, new = relief.height[there], patch[seen] + np.float32(level)
    if not new.size or new.shape != height.shape:
        return
    higher = new > height
    np.copyto(height, new, where=higher)
    np.copyto(relief.material[there], np.float32(material), where=higher)


def grid(reach: float) -> tuple[Plane, Plane]:
    """Return coordinates y and x of a patch about its centre, in pixels."""
    n = int(np.ceil(reach))
    along = np.arange(-n, n + 1, dtype=np.float32)
    return along[:, np.newaxis], along[np.newaxis]


def ball(radius: float, *, squash: float = 1.0) -> Plane:
    """Patch of a ball that lies on the ground, in pixels.

    Parameters
    ----------
    radius : float
        Radius in pixels.
    squash : float
        Height over width.
    """
    y, x = grid(radius)
    top = radius**2 - y**2 - x**2
    return np.where(top > 0, squash * (radius + np.sqrt(np.maximum(top, 0))), -np.inf).astype(np.float32)


def polyhedron(normals: NDArray[np.float64], distances: NDArray[np.float64], *, reach: float) -> Plane:
    """Patch of a convex body, the planes of whose faces have these normals (x, y, z) and distances (pixels).

    It lies on the ground; what would reach further than that many pixels is cut off.

    Parameters
    ----------
    normals : ndarray (face, 3)
        Normals of the faces (x, y, z).
    distances : ndarray (face,)
        Distances of the faces in pixels.
    reach : float
        Largest extent in pixels.
    """
    y, x = grid(reach)
    top = np.full((y.size, x.size), reach, np.float32)
    bottom = -top
    for (nx, ny, nz), distance in zip(normals.tolist(), distances.tolist(), strict=True):
        steep = nz if abs(nz) > 0.02 else 0.02
        plane = (np.float32(distance) - nx * x - ny * y) / np.float32(steep)
        if steep > 0:
            np.minimum(top, plane, out=top)
        else:
            np.maximum(bottom, plane, out=bottom)
    inside = (top > bottom) & (y**2 + x**2 <= reach**2)
    ground = float(bottom[inside].min()) if inside.any() else 0.0
    return np.where(inside, top - np.float32(ground), -np.inf).astype(np.float32)


def turn_relief(rng: Random) -> NDArray[np.float64]:
    """Return a random rotation, as a matrix."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    return np.asarray(q * np.sign(np.diag(r)))


@dataclass
class Strand:
    """A round strand that runs from column to column, or from row to row; all in pixels."""

    first: int
    """Column (or row) where it begins."""
    centre: NDArray[np.float64]
    """Row (or column) of its centre, for each column (or row)."""
    radius: NDArray[np.float64]
    level: NDArray[np.float64] | float = 0.0
    """Height of its axis."""
    upright: bool = False
    """Whether it runs from row to row."""


def lay(relief: Relief, strand: Strand, *, material: float = 1.0, squash: float = 1.0) -> None:
    """Lay a strand on a relief: a half cylinder where it is higher than what is there.

    Parameters
    ----------
    relief : Relief
        Heights and materials; changed in place.
    strand : Strand
        Line of points with their radii.
    material : float
        Brightness of the material.
    squash : float
        Height over width.
    """
    height, stuff = relief.height, relief.material
    if strand.upright:
        height, stuff = height.T, stuff.T
    start, stop = max(0, strand.first), min(height.shape[1], strand.first + len(strand.centre))
    if stop - start < 2:
        return
    part = slice(start - strand.first, stop - strand.first)
    centre, radius = strand.centre[part].astype(np.float32), strand.radius[part].astype(np.float32)
    cos = 1 / np.sqrt(1 + np.gradient(centre) ** 2)
    reach = int(np.ceil((radius / cos).max())) + 1
    rows = np.floor(centre).astype(np.int64) + np.arange(-reach, reach + 2)[:, np.newaxis]
    top = radius**2 - ((rows - centre) * cos) ** 2
    n, m = np.nonzero((top > 0) & (rows >= 0) & (rows < height.shape[0]))
    level = np.broadcast_to(np.asarray(strand.level, np.float32), strand.centre.shape)[part]
    new = level[m] + np.float32(squash) * np.sqrt(top[n, m])
    at = (rows[n, m], m + start)
    higher = new > height[at]
    at = (at[0][higher], at[1][higher])
    height[at] = new[higher]
    stuff[at] = material


def straight(
    start: NDArray[np.float64], stop: NDArray[np.float64], radius: tuple[float, float], level: float
) -> Strand:
    """Return a strand between two points (y, x) in pixels, with an evenly changing radius and a round end.

    Parameters
    ----------
    start : ndarray (2,)
        First point (y, x) in pixels.
    stop : ndarray (2,)
        Last point (y, x) in pixels.
    radius : tuple of float
        Radius at the first and at the last point in pixels.
    level : float
        Height of the ground in pixels.
    """
    upright = abs(stop[0] - start[0]) > abs(stop[1] - start[1])
    along, across = (0, 1) if upright else (1, 0)
    length = float(np.hypot(*(stop - start)))
    n = max(2, round(abs(stop[along] - start[along])))
    t = np.linspace(0, 1, n)
    radii = radius[0] + (radius[1] - radius[0]) * t
    cap = np.clip((1 - t) * length / max(radius[1], 1e-3), 0, 1)
    radii *= np.sqrt(1 - (1 - cap) ** 2)
    centre = start[across] + (stop[across] - start[across]) * t
    if stop[along] < start[along]:
        centre, radii = centre[::-1], radii[::-1]
    return Strand(round(min(start[along], stop[along])), centre, radii, level, upright)


def roughen(relief: Relief, rng: Random, *, length: float, depth: float) -> None:
    """Add roughness of a correlation length and a standard deviation, both in pixels.

    Parameters
    ----------
    relief : Relief
        Heights and materials; changed in place.
    rng : numpy.random.Generator
        Source of the random numbers.
    length : float
        Correlation length in pixels.
    depth : float
        Standard deviation of the height in pixels.
    """
    relief.height += np.float32(depth) * noise(relief.height.shape, rng, length=length)


def soften_relief(relief: Relief, width: float) -> None:
    """Round off edges over a width in pixels.

    Parameters
    ----------
    relief : Relief
        Heights and materials; changed in place.
    width : float
        Width in pixels.
    """
    relief.height = ndimage.gaussian_filter(relief.height, width, truncate=3)
