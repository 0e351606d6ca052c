"""Reliefs of what is long or alive: cells and tissue, fibres, nanowires.

Each function is one kind of sample: it draws what its images share from `sample`, which is seeded by the
sample, always in the same order, and what is in one image from `place`. Lengths are in units (`View`).
"""

import numpy as np
from numpy.typing import NDArray

from engine.simulate.relief import (
    DARK,
    FieldOfView,
    Plane,
    Random,
    Relief,
    Strand,
    ball,
    cells,
    flat,
    grid,
    lay,
    noise,
    put,
    roughen,
    scatter_discs,
    straight,
)


def grow_cells(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Cells spread on a substrate, each with a wrinkled body and many thin branching arms.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, n_arms, lobes = sample.uniform(28, 50), int(sample.integers(14, 30)), sample.uniform(0.12, 0.25)
    wrinkle, tilt = sample.uniform(2, 5), float(sample.choice([0.0, sample.uniform(20, 45)]))
    stuff, density, debris = sample.uniform(1.1, 1.6), sample.uniform(1.4, 3.2), sample.uniform(5, 60)
    relief, u = flat(view, tilt=tilt), view.scale
    deep = view.deeper(tilt)
    bodies = [radius * u * place.uniform(0.7, 1.2) for _ in range(view.count(density))]
    centres = scatter_discs(deep, bodies, place, apart=0.8)
    centres[0] = np.array(deep.shape) * place.uniform(0.3, 0.7, 2)
    for at in deep.places(view.count(debris), place):
        put(relief, ball(u * place.uniform(0.8, 2.2)), at=at, material=1.1)
    for centre, body in zip(centres, bodies, strict=True):
        if np.isfinite(centre).all():
            for angle in np.linspace(0, 2 * np.pi, n_arms, endpoint=False) + place.uniform(0, 0.6, n_arms):
                _arm(relief, centre, angle, body, stuff, place)
            put(relief, _make_lobes(body, lobes, place), at=centre, material=stuff)
    folds = noise(relief.height.shape, place, length=wrinkle * u)
    relief.height += folds * np.where(
        relief.material == np.float32(stuff), np.float32(0.8 * u), np.float32(0.15 * u)
    )
    return relief


def _arm(
    relief: Relief, centre: NDArray[np.float64], angle: float, body: float, stuff: float, place: Random
) -> None:
    """Draw an arm of a cell that bends and branches."""
    at, width = (
        centre + 0.6 * body * np.array([np.sin(angle), np.cos(angle)]),
        body * place.uniform(0.02, 0.05),
    )
    for _ in range(int(place.integers(1, 5))):
        step = 0.42 * body * place.uniform(0.6, 1.3)
        to = at + step * np.array([np.sin(angle), np.cos(angle)])
        lay(relief, straight(at, to, (width, 0.8 * width), 0.2 * width), material=stuff)
        if place.random() < 0.3:
            side = angle + place.choice([-1, 1]) * place.uniform(0.4, 0.9)
            tip = to + 0.6 * step * np.array([np.sin(side), np.cos(side)])
            lay(relief, straight(to, tip, (0.7 * width, 0.4 * width), 0.1 * width), material=stuff)
        at, angle, width = to, angle + place.normal(0, 0.25), 0.8 * width


def _make_lobes(radius: float, lobes: float, place: Random) -> Plane:
    """Patch of a flat dome whose outline has lobes, with a nucleus that rises in it."""
    y, x = grid(1.7 * radius)
    angle = np.arctan2(y, x)
    outline = np.ones_like(angle)
    for n in range(2, 9):
        tall, phase = place.normal(0, lobes / n**0.7), place.uniform(0, 2 * np.pi)
        outline += np.float32(tall) * np.cos(n * angle + np.float32(phase))
    far = np.hypot(y, x)
    inside = 1 - far / np.clip(radius * outline, 0.55 * radius, 1.6 * radius)
    nucleus = 0.35 * np.exp(-((far / (0.45 * radius)) ** 2))
    dome = radius * (0.3 * np.sqrt(np.maximum(inside, 0)) + nucleus)
    return np.where(inside > 0, dome, -np.inf).astype(np.float32)


def blood_cells(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Red blood cells, hollow in the middle, alone and one over another.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, hollow, crowd = sample.uniform(24, 40), sample.uniform(0.35, 0.75), sample.uniform(0.35, 1.0)
    thick, stuff, tilt = sample.uniform(0.3, 0.5), sample.uniform(1.1, 1.5), sample.uniform(0, 40)
    relief, u = flat(view, sample.uniform(0.7, 1.0), tilt=tilt), view.scale
    deep = view.deeper(tilt)
    for n, at in enumerate(deep.places(deep.count(crowd * 256**2 / (np.pi * radius**2)), place, margin=15)):
        r = radius * u * place.normal(1, 0.08)
        y, x = grid(1.15 * r)
        turn, stretch = place.uniform(0, np.pi), place.uniform(0.8, 1)
        along, across = np.cos(turn) * x + np.sin(turn) * y, (np.cos(turn) * y - np.sin(turn) * x) / stretch
        square = (along**2 + across**2) / r**2
        rim = np.sqrt(np.maximum(1 - square, 0)) * (1 - hollow + hollow * np.minimum(square * 1.9, 1))
        lean = (along * place.normal(0, 0.08) + across * place.normal(0, 0.08)).astype(np.float32)
        patch = np.where(square < 1, r * thick * (0.5 + rim) + lean, -np.inf).astype(np.float32)
        put(relief, patch, at=at, level=0.35 * r * thick * (n % 4), material=stuff)
    roughen(relief, place, length=4 * u, depth=0.35 * u)
    return relief


def tissue(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a section through tissue: bright walls of cells or nerve fibres round dark insides.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    spacing, wall, fill = sample.uniform(20, 34), sample.uniform(0.08, 0.16), sample.uniform(0.75, 1.05)
    inside, walls, between = sample.uniform(0.35, 0.8), sample.uniform(1.6, 2.2), sample.uniform(0.25, 0.6)
    y, x = view.axes(place)
    bend = noise(view.shape, place, length=14 * view.scale), noise(view.shape, place, length=14 * view.scale)
    distance, gap, number = cells(y + 2.5 * bend[0], x + 2.5 * bend[1], spacing, place, jitter=1.0)
    sizes = place.uniform(0.5, 1.0, 4096).astype(np.float32)[number % 4096]
    edge = np.minimum(gap / 2, np.float32(fill) * 0.62 * sizes - distance)
    grain = noise(view.shape, place, length=1.5 * view.scale)
    material = np.where(edge > wall, inside, np.where(edge > 0.02, walls, between)).astype(np.float32)
    material *= 1 + np.float32(0.12) * grain
    within = (edge > 2 * wall) & (noise(view.shape, place, length=4 * view.scale) > 1.3)
    material[within] *= 1.5
    return Relief(grain * np.float32(0.15 * view.scale), material)


def mat(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Spun fibres that lie across each other in many layers, each bending slowly.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread = sample.uniform(2.2, 5.5), sample.uniform(0.08, 0.35)
    bend, deep = sample.uniform(0.05, 0.35), sample.uniform(1.2, 2.4)
    ordered, mean = sample.random() < 0.3, view.turn
    relief = flat(view, DARK)
    n = int(np.clip(view.count(deep * 256 / (2 * radius) * 1.2), 16, 150))
    for layer in np.linspace(-1, 0, n):
        angle = place.normal(mean, 0.35) if ordered else place.uniform(0, np.pi)
        r = radius * view.scale * np.exp(place.normal(0, spread))
        strand = _curve_strand(view, angle, r, bend, place)
        strand.level = float(layer * 14 * view.scale)
        lay(relief, strand, material=float(1 + 0.25 * layer + place.normal(0, 0.05)))
    return relief


def _curve_strand(view: FieldOfView, angle: float, radius: float, bend: float, place: Random) -> Strand:
    """Return a strand through the whole view that goes an angle's way and bends, all in pixels."""
    upright = abs(np.sin(angle)) > abs(np.cos(angle))
    n, wide = view.shape if upright else view.shape[::-1]
    slope = 1 / np.tan(angle) if upright else np.tan(angle)
    t = np.arange(n)
    centre = place.uniform(-0.2, 1.2) * wide + slope * (t - n / 2)
    for waves in (0.7, 1.6, 3.1):
        tall = bend * n / (2 * np.pi * waves) * place.normal(0, 0.8)
        centre = centre + tall * np.sin(2 * np.pi * waves * t / n + place.uniform(0, 2 * np.pi))
    radii = radius * (1 + 0.08 * np.sin(t / (6 * radius) + place.uniform(0, 6)))
    return Strand(0, centre, radii, 0.0, bool(upright))


def weave(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a woven cloth: yarns of several filaments that go over and under each other.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    pitch, n_filaments, open_ = sample.uniform(50, 84), int(sample.integers(4, 8)), sample.uniform(0.72, 1.0)
    loose, twill = sample.uniform(0.02, 0.12), int(sample.integers(1, 3))
    relief, u = flat(view, DARK), view.scale
    relief.height -= 30 * u
    slope = np.tan(np.clip((view.turn + 0.4) % 0.8 - 0.4, -0.4, 0.4))
    radius = 0.5 * pitch * open_ / n_filaments * u * 1.15
    for upright in (False, True):
        n, wide = view.shape if upright else view.shape[::-1]
        t, lean = np.arange(n), -slope if upright else slope
        start = place.uniform(-1, 0)
        extra = int(abs(slope) * n / (pitch * u)) + 1
        for yarn in range(-extra, int(wide / (pitch * u)) + 2 + extra):
            middle = (yarn + start) * pitch * u + lean * (t - n / 2)
            over = np.cos(np.pi * (t / (pitch * u) / twill + yarn + (1 if upright else 0)))
            for filament in np.linspace(-0.5, 0.5, n_filaments):
                off = filament * pitch * open_ * 0.9 + place.normal(0, loose * radius)
                wavy = place.normal(0, loose) * radius * np.sin(t / (20 * u) + place.uniform(0, 6))
                level = 9 * u * over - 6 * u * (2 * filament) ** 2
                strand = Strand(0, middle + off * u + wavy, np.full(n, radius), level, upright)
                lay(relief, strand, material=float(place.normal(1, 0.06)))
    return relief


def bundle(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Thick fibres side by side, nearly parallel, smooth or scaly as hair.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, spread, bend = sample.uniform(8, 20), sample.uniform(0.03, 0.25), sample.uniform(0.0, 0.12)
    stray, scaly, step = sample.uniform(0.03, 0.2), sample.uniform(0, 1.2), sample.uniform(6, 14)
    relief, u = flat(view, DARK), view.scale
    n = int(np.clip(1.9 * view.shape[0] / (2 * radius * u) * 1.6, 8, 60))
    for layer in np.linspace(-1, 0, n):
        strand = _curve_strand(view, place.normal(view.turn, stray), radius * u, bend, place)
        strand.radius = np.full(len(strand.centre), radius * u * np.exp(place.normal(0, spread)))
        t = np.arange(len(strand.centre))
        scales = scaly * u * ((t / (step * u) + place.random()) % 1)
        strand.level = layer * 40 * u + scales
        lay(relief, strand, material=float(1 + 0.2 * layer))
    return relief


def forest(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Nanowires that stand on their substrate, seen from the side; many carry a drop at the tip.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, length = sample.uniform(1.3, 3.2), sample.uniform(60, 150)
    spread, uneven, drop = sample.uniform(0.0, 0.12), sample.uniform(0.03, 0.3), sample.choice([0.0, 1.5])
    density, taper = sample.uniform(60, 130), sample.uniform(0.5, 1.0)
    relief, u = flat(view, DARK), view.scale
    n_rows = view.shape[0]
    bases = view.places(int(np.clip(view.count(density), 25, 220)), place, margin=20)
    bases[:, 0] = np.sort(bases[:, 0] * 1.5)
    for base in bases:
        tall = length * u * np.exp(place.normal(0, uneven))
        lean, near = place.normal(0, spread), float(np.clip(base[0] / n_rows, 0, 1.3))
        tip = base + tall * np.array([-np.cos(lean), np.sin(lean)])
        r = radius * u * (0.8 + 0.3 * near) * np.exp(place.normal(0, 0.12))
        level = 40 * u * near
        lay(relief, straight(base, tip, (r, r * taper), level), material=0.75 + 0.45 * near)
        if drop:
            put(relief, ball(drop * r), at=tip, level=level - 0.3 * r, material=1.8)
    return relief


def lay_wires(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Nanowires, straight and with both ends to be seen, that lie on a flat substrate.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, length, density = sample.uniform(1.1, 2.6), sample.uniform(60, 170), sample.uniform(22, 75)
    ordered, stuff, spread = sample.random() < 0.3, sample.uniform(1.5, 2.4), sample.uniform(0.1, 0.4)
    relief, u = flat(view, sample.uniform(0.4, 0.7)), view.scale
    roughen(relief, place, length=3 * u, depth=0.1 * u)
    middles = view.places(int(np.clip(view.count(density), 10, 160)), place, margin=40)
    for n, middle in enumerate(middles):
        angle = place.normal(view.turn, 0.2) if ordered else place.uniform(0, np.pi)
        half = 0.5 * length * u * np.exp(place.normal(0, spread)) * np.array([np.sin(angle), np.cos(angle)])
        r = radius * u * np.exp(place.normal(0, 0.15))
        level = 1.5 * r + 0.05 * n * u
        lay(relief, straight(middle - half, middle + half, (r, r), level), material=stuff)
    return relief


def tufts(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Tapered nanowires that stand out from centres all round, as of zinc oxide.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    radius, length, density = sample.uniform(1.6, 3.4), sample.uniform(35, 70), sample.uniform(4, 10)
    n_wires, sharp = int(sample.integers(14, 30)), sample.uniform(0.15, 0.6)
    relief, u = flat(view, sample.uniform(DARK, 0.4)), view.scale
    centres = view.places(int(np.clip(view.count(density), 2, 16)), place, margin=20)
    for n, centre in enumerate(centres):
        for angle in place.uniform(0, 2 * np.pi, n_wires):
            up = place.uniform(0, 1)
            reach = length * u * np.sqrt(1 - 0.8 * up**2) * place.uniform(0.75, 1.1)
            tip = centre + reach * np.array([np.sin(angle), np.cos(angle)])
            level = u * (12 * n / len(centres) + 22 * up)
            lay(relief, straight(centre, tip, (radius * u, sharp * radius * u), level), material=1 + 0.5 * up)
    return relief
