"""A result of a frame as a faultless network would give it, made without one."""

from typing import Any

import numpy as np
import xarray as xr

from engine.objects import describe_objects
from engine.objects.tracks import Calibration
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe


def true_result(images: xr.Dataset, truth: Any) -> xr.DataTree:
    """Result whose labels are the truth of a simulated frame, with its objects.

    Parameters
    ----------
    images
        The frame, opened.
    truth : ndarray (y, x)
        Index into the names of classes.
    """
    image = images["values"].compute()
    labels = image.copy(data=(truth + 1).astype("uint8"))
    confidence = image.copy(data=np.where(truth > 0, 0.9, 0.99).astype("float32"))
    names = dict(enumerate(CLASSES, start=1))
    charge = image.astype("float64") - float(image.median())
    found = describe_objects(
        labels, charge, confidence, names=names, calibration=Calibration(electrons_per_adu=1.0)
    )
    tree: xr.DataTree = describe(images, labels, confidence, names=names)
    entropy = confidence.copy(data=1 - confidence.values).assign_attrs(units="1")
    tree.dataset = tree.to_dataset().assign(entropy=entropy, objects=found.objects)
    tree["object_table"], tree["audit"] = xr.DataTree(found.table), xr.DataTree(found.audit)
    return tree
