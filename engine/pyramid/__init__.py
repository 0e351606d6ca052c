"""Overviews of big rasters for viewing: one screenful at a time, full data never leaves the engine.

A `Pyramid` holds a raster of labels or of values in halvings of its resolution. `view` gathers what a
screen shows from the level that is just finer than the screen: nearest neighbour there, so that

- labels: each level keeps the majority of 2 x 2 pixels (0 counts as a value; ties go to the lowest class,
  to 0 last), so no class appears that is not in the block;
- values: each level is the mean of the valid ones of 2 x 2 pixels (on the circle for `schema.PERIODS`).

Rasters that fit in memory are kept there and their levels are made when first needed, channel by channel.
Larger ones are written once into a Zarr store in the `cache` folder, as planes chunked for viewing; call
`build` first (off the event loop: it reports progress), `view` would do it.

    pyramid = label_pyramid(result["labels"])
    array, bounds = pyramid.view((0, 500), (0, 400), 800, 600)      # bounds: x0, y0, x1, y1
    pyramid = value_pyramid(images["delta"], cache=folder)
    array, bounds = pyramid.view(x_range, y_range, width, height, channel=3)
"""

from engine.pyramid.halving import halve_labels, halve_values
from engine.pyramid.views import Bounds, Pyramid, label_pyramid, value_pyramid

__all__ = ["Bounds", "Pyramid", "halve_labels", "halve_values", "label_pyramid", "value_pyramid"]
