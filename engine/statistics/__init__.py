"""Statistics of classes: table, spectra, agreement with a truth; all from sums over tiles."""

from collections.abc import Mapping

import xarray as xr

from engine.schema import CLASSES, CONFIDENCE, KIND, LABELS, SPECTRA, label_map
from engine.schema.kinds import CLASS_MAP
from engine.statistics.agreement import agreement
from engine.statistics.classes import class_table
from engine.statistics.spectra import class_spectra, region_spectrum

__all__ = ["agreement", "class_spectra", "class_table", "describe", "region_spectrum"]


def describe(
    images: xr.Dataset,
    labels: xr.DataArray,
    confidence: xr.DataArray,
    *,
    names: Mapping[int, str],
    colors: Mapping[int, str] | None = None,
) -> xr.DataTree:
    """Return the result of a label map: labels, confidence, table of classes, spectra; lazy.

    Computed together, labels and tables share the loading of the images; read alone, labels cost only
    themselves.

    Parameters
    ----------
    images : Dataset
        The raw images; NaN pixels do not count in the statistics.
    labels : DataArray (y, x), unsigned
        0 = no label; values that are not in `names` are in no table.
    confidence : DataArray (y, x)
        0 to 1: best minus second class.
    names
        Class names by label value, not necessarily consecutive.
    colors
        Colours as `#rrggbb` by label value; the palette's where there is none.
    """
    margin = {"units": "1", "long_name": "confidence"}
    root = xr.Dataset(
        {LABELS: label_map(labels, names), CONFIDENCE: confidence.rename(CONFIDENCE).assign_attrs(margin)}
    )
    classes = class_table(labels, confidence, names=names, colors=colors)
    spectra = class_spectra(images, labels, values=sorted(names))
    root.attrs[KIND] = CLASS_MAP.name
    return xr.DataTree.from_dict({"/": root, f"/{CLASSES}": classes, f"/{SPECTRA}": spectra})
