"""Reliefs of tips: needles, sharpened wires, cantilevers with a pyramid.

Each function is one kind of sample, as in `grown`.
"""

import numpy as np

from engine.simulate.relief import DARK, FieldOfView, Plane, Random, Relief, flat, noise, roughen


def needle(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return an etched wire that narrows to a tip, before a dark void.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    width, bend = sample.uniform(14, 40), sample.uniform(0.55, 1.7)
    rough, blunt, stuff = sample.uniform(0, 0.5), sample.uniform(0.6, 3), sample.uniform(0.8, 1.3)
    relief = flat(view, sample.uniform(0.06, DARK))
    along, across = _axes(view, place)
    far = np.maximum(along, 0) / 200
    _turn_axes(relief, view, blunt * np.minimum(1, 7 * np.sqrt(far)) + width * far**bend, across, stuff)
    bumps = noise(view.shape, place, length=2 * view.scale) + noise(view.shape, place, length=7 * view.scale)
    solid = relief.material == np.float32(stuff)
    relief.height += np.where(solid, np.float32(rough * view.scale) * bumps, 0)
    return relief


def shank(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a wire of even width whose end is sharpened, turned or milled, before a dark void.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    width, long, bend = sample.uniform(16, 44), sample.uniform(50, 130), sample.uniform(0.7, 1.6)
    rings, step, stuff = sample.uniform(0, 0.8), sample.uniform(3, 8), sample.uniform(0.8, 1.3)
    relief = flat(view, sample.uniform(0.06, DARK))
    along, across = _axes(view, place)
    radius = width * np.clip(along / long, 0, 1) ** bend + rings * np.sin(along / step)
    _turn_axes(relief, view, np.where(along > 0, np.maximum(radius, 0.6), 0), across, stuff)
    roughen(relief, place, length=2 * view.scale, depth=0.15 * view.scale)
    return relief


def _axes(view: FieldOfView, place: Random) -> tuple[Plane, Plane]:
    """Return the coordinates in units along a tip's axis, from its point, and across.

    The point is near the middle.
    """
    y0, x0 = np.array(view.shape) * place.uniform(0.32, 0.68, 2)
    y = np.arange(view.shape[0], dtype=np.float32)[:, np.newaxis] - np.float32(y0)
    x = np.arange(view.shape[1], dtype=np.float32) - np.float32(x0)
    cos, sin = np.float32(np.cos(view.turn) / view.scale), np.float32(np.sin(view.turn) / view.scale)
    return cos * x + sin * y, cos * y - sin * x


def _turn_axes(relief: Relief, view: FieldOfView, radius: Plane, across: Plane, material: float) -> None:
    """Raise a body of revolution whose radius is known, in units."""
    top = radius**2 - across**2
    relief.height = np.asarray(np.sqrt(np.maximum(top, 0)) * view.scale, np.float32)
    relief.material[top > 0] = material


def cantilever(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return the end of a cantilever with a pyramid, as for force microscopy.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    wide, base, tall = sample.uniform(55, 95), sample.uniform(26, 40), sample.uniform(1.2, 2.2)
    nose, tilt, stuff = sample.uniform(0.3, 1.0), sample.uniform(0, 50), sample.uniform(0.7, 1.1)
    faces = int(sample.choice([3, 4, 8]))
    relief, u = flat(view, DARK * 0.7, tilt=tilt), view.scale
    along, across = _axes(view._replace(shape=relief.height.shape), place)
    half = np.minimum(wide / 2, (along + base * 1.25) * nose + wide * 0.22)
    beam = (along > -base * 1.25) & (np.abs(across) < half)
    angles = np.arange(faces) * 2 * np.pi / faces + np.pi / 4
    out = np.max([np.cos(a) * along + np.sin(a) * across for a in angles], axis=0)
    pyramid = np.maximum(base * 0.72 - out, 0) * np.float32(tall)
    relief.height = np.where(beam, 14 + pyramid, 0).astype(np.float32) * np.float32(u)
    relief.material[beam] = stuff
    relief.material[beam & (pyramid > 0)] = 1.15 * stuff
    roughen(relief, place, length=2 * u, depth=0.08 * u)
    return relief
