"""From the classes of pixels to objects: rules, connected pieces, and the table that measures them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from engine.objects.connect import connect_classes
from engine.objects.measure import measure
from engine.objects.particles import KINDS, Calibration, energies
from engine.objects.rules import BACKGROUND, CLUSTER, Ruled, Rules, apply_rules
from engine.schema import OBJECT


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
    kinds: str = "shape",
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
        How the kind of tracks is told: one of `particles.KINDS`.
    """
    ruled = Ruled(labels, apply_rules(labels, names={}, rules=Rules()).audit)
    if rules is not None:
        ruled = apply_rules(labels, names=names, rules=rules)
    classes = [label for label, name in names.items() if name != BACKGROUND]
    objects = connect_classes(ruled.labels, classes=classes)
    table = measure(objects, image=image, classes=ruled.labels, confidence=confidence)
    named = np.array([names.get(int(label), "") for label in table["class"].values], dtype=str)
    tracks = named == CLUSTER
    kind = np.full(named.size, "", dtype="U5")
    kind[tracks] = KINDS[kinds](table.isel({OBJECT: tracks}))
    energy = energies(table, calibration, charged=tracks)
    table = table.assign(
        name=(OBJECT, named, {"long_name": "class name"}),
        energy=(OBJECT, energy, {"units": "eV", "long_name": "energy"}),
        kind=(OBJECT, kind, {"long_name": "kind of track"}),
    )
    return Described(ruled.labels, objects, table, ruled.audit)
