"""Reliefs of what is made by lithography: devices and electrodes, patterned surfaces.

Each function is one kind of sample, as in `grown`.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.simulate.relief import FieldOfView, Plane, Random, Relief, flat, noise, roughen, soften_relief

Box = tuple[float, float, float, float]
"""Top, left, bottom, right in units from the middle of a device."""


def electrodes(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Electrodes that lead from the middle of a chip out to square pads.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    n_leads, inner, pad = int(sample.integers(3, 7)), sample.uniform(8, 20), sample.uniform(10, 18)
    thick, outer, pitch = sample.uniform(1.5, 4), sample.uniform(70, 110), pad * sample.uniform(1.25, 1.6)
    relief, paint = _chip(view, sample)
    leads: list[NDArray[np.float64]] = []
    for side in range(4):
        cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][side]
        for n in np.arange(n_leads) - (n_leads - 1) / 2:
            near, far = n * 1.6 * inner / n_leads, n * pitch
            ends = np.array([[near, inner], [far, outer - 0.35 * (outer - inner)], [far, outer]])
            outline = _thicken_lines(ends, thick)
            square = _corners([(far - pad / 2, outer, far + pad / 2, outer + 1.4 * pad)])[0]
            leads += [part @ np.array([[cos, sin], [-sin, cos]]) for part in (outline, square)]
    _draw(relief, view, paint, leads, place, roam=60)
    return relief


def comb(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Two combs of fingers between each other, on bars with pads, as in sensors and drives.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    n, finger, gap = int(sample.integers(8, 17)), sample.uniform(4, 8), sample.uniform(2.5, 6)
    long, over, bar = sample.uniform(55, 100), sample.uniform(0.6, 0.92), sample.uniform(10, 22)
    relief, paint = _chip(view, sample)
    pitch = finger + gap
    half, away = n * pitch, long * (1 - over / 2)
    boxes: list[Box] = [(-half - 8, -away - bar, half + 8, -away), (-half - 8, away, half + 8, away + bar)]
    for k in range(n):
        top = -half + 2 * k * pitch
        boxes += [
            (top, -away, top + finger, -away + long),
            (top + pitch, away - long, top + pitch + finger, away),
        ]
    for side in (-1, 1):
        left = side * (away + bar + 34)
        boxes += [(-26, left - 26, 26, left + 26), (-6, min(left, side * away), 6, max(left, side * away))]
    _draw(relief, view, paint, _corners(boxes), place, roam=50)
    return relief


def make_suspended_beams(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a plate with a grid of etch holes that hangs on folded springs between anchors.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    plate, hole, n_holes = sample.uniform(42, 70), sample.uniform(2.5, 5), int(sample.integers(3, 7))
    folds, wire, anchor = int(sample.integers(2, 5)), sample.uniform(2, 4), sample.uniform(14, 24)
    relief, paint = _chip(view, sample)
    boxes: list[Box] = [(-plate, -plate, plate, plate)]
    for sy in (-1, 1):
        for sx in (-1, 1):
            y0, reach = sy * (plate - wire), plate + 12 + folds * 3.2 * wire
            for k in range(folds + 1):
                x0 = sx * (plate + 6 + k * 3.2 * wire)
                boxes.append(_box(y0 - sy * 34, x0, y0 + wire, x0 + wire))
                end = y0 if k % 2 == 0 else y0 - sy * 34
                boxes.append(_box(end, x0 - sx * 3.2 * wire, end + wire, x0 + wire))
            boxes.append(
                _box(y0 - sy * 17 - anchor, sx * reach, y0 - sy * 17 + anchor, sx * (reach + 1.6 * anchor))
            )
    steps = (np.arange(n_holes) + 0.5) / n_holes * 2 * plate - plate
    holes = _corners([(y - hole, x - hole, y + hole, x + hole) for y in steps for x in steps])
    _draw(relief, view, paint, _corners(boxes), place, roam=45, holes=holes)
    return relief


def coil(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return a flat square coil with its pads, and lines beside it.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    n_turns, wire, gap = int(sample.integers(4, 8)), sample.uniform(3.5, 7), sample.uniform(3, 6)
    pad, core = sample.uniform(16, 26), sample.uniform(14, 26)
    relief, paint = _chip(view, sample)
    path, step = [np.array([0.0, 0.0]), np.array([0.0, core])], wire + gap
    for n in range(4 * n_turns):
        ahead = [(1, 0), (0, -1), (-1, 0), (0, 1)][n % 4]
        path.append(path[-1] + np.array(ahead) * (2 * core + step * (n // 2)))
    boxes = [_box(a[0], a[1], b[0], b[1], grown=wire / 2) for a, b in pairwise(path)]
    end = path[-1]
    boxes += [
        _box(end[0], end[1], end[0], end[1] + 3 * pad, grown=wire / 2),
        (-pad / 2, -pad / 2, pad / 2, pad / 2),
    ]
    boxes.append((end[0] - pad, end[1] + 2.5 * pad, end[0] + pad, end[1] + 4.5 * pad))
    _draw(relief, view, paint, _corners(boxes), place, roam=40)
    return relief


def _chip(view: FieldOfView, sample: Random) -> tuple[Relief, tuple[float, float]]:
    """Bare chip, and height and yield of what is made on it."""
    tall, bright = sample.uniform(1.5, 9), sample.uniform(1.5, 2.4)
    tilt = float(sample.choice([0.0, sample.uniform(15, 50)]))
    return flat(view, sample.uniform(0.4, 0.8), tilt=tilt), (tall, bright)


def _draw(
    relief: Relief,
    view: FieldOfView,
    paint: tuple[float, float],
    outlines: Iterable[NDArray[np.float64]],
    place: Random,
    *,
    roam: float,
    holes: Iterable[NDArray[np.float64]] = (),
) -> None:
    """Raise what lies within outlines (y, x in units from the device's middle), but not within holes."""
    from PIL import Image, ImageDraw

    shape, u = relief.height.shape, view.scale
    picture = Image.new("L", (shape[1], shape[0]), 0)
    pen = ImageDraw.Draw(picture)
    middle = np.array(shape) / 2 + place.uniform(-roam, roam, 2) * u
    turn = np.pi / 2 * round(view.turn / (np.pi / 2)) + 0.25 * np.sin(5 * view.turn)
    cos, sin = np.cos(turn), np.sin(turn)
    for ink, parts in ((1, outlines), (0, holes)):
        for part in parts:
            placed = middle + u * (part @ np.array([[cos, sin], [-sin, cos]]))
            pen.polygon([(float(x), float(y)) for y, x in placed], fill=ink)
    raised = np.asarray(picture) > 0
    tall, bright = paint
    relief.height += np.where(raised, np.float32(tall * u), 0)
    relief.material[raised] = bright
    soften_relief(relief, 0.6)
    roughen(relief, place, length=2 * u, depth=0.06 * u)
    relief.material *= 1 + np.float32(0.03) * noise(shape, place, length=1.5 * u)


def _thicken_lines(path: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Outline of a line (points by 2) that runs along the second axis."""
    side = np.array([width / 2, 0])
    return np.vstack([path - side, (path + side)[::-1]])


def _box(top: float, left: float, bottom: float, right: float, *, grown: float = 0.0) -> Box:
    """Return a box of two opposite corners in any order, grown on all sides."""
    return (
        min(top, bottom) - grown,
        min(left, right) - grown,
        max(top, bottom) + grown,
        max(left, right) + grown,
    )


def _corners(boxes: Iterable[Box]) -> list[NDArray[np.float64]]:
    """Outlines of boxes."""
    return [
        np.array([[top, left], [top, right], [bottom, right], [bottom, left]])
        for top, left, bottom, right in boxes
    ]


def pillars(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Return the posts of one shape on a lattice, seen from the front.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    pitch, wide, tall = sample.uniform(28, 54), sample.uniform(0.4, 0.65), sample.uniform(0.6, 2.0)
    outline, hexagonal = str(sample.choice(list(_OUTLINES))), bool(sample.random() < 0.4)
    tilt, bright = sample.uniform(20, 48), sample.uniform(1.0, 1.6)
    relief = flat(view, sample.uniform(0.5, 0.8), tilt=tilt)
    inside = _lattice(view.deeper(tilt), place, pitch, wide, outline, hexagonal=hexagonal)
    relief.height = np.clip(inside * view.scale + 0.5, 0, 1) * np.float32(0.6 * tall * pitch * view.scale)
    relief.material[inside > 0] = bright
    roughen(relief, place, length=2 * view.scale, depth=0.06 * view.scale)
    return relief


def holes(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Holes or low islands of one shape on a lattice, seen from above.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    pitch, wide, deep = sample.uniform(24, 50), sample.uniform(0.4, 0.7), sample.uniform(3, 14)
    outline, hexagonal = str(sample.choice(list(_OUTLINES))), bool(sample.random() < 0.5)
    sunk, other = bool(sample.random() < 0.6), sample.uniform(0.3, 0.6)
    inside = _lattice(view, place, pitch, wide, outline, hexagonal=hexagonal)
    step = np.clip(inside * view.scale + 0.5, 0, 1)
    if sunk:
        step = 1 - step
    relief = Relief(step * np.float32(deep * view.scale), (other + (1 - other) * step).astype(np.float32))
    roughen(relief, place, length=2 * view.scale, depth=0.08 * view.scale)
    return relief


def grating(view: FieldOfView, sample: Random, place: Random) -> Relief:
    """Parallel lines of one width, or two such sets across each other.

    Parameters
    ----------
    view
        Field of view: size and resolution.
    sample : random.Generator
        Draws what all images of a sample share.
    place : random.Generator
        Draws what differs between places on the sample.
    """
    pitch, duty, tall = sample.uniform(17, 42), sample.uniform(0.35, 0.65), sample.uniform(2, 10)
    other, tilt, edge = sample.uniform(0.35, 0.8), float(sample.choice([0.0, 30.0])), sample.uniform(0, 0.5)
    crossed = bool(sample.random() < 0.25)
    relief = flat(view, tilt=tilt)
    deep = view.deeper(tilt) if tilt else view
    axes = deep.axes(place)
    wavy = np.float32(edge) * noise(deep.shape, place, length=3 * view.scale)
    sets = [(duty * pitch / 2 - np.abs((a + wavy) % pitch - pitch / 2)) for a in axes[: 2 if crossed else 1]]
    step = np.clip(np.max(sets, axis=0) * view.scale + 0.5, 0, 1).astype(np.float32)
    relief.height = step * np.float32(tall * view.scale)
    relief.material = np.asarray(other + (1 - other) * step, np.float32)
    roughen(relief, place, length=2 * view.scale, depth=0.06 * view.scale)
    return relief


def _lattice(
    view: FieldOfView, place: Random, pitch: float, wide: float, outline: str, *, hexagonal: bool
) -> Plane:
    """Return the distance in units to the outline of the nearest of things on a lattice, positive within."""
    y, x = view.axes(place)
    rise = pitch * np.sqrt(3) / 2 if hexagonal else pitch
    row = np.floor(y / rise)
    x = x + np.where(row % 2 == 1, pitch / 2, 0) if hexagonal else x
    fy, fx = y - (row + 0.5) * rise, x % pitch - pitch / 2
    return np.asarray(_OUTLINES[outline](fy, fx, wide * rise / 2), np.float32)


def _round(y: Plane, x: Plane, half: float) -> Plane:
    return np.asarray(half - np.hypot(y, x))


def _square(y: Plane, x: Plane, half: float) -> Plane:
    return np.asarray(half - np.maximum(np.abs(y), np.abs(x)))


def _triangle(y: Plane, x: Plane, half: float) -> Plane:
    return np.asarray(half * 0.75 - np.maximum(y, np.abs(x) * np.sqrt(3) / 2 - y / 2))


def _cross(y: Plane, x: Plane, half: float) -> Plane:
    thin, long = np.minimum(np.abs(y), np.abs(x)), np.maximum(np.abs(y), np.abs(x))
    return np.asarray(np.minimum(half * 0.4 - thin, 1.15 * half - long))


_OUTLINES: Final[Mapping[str, Callable[[Plane, Plane, float], Plane]]] = {
    "round": _round,
    "square": _square,
    "triangle": _triangle,
    "cross": _cross,
}
