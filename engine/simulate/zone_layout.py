"""Layout of the zones of a simulated sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SUBSTRATE: Final = "substrate"
STRIPE: Final = "stripe"
FLAKE: Final = "flake"
TERRACE: Final = "terrace"

_CYCLE: Final = (FLAKE, TERRACE, FLAKE, STRIPE)
_PREVIEW: Final = 96
_TRIES: Final = 100


@dataclass(frozen=True)
class Shape:
    """Outline of a zone in the unit square.

    A star-shaped polygon around `centre` with `radii` at `bearings` (rad, rising), or, for a stripe, a band
    through `centre` at right angles to `bearings[0]` of half-width `radii[0]`.
    """

    kind: str
    centre: tuple[float, float]
    bearings: NDArray[np.float64]
    radii: NDArray[np.float64]

    def covers(self, size: int) -> NDArray[np.bool_]:
        """Return the pixels of a `size` x `size` frame whose centres lie inside."""
        positions = ((np.arange(size) + 0.5) / size).astype(np.float32)
        dy, dx = positions[:, None] - self.centre[0], positions[None, :] - self.centre[1]
        if self.kind == STRIPE:
            across = np.cos(self.bearings[0]) * dy + np.sin(self.bearings[0]) * dx
            return np.asarray(np.abs(across) < self.radii[0])
        return np.asarray(np.hypot(dy, dx) * self._inverse_radius(np.arctan2(dy, dx)) < 1)

    def _inverse_radius(self, bearing: NDArray[np.float32]) -> NDArray[np.float64]:
        """1 / distance of the straight edge that is met at a bearing."""
        theta = np.concatenate([self.bearings, self.bearings[:1] + 2 * np.pi])
        inverse = 1 / np.concatenate([self.radii, self.radii[:1]])
        bearing = (bearing - theta[0]) % (2 * np.pi) + theta[0]
        edge = np.clip(np.searchsorted(theta, bearing, side="right") - 1, 0, len(self.radii) - 1)
        left, right = theta[edge], theta[edge + 1]
        share = np.sin(right - bearing) * inverse[edge] + np.sin(bearing - left) * inverse[edge + 1]
        return np.asarray(share / np.sin(right - left))


def kinds(n_zones: int) -> list[str]:
    """Return what each of `n_zones` zones is: the substrate, then flakes, terraces and stripes in turn."""
    return [SUBSTRATE, *(_CYCLE[i % len(_CYCLE)] for i in range(n_zones - 1))]


def draw(n_zones: int, rng: np.random.Generator) -> list[Shape]:
    """Shapes of all zones but the substrate such that each keeps a fair part of the frame.

    The best of up to 100 random layouts: the first in which every zone covers 2 % (0.3 / `n_zones` for many
    zones), else the one whose smallest zone is largest.

    Parameters
    ----------
    n_zones : int
        Number of zones.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    wanted = min(0.02, 0.3 / n_zones)
    best: tuple[float, list[Shape]] = (-1.0, [])
    for _ in range(_TRIES):
        shapes = _random_shapes(kinds(n_zones)[1:], rng)
        areas = np.bincount(render(shapes, _PREVIEW).ravel(), minlength=n_zones)
        smallest = float(areas.min()) / _PREVIEW**2
        if smallest > best[0]:
            best = (smallest, shapes)
        if smallest >= wanted:
            break
    return best[1]


def render(shapes: Sequence[Shape], size: int) -> NDArray[np.uint8]:
    """Zone of each pixel, 0 = substrate, i + 1 = shape i; stripes lie lowest, terraces on top.

    Parameters
    ----------
    shapes : sequence
        Shapes of the zones.
    size : int
        Rows and columns of the frame in pixels.
    """
    zones = np.zeros((size, size), np.uint8)
    for kind in (STRIPE, FLAKE, TERRACE):
        for i, shape in enumerate(shapes, start=1):
            if shape.kind == kind:
                zones[shape.covers(size)] = i
    return zones


def _random_shapes(wanted: Sequence[str], rng: np.random.Generator) -> list[Shape]:
    n_flakes = max(1, sum(kind == FLAKE for kind in wanted))
    radius = min(0.30, 0.42 / np.sqrt(n_flakes))
    centres = iter(_scatter_points(n_flakes, rng))
    shapes: list[Shape] = []
    for kind in wanted:
        if kind == STRIPE:
            shapes.append(_stripe(len(wanted), rng))
        elif kind == FLAKE:
            shapes.append(_polygon(kind, next(centres), radius, rng))
        else:
            flake = next(s for s in reversed(shapes) if s.kind == FLAKE)
            offset = rng.uniform(-0.3, 0.3, 2) * radius
            centre = (flake.centre[0] + offset[0], flake.centre[1] + offset[1])
            shapes.append(_polygon(kind, centre, 0.6 * radius, rng))
    return shapes


def _polygon(kind: str, centre: tuple[float, float], radius: float, rng: np.random.Generator) -> Shape:
    n_corners = int(rng.integers(5, 9))
    steps = np.cumsum(rng.uniform(0.6, 1.4, n_corners))
    bearings = 2 * np.pi * steps / steps[-1] - np.pi
    return Shape(kind, centre, bearings, radius * rng.uniform(0.7, 1.1, n_corners))


def _stripe(n_shapes: int, rng: np.random.Generator) -> Shape:
    centre = (float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, 0.9)))
    half_width = rng.uniform(0.03, 0.07) * min(1.0, 8 / n_shapes)
    return Shape(STRIPE, centre, rng.uniform(0, np.pi, 1), np.array([half_width]))


def _scatter_points(n: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Points far from each other: each the best of 20 candidates (Mitchell, SIGGRAPH 1991)."""
    points = [rng.uniform(0.2, 0.8, 2)]
    while len(points) < n:
        candidates = rng.uniform(0.1, 0.9, (20, 2))
        nearest = np.min([np.hypot(*(candidates - p).T) for p in points], axis=0)
        points.append(candidates[np.argmax(nearest)])
    return [(float(y), float(x)) for y, x in points]
