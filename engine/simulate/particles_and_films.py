"""Reliefs of what is made of grains or holes: particles, powders, sponges, films.

Each function is one kind of sample, as in `grown`.
"""

import numpy as np
from numpy.typing import NDArray

from engine.simulate.relief import (
    DARK,
    FieldOfView,
    Plane,
    Random,
    Relief,
    ball,
    cells,
    flat,
    grid,
    noise,
    polyhedron,
    put,
    roughen,
    scatter_discs,
    turn_relief,
)

_CUBE = np.vstack([np.eye(3), -np.eye(3)])
_OCTAHEDRON = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) / np.sqrt(3)
_FACES = np.vstack([_CUBE, _OCTAHEDRON])


def spheres(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Round particles alone or in small heaps on a flat substrate.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread, cover = sample.uniform(5, 15), sample.uniform(0.03, 0.4), sample.uniform(0.06, 0.3)
    apart, stuff, squash = sample.uniform(0.9, 1.3), sample.uniform(1.2, 1.9), sample.uniform(0.7, 1.0)
    relief, u = flat(view, sample.uniform(0.45, 0.8)), view.scale
    roughen(relief, place, length=2 * u, depth=0.12 * u)
    n = int(np.clip(view.count(cover * 256**2 / (np.pi * radius**2 * (1 + spread**2))), 4, 220))
    radii = radius * u * np.exp(np.clip(place.normal(0, spread, n), -1, 1))
    for at, r in zip(_heap_particles(view, radii, place, apart=apart), radii, strict=True):
        put(relief, ball(r, squash=squash), at=at, material=stuff)
    return relief


def crystallites(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Cubes, octahedra or plates that lie about on a flat substrate.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread, cover = sample.uniform(6, 15), sample.uniform(0.05, 0.4), sample.uniform(0.08, 0.28)
    normals = (_CUBE, _OCTAHEDRON)[sample.integers(2)]
    flatness, stuff, apart = sample.uniform(0.45, 1), sample.uniform(1.2, 1.8), sample.uniform(0.75, 1.1)
    relief, u = flat(view, sample.uniform(0.4, 0.7)), view.scale
    roughen(relief, place, length=2 * u, depth=0.12 * u)
    n = int(np.clip(view.count(cover * 256**2 / (4 * radius**2)), 4, 150))
    radii = radius * u * np.exp(np.clip(place.normal(0, spread, n), -1, 1))
    for at, r in zip(_heap_particles(view, radii, place, apart=1.2 * apart), radii, strict=True):
        stretch = 1 - (1 - flatness) * np.abs(normals[:, 2])
        patch = polyhedron(normals @ turn_relief(place).T, r * stretch, reach=1.75 * r)
        put(relief, patch, at=at, material=stuff)
    return relief


def rods(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Short rods and grains of rice with round ends on a flat substrate.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, long, cover = sample.uniform(4, 8), sample.uniform(1.5, 3.0), sample.uniform(0.08, 0.28)
    stuff, spread = sample.uniform(1.2, 1.8), sample.uniform(0.05, 0.25)
    relief, u = flat(view, sample.uniform(0.45, 0.8)), view.scale
    roughen(relief, place, length=2 * u, depth=0.12 * u)
    n = int(np.clip(view.count(cover * 256**2 / (4 * radius**2 * long)), 4, 150))
    radii = radius * u * np.exp(place.normal(0, spread, n))
    for at, r in zip(
        _heap_particles(view, list(radii * 0.5 * (1 + long)), place, apart=0.75), radii, strict=True
    ):
        put(relief, _rod(r, r * (long - 1), place.uniform(0, np.pi)), at=at, material=stuff)
    return relief


def _rod(radius: float, half: float, angle: float) -> Plane:
    """Patch of a rod with round ends, whose straight part is two halves long."""
    y, x = grid(radius + half)
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    top = radius**2 - across**2 - np.maximum(np.abs(along) - half, 0) ** 2
    return np.where(top > 0, radius + np.sqrt(np.maximum(top, 0)), -np.inf).astype(np.float32)


def _heap_particles(
    view: FieldOfView, radii: NDArray[np.float64] | list[float], place: Random, *, apart: float
) -> NDArray[np.float64]:
    """Return the positions of particles: apart, but some beside another."""
    places = scatter_discs(view, list(radii), place, apart=apart)
    for n in range(1, len(radii)):
        if place.random() < 0.35:
            other, angle = int(place.integers(n)), place.uniform(0, 2 * np.pi)
            gap = 0.95 * (radii[n] + radii[other])
            places[n] = places[other] + gap * np.array([np.sin(angle), np.cos(angle)])
    return places


def metal_powder(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Balls of many sizes heaped over each other, some with small ones stuck to them.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread, deep = sample.uniform(8, 15), sample.uniform(0.2, 0.5), sample.uniform(2.4, 4.0)
    satellites, dimple = sample.uniform(0, 0.5), sample.uniform(0.1, 0.6)
    relief, u = flat(view, DARK), view.scale
    relief.height -= 30 * u
    mean = np.pi * radius**2 * np.exp(2 * spread**2)
    n = int(np.clip(view.count(deep * 256**2 / mean), 40, 500))
    radii = radius * u * np.exp(np.clip(place.normal(0, spread, n), -1.2, 1.0))
    levels = np.sort(place.uniform(-2.2 * radius * u, 0, n))
    for at, r, level in zip(view.places(n, place, margin=radius), radii, levels, strict=True):
        put(relief, ball(r), at=at, level=level - r, material=place.normal(1, 0.05))
        if place.random() < satellites:
            angle, small = place.uniform(0, 2 * np.pi), r * place.uniform(0.2, 0.4)
            side = np.asarray(at) + 0.8 * r * np.array([np.sin(angle), np.cos(angle)])
            put(relief, ball(small), at=side, level=level + 0.1 * r)
    roughen(relief, place, length=1.6 * u, depth=0.3 * dimple * u)
    return relief


def crush_powder(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Angular fragments heaped over each other.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread, deep = sample.uniform(8, 15), sample.uniform(0.15, 0.4), sample.uniform(3.2, 4.5)
    n_faces, rough = int(sample.integers(7, 14)), sample.uniform(0.1, 0.5)
    relief, u = flat(view, DARK), view.scale
    relief.height -= 30 * u
    n = int(np.clip(view.count(deep * 256**2 / (3.2 * radius**2 * np.exp(2 * spread**2))), 40, 400))
    fragments = []
    for r in radius * u * np.exp(np.clip(place.normal(0, spread, 40), -1.2, 0.9)):
        normals = place.permutation(_FACES)[:n_faces] @ turn_relief(place).T
        fragments.append(polyhedron(normals, r * place.uniform(0.65, 1.0, n_faces), reach=1.35 * r))
    levels = np.sort(place.uniform(-3.5 * radius * u, -radius * u, n))
    for at, level in zip(view.places(n, place, margin=radius), levels, strict=True):
        patch = np.rot90(fragments[place.integers(len(fragments))], int(place.integers(4)))
        put(relief, patch, at=at, level=level, material=place.normal(1, 0.07))
    roughen(relief, place, length=1.5 * u, depth=0.3 * rough * u)
    return relief


def agglomerate(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a fine powder: tiny grains in lumps, everywhere.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    spacing, lumps, tall = sample.uniform(8, 13), sample.uniform(18, 40), sample.uniform(3, 9)
    uneven, ball_like = sample.uniform(0.2, 0.6), sample.uniform(0.5, 1.1)
    y, x = view.axes(place)
    u = view.scale
    height = np.float32(tall * u) * noise(view.shape, place, length=lumps * u)
    for size, weight in ((spacing, 1.0), (0.55 * spacing, 0.45)):
        distance, _, number = cells(y, x, size, place, jitter=1.0)
        own = place.uniform(0, uneven, 4096).astype(np.float32)[number % 4096]
        dome = np.sqrt(np.maximum(1 - (distance / 0.72) ** 2, 0)) * ball_like + own
        height += np.float32(size * weight * u) * dome
    return Relief(height.astype(np.float32), np.ones(view.shape, np.float32))


def membrane(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a sponge cut open: round pores of many sizes, in which deeper ones open.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread, cover = sample.uniform(14, 24), sample.uniform(0.35, 0.6), sample.uniform(0.6, 0.85)
    stretch, inner = sample.uniform(0.65, 1.0), int(sample.integers(2, 5))
    relief, u = flat(view), view.scale
    relief.height -= 1.5 * u * noise(view.shape, place, length=16 * u)
    n = int(np.clip(view.count(cover * 256**2 / (np.pi * radius**2 * stretch)), 6, 160))
    radii = np.sort(radius * u * np.exp(np.clip(place.normal(0, spread, n), -1, 0.7)))[::-1]
    relief.height = -relief.height  # a pore is put as a ball is, upside down
    for at, r in zip(scatter_discs(view, list(radii), place, apart=0.88), radii, strict=True):
        _pore(relief, at, r, stretch, place, level=0.0)
        for _ in range(inner):
            angle, off = place.uniform(0, 2 * np.pi), r * place.uniform(0.2, 0.6)
            deeper = at + off * np.array([np.sin(angle), np.cos(angle)])
            _pore(relief, deeper, r * place.uniform(0.2, 0.4), stretch, place, level=0.75 * r)
    relief.height = -relief.height
    roughen(relief, place, length=3 * u, depth=0.35 * u)
    return relief


def _pore(
    relief: Relief, at: NDArray[np.float64], radius: float, stretch: float, place: Random, *, level: float
) -> None:
    """Sink a pore into a relief that is upside down; the deeper, the less comes out of it."""
    angle = place.uniform(0, np.pi)
    y, x = grid(radius)
    along, across = np.cos(angle) * x + np.sin(angle) * y, (np.cos(angle) * y - np.sin(angle) * x) / stretch
    top = radius**2 - along**2 - across**2
    bowl = np.where(top > 0, np.sqrt(np.maximum(top, 0)) ** 0.8 * radius**0.2, -np.inf).astype(np.float32)
    put(relief, bowl, at=at, level=level, material=0.55 if level > 0 else 0.8)


def foam(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return an open foam: struts between large cells, through which a second layer shows.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    spacing, width, bend = sample.uniform(26, 50), sample.uniform(0.12, 0.26), sample.uniform(0.03, 0.1)
    u = view.scale
    wavy = [np.float32(bend * spacing) * noise(view.shape, place, length=0.3 * spacing * u) for _ in range(2)]
    height = np.full(view.shape, -26 * u, np.float32)
    material = np.full(view.shape, DARK, np.float32)
    for level, bright in ((-18.0, 0.5), (-9.0, 0.75), (0.0, 1.1)):
        y, x = view.axes(place)
        _, gap, _ = cells(y + wavy[0], x + wavy[1], spacing, place, jitter=0.95)
        round_ = 1 - (gap / width) ** 2
        strut = u * (level + width * spacing * 0.5 * np.sqrt(np.maximum(round_, 0)))
        solid = (round_ > 0) & (strut > height)
        height = np.where(solid, strut, height).astype(np.float32)
        material[solid] = bright
    return Relief(height, material)


def spinodal(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a sponge of ligaments and channels of one width, as of dealloyed gold.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    wave, solid, sharp = sample.uniform(15, 32), sample.uniform(-0.25, 0.3), sample.uniform(1.5, 4)
    band = sample.uniform(0.12, 0.3)
    u = view.scale
    upper = noise(view.shape, place, length=wave * u, band=band) + np.float32(solid)
    lower = noise(view.shape, place, length=wave * u, band=band) + np.float32(0.2)
    tall = np.float32(0.3 * wave * u)
    height = tall * np.maximum(np.tanh(sharp * upper), np.tanh(sharp * lower) - 1.3)
    fine = noise(view.shape, place, length=1.5 * u)
    material = np.where(height > -0.3 * tall, 1.0, 0.35).astype(np.float32)
    return Relief((height + np.float32(0.1 * u) * fine).astype(np.float32), material)


def polycrystal(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a film of facetted grains, each leaning its own way, with bright or open borders.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    spacing, lean, groove = sample.uniform(22, 50), sample.uniform(0.05, 0.3), sample.uniform(0.03, 0.09)
    contrast, raised = sample.uniform(0.05, 0.3), sample.choice([-1.0, 0.6])
    y, x = view.axes(place)
    u = view.scale
    _, gap, number = cells(y, x, spacing, place, jitter=1.0)
    own = place.standard_normal((3, 4096), np.float32)[:, number % 4096]
    height = np.float32(lean) * _facets(y, x, number, own) * np.float32(u)
    border = np.exp(-((gap / groove) ** 2))
    height += np.float32(raised * 2.5 * u) * border
    material = np.maximum(1 + np.float32(contrast) * own[2], 0.3) * (
        1 + np.float32(0.5 * max(raised, 0)) * border
    )
    return Relief(height.astype(np.float32), material.astype(np.float32))


def _facets(y: Plane, x: Plane, number: NDArray[np.int64], own: NDArray[np.float32]) -> Plane:
    """Return the height of each grain's plane above its middle."""
    n = np.maximum(np.bincount(number.ravel()), 1)
    middle_y, middle_x = (np.bincount(number.ravel(), axis.ravel()) / n for axis in (y, x))
    leaning = own[0] * (y - middle_y[number]) + own[1] * (x - middle_x[number])
    return np.asarray(leaning + 3 * own[2], np.float32)


def crack_film(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a coating that dried and cracked into plates.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    spacing, width, curl = sample.uniform(45, 95), sample.uniform(0.02, 0.07), sample.uniform(0, 4)
    rough, fine = sample.uniform(0.1, 0.6), sample.uniform(1.2, 4)
    u = view.scale
    wavy = [3.5 * noise(view.shape, place, length=9 * u) for _ in range(2)]
    y, x = view.axes(place)
    _, gap, _ = cells(y + wavy[0], x + wavy[1], spacing, place, jitter=0.95)
    open_ = gap < width
    height = np.float32(curl * u) * np.exp(-gap / 0.12) - np.where(open_, np.float32(14 * u), 0)
    height += np.float32(rough * u) * noise(view.shape, place, length=fine * u)
    return Relief(height.astype(np.float32), np.where(open_, np.float32(0.3), np.float32(1)))


def layers(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a cross-section through a stack of films on a substrate, some columnar, some porous.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    n = int(sample.integers(3, 7))
    thick = sample.uniform(16, 70, n)
    stuff, columns = sample.uniform(0.35, 1.7, n + 2), sample.random(n + 2) < 0.4
    pores, rough, lean = (
        sample.uniform(0, 1, n + 2) > 0.6,
        sample.uniform(0.5, 4),
        sample.uniform(-0.12, 0.12),
    )
    u, (n_rows, n_columns) = view.scale, view.shape
    borders = np.concatenate([[0], np.cumsum(thick)]) + 256 * place.uniform(0.1, 0.35) - 128
    y = (np.arange(n_rows, dtype=np.float32)[:, np.newaxis] - n_rows / 2) / u
    x = (np.arange(n_columns, dtype=np.float32) - n_columns / 2) / u
    wavy = noise((16, n_columns), place, length=14 * u)[0] * rough
    depth = y - lean * x - wavy
    layer = np.searchsorted(borders, depth.ravel()).reshape(view.shape)
    speck = noise(view.shape, place, length=2.2 * u)
    upright = noise((8, n_columns), place, length=2.5 * u)[0] + 0.4 * speck
    texture = np.where(columns[layer], 1.4 * upright, 0.25 * speck)
    hole = pores[layer] & (noise(view.shape, place, length=3 * u) > 1.9)
    height = u * (0.5 * texture + 1.5 * (layer % 2)) - np.where(hole, 6 * u, 0)
    material = stuff[layer] * np.where(hole, 0.3, 1) * (1 + 0.05 * texture)
    material = np.where(depth < borders[0] - 2, DARK + 0.04 * speck, material)
    return Relief(height.astype(np.float32), material.astype(np.float32))
