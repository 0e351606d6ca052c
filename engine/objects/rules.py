"""What objects cannot be: rules that give whole objects another class, and the trail of what they changed.

The classes are known by their names; labels with other names are left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from scipy import ndimage

from engine import blocks
from engine.objects.connect import connect_classes
from engine.objects.measure import measure
from engine.schema import CHANGE, LABELS, PIXEL, X, Y

BACKGROUND: Final = "background"
GLOWING: Final = "glowing"
HOT: Final = "hot_pixel"
CLUSTER: Final = "cluster"
SECOND: Final = 2**20
"""What counts the second trait of pixels in a sum of two; no object that matters has so many pixels."""
NAMES: Final = (BACKGROUND, GLOWING, HOT, CLUSTER)


@dataclass(frozen=True)
class Rules:
    """Limits of what objects can be, in pixels."""

    min_cluster: int = 1
    """Clusters of fewer pixels become background."""
    max_cluster: int = 0
    """Clusters of more pixels become glow; 0: no limit."""
    straight: float = 0.5
    """Share of an object's pixels that must lie in lines one pixel wide for it to be hot lines."""
    shortest_line: int = 4
    """Hot pixels side by side are a line from so many; of fewer, but not single, they become a cluster."""
    track_part: int = 16
    """Hot pixels that touch a cluster and are of up to so many belong to it."""
    hot_line: int = 16
    """Clusters one pixel wide along a row or column and at least so long become hot pixels."""


class Ruled(NamedTuple):
    """What rules make of labels."""

    labels: xr.DataArray
    """Dims (y, x); lazy."""
    audit: xr.Dataset
    """Dim change: one row an object that got another class."""


def apply_rules(labels: xr.DataArray, *, names: Mapping[int, str], rules: Rules) -> Ruled:
    """Give objects that cannot be what their pixels look like another class.

    Hot pixels are single, or lines along a row or column; a cluster has at least `min_cluster` pixels and is
    no such line; glow comes from an edge of the frame.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned
        Computed twice; best stored before.
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
        return Ruled(labels, _trail(np.zeros(0, int), {}, numbers))
    objects = connect_classes(labels, classes=[numbers[name] for name in NAMES[1:]])
    tiles = blocks.tiled(labels)
    lines = blocks.map_halo(
        _hot_traits, tiles, halo=1, dtype=np.int32, hot=numbers[HOT], cluster=numbers[CLUSTER]
    )
    table = measure(objects, image=xr.DataArray(lines, dims=PIXEL), classes=labels)
    decided = _decisions(table, numbers, rules)
    changed = np.flatnonzero(np.logical_or.reduce(list(decided.values()))) if decided else np.zeros(0, int)
    audit = _trail(changed, decided, numbers, table)
    if not changed.size:
        return Ruled(labels, audit)
    new = np.zeros(int(table["object"].values[-1]) + 1, np.uint8)
    new[table["object"].values[changed]] = audit["new"].values
    array = blocks.map_tiles(
        _reclassed, blocks.tiled(labels), blocks.tiled(objects), dtype=labels.dtype, new=new
    )
    return Ruled(
        xr.DataArray(array, dims=PIXEL, coords=labels.coords, attrs=labels.attrs, name=LABELS), audit
    )


_VERDICTS: Final[Mapping[str, str]] = {
    "hot pixels lie in lines": CLUSTER,
    "a track is of one class": CLUSTER,
    "a hot line is no cluster": HOT,
    "a cluster has a least size": BACKGROUND,
    "a cluster has a largest size": GLOWING,
    "glow touches the edge": BACKGROUND,
}
"""Rules and the class that they give, the first that holds counts."""


def _decisions(table: xr.Dataset, numbers: Mapping[str, int], rules: Rules) -> dict[str, np.ndarray]:
    """For each rule, the objects that break it, `(object,)` bool."""
    kind, area = table["class"].values, table["area"].values
    height = table["bbox_bottom"].values - table["bbox_top"].values
    width = table["bbox_right"].values - table["bbox_left"].values
    touching, in_lines = np.divmod(np.nan_to_num(table["charge"].values), SECOND)
    cluster = kind == numbers[CLUSTER]
    return {
        "hot pixels lie in lines": (kind == numbers[HOT])
        & (area > 1)
        & ((in_lines < rules.straight * area) | (area < rules.shortest_line)),
        "a track is of one class": (kind == numbers[HOT]) & (touching > 0) & (area <= rules.track_part),
        "a hot line is no cluster": cluster
        & (np.minimum(height, width) == 1)
        & (np.maximum(height, width) >= rules.hot_line),
        "a cluster has a least size": cluster & (area < rules.min_cluster),
        "a cluster has a largest size": cluster & (rules.max_cluster > 0) & (area > rules.max_cluster),
        "glow touches the edge": (kind == numbers[GLOWING]) & ~table["touches_edge"].values,
    }


def _trail(
    changed: np.ndarray,
    decided: Mapping[str, np.ndarray],
    numbers: Mapping[str, int],
    table: xr.Dataset | None = None,
) -> xr.Dataset:
    """The rows of the audit, in the order of the objects."""
    rules = list(decided)
    which = [next(r for r in rules if decided[r][n]) for n in changed]
    taken = {
        name: np.zeros(0) if table is None else table[name].values[changed]
        for name in (Y, X, "area", "class")
    }
    columns = {
        Y: (taken[Y], "px", "centroid along y"),
        X: (taken[X], "px", "centroid along x"),
        "area": (taken["area"], "px²", "area"),
        "old": (taken["class"].astype(int), "1", "class that the pixels look like"),
        "new": (np.array([numbers[_VERDICTS[r]] for r in which], int), "1", "class by the rule"),
    }
    audit = xr.Dataset(
        {
            name: (CHANGE, values, {"units": units, "long_name": meaning})
            for name, (values, units, meaning) in columns.items()
        }
    )
    return audit.assign(rule=(CHANGE, np.array(which, dtype=str), {"long_name": "rule"}))


def _hot_traits(labels: np.ndarray, *, hot: int, cluster: int) -> np.ndarray:
    """Of hot pixels: 1 in a line, and `SECOND` more beside a cluster, so that sums count both.

    In a line are those with hot neighbours along their row or their column alone, or on all four sides.
    """
    is_hot = np.pad(labels == hot, 1)
    left, right, up, down = is_hot[1:-1, :-2], is_hot[1:-1, 2:], is_hot[:-2, 1:-1], is_hot[2:, 1:-1]
    in_line = ((left | right) ^ (up | down)) | (left & right & up & down)
    beside = ndimage.maximum_filter(labels == cluster, 3)
    return np.where(is_hot[1:-1, 1:-1], in_line + SECOND * beside, 0).astype(np.int32)


def _reclassed(labels: np.ndarray, objects: np.ndarray, *, new: np.ndarray) -> np.ndarray:
    given = new[np.minimum(objects, new.size - 1)]
    given[objects >= new.size] = 0
    return np.where(given > 0, given, labels).astype(labels.dtype)
