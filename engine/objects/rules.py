"""Rules that give whole objects another class, where an object cannot be of the class of its pixels.

The classes are known by their names; labels with other names are left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr

from engine import blocks
from engine.objects import traits
from engine.objects.connect import connect, connect_classes
from engine.objects.measure import measure
from engine.schema import CHANGE, CONFIDENCE, LABELS, OBJECT, PIXEL, X, Y
from engine.schema import columns as c

BACKGROUND: Final = "background"
GLOWING: Final = "glowing"
HOT: Final = "hot_pixel"
CLUSTER: Final = "cluster"
WIDEST_LINE: Final = 3
"""Width of a hot line in pixels, at most."""
NAMES: Final = (BACKGROUND, GLOWING, HOT, CLUSTER)

COLUMNS: Final = {
    Y: (float, "px", "centroid along y"),
    X: (float, "px", "centroid along x"),
    "area": (int, "px²", "area"),
    "old": (int, "1", "class that the pixels look like"),
    "new": (int, "1", "class by the rule"),
    "rule": (str, "1", "rule"),
}
"""Columns of the trail: dtype, units, meaning."""


@dataclass(frozen=True)
class Rules:
    """Limits of what objects can be, in pixels where nothing else is said."""

    min_cluster: int = 1
    """Clusters of fewer pixels become background."""
    max_cluster: int = 0
    """Clusters of more pixels become glow; 0: no limit."""
    straight: float = 0.5
    """Share of an object's pixels that must lie in lines for it to be hot lines."""
    shortest_line: int = 4
    """Hot pixels along a row or column that make a line one pixel wide; as many times more in a wider one."""
    broken_line: int = 8
    """How far along the line the hot pixels on both sides of one are looked for: lines may have gaps."""
    track_part: int = 16
    """Hot pixels, and glow inside the frame, that touch a cluster and are of up to so many belong to it."""
    hot_line: int = 16
    """Clusters along a row or column become hot pixels if they are at least so long where one pixel wide, and
    as many times longer as the square of their width, up to 3 pixels: hardly a track runs so straight."""
    glow_island: int = 64
    """Glow inside the frame of more pixels stays where only lines and tracks part it from an edge's."""


class Ruled(NamedTuple):
    """Labels after the rules, and the objects that the rules changed."""

    labels: xr.DataArray
    """Dims (y, x); lazy."""
    audit: xr.Dataset
    """Dim change: one row an object that got another class."""


class ObjectsUnderRules(NamedTuple):
    """Objects that rules are applied to."""

    labels: xr.DataArray
    objects: xr.DataArray
    table: xr.Dataset
    numbers: Mapping[str, int]
    """Labels by the name of the class."""

    def are(self, name: str) -> np.ndarray:
        """Return which objects are of a class, `(object,)` bool."""
        return np.asarray(self.table[c.CLASS].values == self.numbers[name])


Verdicts = dict[str, tuple[np.ndarray, str]]
"""By rule: the objects that break it, `(object,)` bool, and their new class. The first that holds counts."""


def apply_rules(labels: xr.DataArray, *, names: Mapping[int, str], rules: Rules) -> Ruled:
    """Give objects that cannot be what their pixels look like another class.

    Hot pixels are single, or lines along a row or column; a cluster is no such line; what touches a track and
    is small belongs to it; glow comes from an edge of the frame. Last, and of the clusters there are then, a
    cluster has at least `min_cluster` pixels.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned
        Computed several times; best stored before.
    names
        Class names by label.
    rules
        The limits.

    Returns
    -------
    Ruled
        The labels, lazy, and the trail: place (`y`, `x`) and `area` of each changed object, its `old` and
        `new` class and the `rule`.
    """
    numbers = {name: label for label, name in names.items()}
    if not set(NAMES) <= set(numbers):
        return Ruled(labels, _trail({}))
    ruled = _change_class(labels, numbers, rules, _by_shape, _traits(labels, numbers, rules))
    if rules.min_cluster <= 1 and rules.max_cluster <= 0:
        return ruled
    sized = _change_class(ruled.labels, numbers, rules, _by_size, {})
    return Ruled(sized.labels, xr.concat([ruled.audit, sized.audit], CHANGE))


def _change_class(
    labels: xr.DataArray,
    numbers: Mapping[str, int],
    rules: Rules,
    judge: Callable[[ObjectsUnderRules, Rules], Verdicts],
    maps: Mapping[str, xr.DataArray],
) -> Ruled:
    """Return the labels after some of the rules, which see the objects as `measure` describes them."""
    objects = connect_classes(labels, classes=[numbers[name] for name in NAMES[1:]])
    judged = ObjectsUnderRules(labels, objects, measure(objects, classes=labels, **maps), numbers)
    changed, rows = _changes(judged, judge(judged, rules))
    audit = _trail(rows, units={dim: judged.table[dim].attrs["units"] for dim in PIXEL})
    if not changed.size:
        return Ruled(labels, audit)
    new = np.zeros(int(judged.table[OBJECT].values[-1]) + 1, labels.dtype)
    new[judged.table[OBJECT].values[changed]] = rows[c.NEW]
    tiles = (blocks.as_tiles(labels), blocks.as_tiles(objects))
    array = blocks.map_tiles(_look_up, *tiles, dtype=labels.dtype, new=new)
    after = xr.DataArray(array, dims=PIXEL, coords=labels.coords, attrs=labels.attrs, name=LABELS)
    return Ruled(after, audit)


