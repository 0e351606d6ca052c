"""Clean a label map of specks."""

import xarray as xr

from engine import blocks
from engine.cluster.specks import remove_specks
from engine.edits.classes import colors_of, names_of, rebuilt
from engine.errors import InputError
from engine.schema import LABELS, pixel_map


def clean(result: xr.DataTree, images: xr.Dataset, *, min_area: int) -> xr.DataTree:
    """Give connected areas of fewer than `min_area` pixels the class of most of their neighbours."""
    if min_area < 1:
        raise InputError(f"min_area is {min_area}; give a number of pixels, 1 or more")
    labels = pixel_map(result, LABELS)
    whole = blocks.tiled(labels)
    # One task for the whole map: an area may reach over any number of tiles.
    data = blocks.map_tiles(remove_specks, whole.rechunk(-1), dtype=labels.dtype, min_area=min_area)
    cleaned = labels.copy(data=data.rechunk(whole.chunks))
    return rebuilt(result, images, cleaned, names=names_of(result), colors=colors_of(result))
