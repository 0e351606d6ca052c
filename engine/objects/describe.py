"""From the classes of pixels to objects: rules, connected pieces, and the table that measures them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from engine import blocks
from engine.objects.connect import connect_classes
from engine.objects.measure import measure
from engine.objects.rules import BACKGROUND, CLUSTER, Rules, apply_rules
from engine.objects.tracks import SHAPE, Calibration, Shapes, energies, teller
from engine.schema import OBJECT, PIXEL
from engine.schema import columns as c


class Described(NamedTuple):
    """Labels after the rules, and their objects.

    Attributes
    ----------
    labels, objects : DataArray, dims (y, x)
        Lazy.
    table : Dataset, dim object
        What `measure` gives, and `name`, `energy` in eV, `kind`.
    audit : Dataset, dim change
        What rules changed.
    """

    labels: xr.DataArray
    objects: xr.DataArray
    table: xr.Dataset
    audit: xr.Dataset


def describe_objects(
    labels: xr.DataArray,
    image: xr.DataArray,
    confidence: xr.DataArray,
    *,
    names: Mapping[int, str],
    calibration: Calibration,
    rules: Rules | None = None,
    kinds: Shapes | str = SHAPE,
    store: Callable[..., Sequence[xr.DataArray]] | None = None,
) -> Described:
    """Apply rules, connect the pixels of each class but the background, and measure the objects.

    Parameters
    ----------
    labels : DataArray (y, x), unsigned
        Of a network; computed several times, so best stored before.
    image : DataArray (y, x)
        Above the pedestal, in adu.
    confidence : DataArray (y, x)
    names
        Class names by label.
    calibration
        For the energies of clusters.
    rules
        None: no object changes its class.
    kinds
        How the kind of tracks is told: limits on their shape, or one of `particles.KINDS`.
    store
        Puts the labels and the objects where they can be read again, and returns them; None: they are
        computed again for all that is made of them.

    Raises
    ------
    InputError
        If there is no such way to tell kinds, or the arrays differ in dims or shape.
    """
    tell = teller(kinds)
    ruled = apply_rules(labels, names={} if rules is None else names, rules=rules or Rules())
    classes = [label for label, name in names.items() if name != BACKGROUND]
    after, objects = ruled.labels, connect_classes(ruled.labels, classes=classes)
    if store is not None:
        after, objects = store(after, objects)
    table = measure(objects, image=image, classes=after, confidence=confidence, votes=_same(labels, after))
    named = np.array([names.get(int(label), "") for label in table[c.CLASS].values], dtype=str)
    tracks = named == CLUSTER
    kind = np.full(named.size, "", dtype="U5")
    kind[tracks] = tell(table.isel({OBJECT: tracks}))
    energy = energies(table, calibration, charged=tracks)
    table = table.assign(
        name=(OBJECT, named, {"long_name": "class name"}),
        energy=(OBJECT, energy, {"units": "eV", "long_name": "energy"}),
        kind=(OBJECT, kind, {"long_name": "kind of track"}),
    )
    return Described(after, objects, table, ruled.audit)


def _same(before: xr.DataArray, after: xr.DataArray) -> xr.DataArray:
    """Return the pixels that have the same label in both maps."""
    tiles = (blocks.as_tiles(before), blocks.as_tiles(after))
    return xr.DataArray(blocks.map_tiles(np.equal, *tiles, dtype=bool), dims=PIXEL)