def _traits(labels: xr.DataArray, numbers: Mapping[str, int], rules: Rules) -> dict[str, xr.DataArray]:
    """Return maps whose means over an object the rules ask for.

    They are: touching a cluster, lying in a line of hot pixels, and in a straight streak of hot pixels and
    clusters together, as which a network may see a hot line in parts.
    """
    tiles = blocks.as_tiles(labels)
    beside = blocks.map_halo(traits.touching_pixels, tiles, halo=1, dtype=np.uint8, label=numbers[CLUSTER])
    lines = blocks.map_halo(
        traits.in_lines,
        tiles,
        halo=rules.broken_line,
        dtype=np.float32,
        hot=numbers[HOT],
        shortest=rules.shortest_line,
        reach=rules.broken_line,
    )
    either = blocks.map_tiles(_either, tiles, dtype=np.uint8, labels=(numbers[HOT], numbers[CLUSTER]))
    streaks = blocks.map_halo(
        traits.in_lines,
        either,
        halo=rules.hot_line,
        dtype=np.float32,
        hot=1,
        shortest=rules.hot_line,
        reach=rules.hot_line,
        crossings=False,
    )
    maps = {"image": beside, CONFIDENCE: lines, "votes": streaks}
    return {name: xr.DataArray(plane, dims=PIXEL) for name, plane in maps.items()}


def _either(tile: np.ndarray, *, labels: tuple[int, ...]) -> np.ndarray:
    """Return 1 for the pixels that are of one of the labels, else 0; uint8."""
    return np.isin(tile, labels).view(np.uint8)


def _by_shape(judged: ObjectsUnderRules, rules: Rules) -> Verdicts:
    table = judged.table
    area, touching = table[c.AREA].values, table[c.CHARGE].values > 0
    hot, inside = judged.are(HOT), judged.are(GLOWING) & ~table[c.TOUCHES_EDGE].values
    sides = [
        table[f"bbox_{b}"].values - table[f"bbox_{a}"].values
        for a, b in (("top", "bottom"), ("left", "right"))
    ]
    narrow, long = np.minimum(*sides), np.maximum(*sides)
    streak = table[c.VOTES].values >= rules.straight
    is_line = streak | ((narrow <= WIDEST_LINE) & (long >= rules.hot_line * narrow**2))
    of_track = touching & (area <= rules.track_part) & ~streak
    no_line = (area > 1) & (table[CONFIDENCE].values < rules.straight) & ~streak
    return {
        "hot pixels lie in lines": (hot & no_line, CLUSTER),
        "a track is of one class": ((hot | inside) & of_track, CLUSTER),
        "a hot line is no cluster": (judged.are(CLUSTER) & is_line, HOT),
        "glow touches the edge": (_islands(judged, inside, rules), BACKGROUND),
    }


def _by_size(judged: ObjectsUnderRules, rules: Rules) -> Verdicts:
    cluster, area = judged.are(CLUSTER), judged.table[c.AREA].values
    return {
        "a cluster has a least size": (cluster & (area < rules.min_cluster), BACKGROUND),
        "a cluster has a largest size": (
            cluster & (area > rules.max_cluster) & (rules.max_cluster > 0),
            GLOWING,
        ),
    }


def _islands(judged: ObjectsUnderRules, inside: np.ndarray, rules: Rules) -> np.ndarray:
    """Return the glow that no glow joins to an edge, not even behind lines and tracks if it is large."""
    large = inside & (judged.table[c.AREA].values > rules.glow_island)
    if not large.any():
        return inside
    numbers = judged.numbers
    behind = blocks.map_halo(
        traits.glow_behind,
        blocks.as_tiles(judged.labels),
        halo=traits.BEHIND,
        dtype=bool,
        glowing=numbers[GLOWING],
        front=(numbers[HOT], numbers[CLUSTER]),
    )
    areas = connect(xr.DataArray(behind, dims=PIXEL))
    at_edge = measure(areas)[c.TOUCHES_EDGE].values
    of_object = measure(judged.objects, classes=areas)[c.CLASS].values
    return np.asarray(inside & ~(large & np.append(False, at_edge)[of_object]))


def _changes(judged: ObjectsUnderRules, verdicts: Verdicts) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the rows of the objects that break a rule, and what the trail says of them, column by column."""
    broken = np.stack([objects for objects, _ in verdicts.values()])
    changed = np.flatnonzero(broken.any(axis=0))
    first = broken[:, changed].argmax(axis=0)
    given = np.array([judged.numbers[name] for _, name in verdicts.values()])
    rows = {name: judged.table[name].values[changed] for name in (Y, X, "area")}
    old = judged.table[c.CLASS].values[changed]
    return changed, {**rows, "old": old, "new": given[first], "rule": np.array(list(verdicts))[first]}


def _trail(rows: Mapping[str, np.ndarray], *, units: Mapping[str, str] | None = None) -> xr.Dataset:
    """Return the audit with its rows, column by column; no rows where there are none."""
    columns: dict[str, Any] = {}
    for name, (dtype, unit, meaning) in COLUMNS.items():
        attrs = {"units": (units or {}).get(name, unit), "long_name": meaning}
        columns[name] = (CHANGE, rows.get(name, np.zeros(0)).astype(dtype), attrs)
    return xr.Dataset(columns)


def _look_up(labels: np.ndarray, objects: np.ndarray, *, new: np.ndarray) -> np.ndarray:
    """Return the labels with the new class of each object, 0 = as it was."""
    given = new[objects]
    return np.where(given > 0, given, labels)
